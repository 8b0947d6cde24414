// The WebAssembly decoders (charls, openjpeg, openjph, libjpeg-turbo), loaded when first needed. What they answer is checked: some
// give no samples, or too few, for a broken stream without an error.
import { createRequire } from 'node:module';
import { DicomRefusal } from './dicom-refusal.ts';

export type WasmCodec = 'charls' | 'openjpeg' | 'openjph' | 'libjpeg-turbo';

export interface DecodedStream {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsPerSample: number;
  /** Little-endian samples of one byte, or of two where there are more than 8 bits. */
  readonly bytes: Uint8Array;
  /** Whether whole planes follow each other, as JPEG-LS streams may have them. */
  readonly isPlanar: boolean;
}

interface CodecDecoder {
  /** A view to write the stream into. */
  getEncodedBuffer(byteCount: number): Uint8Array;
  /** A view of the samples, gone with the next call. */
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
  getInterleaveMode?(): number;
  delete(): void;
}

/** The packages bring no types: this is the part of them that is used. */
interface CodecModule {
  readonly JpegLSDecoder?: new () => CodecDecoder;
  readonly J2KDecoder?: new () => CodecDecoder;
  readonly HTJ2KDecoder?: new () => CodecDecoder;
  readonly JPEGDecoder?: new () => CodecDecoder;
  /** All of the module's memory, which grows and never shrinks. */
  readonly HEAPU8?: Uint8Array;
}
type CreateModule = (options: { print: () => void; printErr: () => void }) => Promise<CodecModule>;

const packageOf: Readonly<Record<WasmCodec, string>> = {
  charls: '@cornerstonejs/codec-charls/decodewasmjs',
  openjpeg: '@cornerstonejs/codec-openjpeg/decodewasmjs',
  openjph: '@cornerstonejs/codec-openjph/wasmjs',
  'libjpeg-turbo': '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
};

// Not called `require`: the bundler puts a constant of that name into each chunk.
const requirePackage = createRequire(import.meta.url);

/** A module that has more is let go after the frame. */
const defaultKeptBytes = 64 * 2 ** 20;

/** Emscripten's abort leaves a module unusable, so a failed one is loaded anew. */
const loaded = new Map<WasmCodec, Promise<CodecModule>>();

function loadCodec(codec: WasmCodec): Promise<CodecModule> {
  let module = loaded.get(codec);
  if (module === undefined) {
    const createModule: CreateModule = requirePackage(packageOf[codec]);
    // The codecs write to the console what they find wrong with a file. Each module keeps the object that it is given.
    module = createModule({ print: () => undefined, printErr: () => undefined });
    loaded.set(codec, module);
  }
  return module;
}

/**
 * Decodes one stream.
 * @param keptBytes memory that the codec may hold on to
 * @throws DicomRefusal DICOM_DECODER_FAILED
 */
export async function decodeWithCodec(
  codec: WasmCodec,
  stream: Uint8Array,
  keptBytes = defaultKeptBytes,
): Promise<DecodedStream> {
  const module = await loadCodec(codec);
  const Decoder = module.JpegLSDecoder ?? module.J2KDecoder ?? module.HTJ2KDecoder ?? module.JPEGDecoder;
  if (Decoder === undefined) throw failed();
  let decoder: CodecDecoder | undefined;
  try {
    decoder = new Decoder();
    decoder.getEncodedBuffer(stream.length).set(stream);
    decoder.decode();
    return copied(decoder);
  } catch (error) {
    if (error instanceof DicomRefusal) throw error;
    // The codecs throw numbers, pointers into their own memory; no text of theirs is passed on.
    loaded.delete(codec);
    throw failed();
  } finally {
    release(decoder);
    // Attack: one large frame would hold its memory for as long as the worker lives.
    if ((module.HEAPU8?.byteLength ?? 0) > keptBytes) loaded.delete(codec);
  }
}

/** Bytes that the loaded modules hold. */
export async function heldHeapBytes(): Promise<number> {
  const modules = await Promise.all(loaded.values());
  return modules.reduce((total, { HEAPU8 }) => total + (HEAPU8?.byteLength ?? 0), 0);
}

function copied(decoder: CodecDecoder): DecodedStream {
  const { width, height, componentCount, bitsPerSample } = decoder.getFrameInfo();
  const bytes = decoder.getDecodedBuffer();
  const expectedBytes = width * height * componentCount * (bitsPerSample > 8 ? 2 : 1);
  if (expectedBytes === 0 || bytes.length !== expectedBytes) throw failed();
  return {
    rows: height,
    columns: width,
    samplesPerPixel: componentCount,
    bitsPerSample,
    // A copy, and a plain one: some codecs answer with clamped or signed bytes.
    bytes: new Uint8Array(bytes),
    isPlanar: componentCount > 1 && decoder.getInterleaveMode?.() === 0,
  };
}

function release(decoder: CodecDecoder | undefined): void {
  try {
    decoder?.delete();
  } catch {
    // An aborted module cannot free; it is dropped whole.
  }
}

function failed(): DicomRefusal {
  return new DicomRefusal('DICOM_DECODER_FAILED', 'PixelData');
}
