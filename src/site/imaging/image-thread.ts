// An image thread: opens sealed images by the keys that it is given, decodes and prepares them. It holds no database and writes nothing;
// decoders run here and nowhere else in this stage (security.md X10).
import { parentPort, workerData } from 'node:worker_threads';
import { BugError, isCodedError } from '#base/coded-error.ts';
import { DicomRefusal } from '#site/ingest/index.ts';
import { type ObjectPlace, readObject } from '#site/store/index.ts';
import type { ImageAnswer, ImageReply, ImageRequest, ImageThreadData, PrepareRequest } from './image-work.ts';
import { SlicePreparer } from './prepare-slice.ts';
import { readMasks } from './read-masks.ts';
import type { PixelSize } from './resample.ts';
import { summariseSeries } from './summarise-series.ts';

if (parentPort === null) throw new BugError('an image thread without a site');
const port = parentPort;
const { folder } = workerData as ImageThreadData;
const read = (object: ObjectPlace) => readObject(folder, object);
let preparer: { readonly size: PixelSize; readonly slices: SlicePreparer } | undefined;

port.on('message', async (request: ImageRequest) => {
  const reply = await replyTo(request);
  const isBatch = reply.kind === 'done' && reply.answer instanceof Float32Array;
  port.postMessage(reply, isBatch ? [reply.answer.buffer] : []);
});
port.postMessage({ kind: 'ready' } satisfies ImageReply);

async function replyTo(request: ImageRequest): Promise<ImageReply> {
  try {
    return { kind: 'done', answer: await answer(request) };
  } catch (error) {
    if (error instanceof DicomRefusal || isCodedError(error, 'OBJECT_UNREADABLE'))
      return { kind: 'failed', code: 'IMAGE_UNREADABLE', reason: error.code };
    // What a decoder throws may quote what it read; only its kind goes on.
    return { kind: 'failed', code: 'BUG', reason: error instanceof Error ? error.name : typeof error };
  }
}

function answer(request: ImageRequest): Promise<ImageAnswer> {
  switch (request.kind) {
    case 'summarise':
      return summariseSeries(bytesOf(request.objects));
    case 'draw':
      return readMasks(read(request.object), request.slices, request.size);
    case 'prepare':
      return prepare(request);
  }
}

function* bytesOf(objects: readonly ObjectPlace[]): Generator<Uint8Array> {
  for (const object of objects) yield read(object);
}

async function prepare({ size, slices, inputs }: PrepareRequest): Promise<Float32Array<ArrayBuffer>> {
  if (preparer?.size.rows !== size.rows || preparer.size.columns !== size.columns)
    preparer = { size, slices: new SlicePreparer(size, read) };
  const pixelCount = size.rows * size.columns;
  for (const { place, ...work } of slices)
    await preparer.slices.prepare(work, inputs.subarray(place * pixelCount, (place + 1) * pixelCount));
  return inputs;
}
