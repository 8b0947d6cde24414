// dcmjs ships its data dictionary (PS3.6) as a module of its own, without types.
declare module 'dcmjs/dictionary' {
  export const dictionary: Readonly<
    Record<string, { readonly vr?: string; readonly name?: string; readonly version?: string } | undefined>
  >;
}
