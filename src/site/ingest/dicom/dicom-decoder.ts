// Decodes objects in threads with limits of memory and time: a file on which a decoder hangs or dies is refused by name, the thread
// replaced, and the site goes on (security.md X10). Order of requests is order of work.
import { type ThreadFailure, ThreadPool } from '#base/thread-pool.ts';
import type { DecodeReply } from './decode-worker.ts';
import type { DecodedImage, DecodeRequest } from './decoded-image.ts';
import { DicomRefusal } from './dicom-refusal.ts';

export interface DicomDecoder {
  /**
   * Decodes frames of a file; null where it has no pixel data. The bytes are copied.
   * @throws DicomRefusal DICOM_TIMEOUT, DICOM_DECODER_FAILED, and what `decodeImage` throws
   */
  decode(bytes: Uint8Array, frameIndexes?: readonly number[]): Promise<DecodedImage | null>;
  /** Decodes every frame and keeps none: whether the file's pixels are whole. @throws as `decode` */
  check(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface DicomDecoderOptions {
  readonly threadCount?: number;
  /** For one file, all its frames together. */
  readonly timeoutMs?: number;
  /** The thread's module; another one in tests. */
  readonly entry?: URL;
}

/** Beside the source in a checkout, beside the bundle in a package. */
const decodeWorkerEntry = new URL(
  import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js',
  import.meta.url,
);

/** Loading the thread's code is no fault of a file; beyond this something is wrong with the machine. */
const startLimitMs = 30_000;

type GivenReply = Exclude<DecodeReply, { readonly kind: 'ready' }>;

export function openDicomDecoder(options: DicomDecoderOptions = {}): DicomDecoder {
  const { threadCount = 1, timeoutMs = 5_000, entry = decodeWorkerEntry } = options;
  const pool = new ThreadPool<DecodeRequest, GivenReply>({
    entry,
    threadCount,
    // Samples lie outside the heap; streams that say they hold more than an image may have are refused before a codec sees them.
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
    limitMs: () => timeoutMs,
    startLimitMs,
    refusalOf,
  });
  const ask = async (request: DecodeRequest): Promise<DecodedImage | null> => {
    const reply = await pool.run(request);
    if (reply.kind === 'refused') throw new DicomRefusal(reply.code, reply.field);
    return reply.image;
  };
  return {
    decode: (bytes, frameIndexes) => ask({ bytes, frameIndexes: frameIndexes ?? null, isCheckOnly: false }),
    check: async (bytes) => {
      await ask({ bytes, frameIndexes: null, isCheckOnly: true });
    },
    close: () => pool.close(),
  };
}

function refusalOf(failure: ThreadFailure): DicomRefusal {
  if (failure === 'closed') return new DicomRefusal('IMPORT_CANCELLED', null);
  return new DicomRefusal(failure === 'died' ? 'DICOM_DECODER_FAILED' : 'DICOM_TIMEOUT', 'PixelData');
}
