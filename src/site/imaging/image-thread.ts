// An image thread: opens sealed images by the keys that it is given, decodes and prepares them. It holds no database and writes nothing;
// decoders run here and nowhere else in this stage (security.md X10).
import { parentPort, workerData } from 'node:worker_threads';
import { BugError, isCodedError } from '#base/coded-error.ts';
import { DicomRefusal } from '#site/ingest/index.ts';
import { type ObjectPlace, readObject } from '#site/store/index.ts';
import {
  buffersOf,
  type ImageAnswers,
  type ImageReply,
  type ImageRequest,
  type ImageThreadData,
  type MatchedSegmentation,
  type MatchRequest,
  type PrepareRequest,
} from './image-work.ts';
import { matchSegmentation } from './match-segmentation.ts';
import { openSegmentationBytes, SlicePreparer } from './prepare-slice.ts';
import type { PixelSize } from './resample.ts';
import { summariseSeries } from './summarise-series.ts';

if (parentPort === null) throw new BugError('an image thread without a site');
const port = parentPort;
const { folder } = workerData as ImageThreadData;
const read = (object: ObjectPlace) => readObject(folder, object);
let preparer: { readonly size: PixelSize; readonly slices: SlicePreparer } | undefined;

port.on('message', async (request: ImageRequest) => {
  const reply = await replyTo(request);
  port.postMessage(reply, reply.kind === 'done' && 'inputs' in reply.answer ? buffersOf(reply.answer) : []);
});
port.postMessage({ kind: 'ready' } satisfies ImageReply);

async function replyTo(request: ImageRequest): Promise<ImageReply> {
  try {
    return { kind: 'done', answer: await answer(request) };
  } catch (error) {
    if (error instanceof DicomRefusal)
      return { kind: 'failed', code: 'IMAGE_UNREADABLE', reason: error.code };
    if (isCodedError(error, 'OBJECT_UNREADABLE'))
      return { kind: 'failed', code: 'IMAGE_UNREADABLE', reason: error.code };
    // What a decoder throws may quote what it read; only its kind goes on.
    return { kind: 'failed', code: 'BUG', reason: error instanceof Error ? error.name : typeof error };
  }
}

function answer(request: ImageRequest): Promise<ImageAnswers[keyof ImageAnswers]> {
  switch (request.kind) {
    case 'summarise':
      return summariseSeries(bytesOf(request.objects));
    case 'match':
      return Promise.resolve(match(request));
    case 'prepare':
      return prepare(request);
  }
}

function* bytesOf(objects: readonly ObjectPlace[]): Generator<Uint8Array> {
  for (const object of objects) yield read(object);
}

function match({ object, slices }: MatchRequest): MatchedSegmentation {
  const bytes = read(object);
  try {
    const drawn = matchSegmentation(openSegmentationBytes(bytes), slices);
    return drawn === undefined
      ? { kind: 'left-out', reason: 'segmentation-geometry' }
      : { kind: 'matched', drawn };
  } catch (error) {
    if (error instanceof DicomRefusal) return { kind: 'left-out', reason: 'segmentation-not-decoded' };
    throw error;
  }
}

async function prepare({ size, slices, arrays, hasMasks }: PrepareRequest): Promise<ImageAnswers['prepare']> {
  if (preparer?.size.rows !== size.rows || preparer.size.columns !== size.columns)
    preparer = { size, slices: new SlicePreparer(size, read) };
  const pixelCount = size.rows * size.columns;
  for (const { place, ...work } of slices) {
    const [start, end] = [place * pixelCount, (place + 1) * pixelCount];
    const mask = hasMasks ? arrays.targets.subarray(start, end) : undefined;
    await preparer.slices.prepare(work, arrays.inputs.subarray(start, end), mask);
  }
  return arrays;
}
