// Types of the part of jpeg-lossless-decoder-js that tests use; those that the package names are not in it.
declare module 'jpeg-lossless-decoder-js' {
  export class Decoder {
    decompress(buffer: ArrayBufferLike, offset: number, byteCount: number): ArrayBuffer;
  }
}
