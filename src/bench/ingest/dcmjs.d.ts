// The part of dcmjs that the bench measures, which ships without types.
declare module 'dcmjs' {
  export const log: { setLevel(level: 'silent'): void };
  export const data: {
    readonly DicomMessage: { readFile(buffer: ArrayBuffer): { write(): ArrayBuffer } };
  };
}
