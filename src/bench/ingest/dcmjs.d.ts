// The part of dcmjs that the bench measures, which ships without types.
declare module 'dcmjs' {
  const dcmjs: {
    readonly log: { setLevel(level: 'silent'): void };
    readonly data: {
      readonly DicomMessage: { readFile(buffer: ArrayBuffer): { write(): ArrayBuffer } };
    };
  };
  export default dcmjs;
}
