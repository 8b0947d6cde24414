// The decoding thread: one object at a time, in a thread of its own that is ended when it hangs or dies (security.md X10). It reads
// no file and holds nothing between objects.
import { parentPort } from 'node:worker_threads';
import { BugError } from '#base/coded-error.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import { type DecodedImage, type DecodeRequest, decodeImage } from './decoded-image.ts';
import { DicomRefusal } from './dicom-refusal.ts';

export type DecodeReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'decoded'; readonly image: DecodedImage | null }
  | { readonly kind: 'refused'; readonly code: FileRefusalCode; readonly field: string | null };

if (parentPort === null) throw new BugError('a decoding thread without a pool');
const port = parentPort;

port.on('message', async (request: DecodeRequest) => {
  const reply = await answer(request);
  const buffers = reply.kind === 'decoded' ? (reply.image?.frames ?? []).map(bufferOf) : [];
  port.postMessage(reply, [...new Set(buffers)]);
});
port.postMessage({ kind: 'ready' } satisfies DecodeReply);

async function answer(request: DecodeRequest): Promise<DecodeReply> {
  try {
    return { kind: 'decoded', image: await decodeImage(request) };
  } catch (error) {
    if (error instanceof DicomRefusal) return { kind: 'refused', code: error.code, field: error.field };
    // What a decoder throws may quote what it read; only its kind goes on.
    return { kind: 'refused', code: 'DICOM_DECODER_FAILED', field: 'PixelData' };
  }
}

function bufferOf({ pixels }: DecodedImage['frames'][number]): ArrayBuffer {
  const { buffer } = pixels.kind === 'grey' ? pixels.values : pixels.rgb;
  if (buffer instanceof ArrayBuffer) return buffer;
  throw new BugError('shared pixels');
}
