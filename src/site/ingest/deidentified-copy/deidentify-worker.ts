// The worker thread of `consilium deidentify`: reads, de-identifies and writes files, one answer for each.
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { BugError } from '#base/coded-error.ts';
import { createUidMapper } from '#site/deidentify/index.ts';
import { DicomRefusal } from '../dicom/dicom-refusal.ts';
import { type DeidentifiedFile, deidentifyFile } from './deidentify-file.ts';
import type { FileResult, WorkerJob, WorkerReply, WorkerStart } from './deidentify-message.ts';

if (parentPort === null) throw new BugError('a worker without its process');
const port = parentPort;
const start = workerData as WorkerStart;
const order = {
  key: start.key,
  mapUid: createUidMapper(start.key),
  profile: { options: new Set(start.options), safePrivate: start.safePrivate },
  writesSuspected: start.writesSuspected,
  memory: Buffer.allocUnsafeSlow(4 * 1_048_576),
};
/** Larger files are no single objects that a model trains on. */
const maxFileBytes = 1024 * 1_048_576;
const madeFolders = new Set<string>();
let memory = Buffer.allocUnsafeSlow(1_048_576);

/** One file after the other: decoding waits, and the memory of a file is the next one's. */
let finished: Promise<void> = Promise.resolve();
port.on('message', (job: WorkerJob) => {
  finished = finished.then(() => work(job));
});

async function work({ files }: WorkerJob): Promise<void> {
  for (const { index, path: file, isGiven } of files) {
    const reply: WorkerReply = { index, result: await processFile(file, isGiven) };
    port.postMessage(reply);
  }
}

async function processFile(file: string, isGiven: boolean): Promise<FileResult> {
  let bytes: Buffer;
  try {
    bytes = readWhole(file, isGiven);
  } catch (error) {
    const code = error instanceof DicomRefusal ? error.code : 'UNREADABLE';
    return { outcome: 'rejected', code, field: null };
  }
  const result = await deidentifyFile(bytes, order);
  return result.outcome === 'ready' ? write(result) : result;
}

/** The file's bytes, in memory that the next file takes over. */
function readWhole(file: string, isGiven: boolean): Buffer {
  const noFollow = isGiven ? 0 : (constants.O_NOFOLLOW ?? 0);
  const descriptor = openSync(file, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new DicomRefusal('NOT_A_FILE');
    if (stat.size > maxFileBytes) throw new DicomRefusal('FILE_TOO_LARGE');
    if (stat.size > memory.length) memory = Buffer.allocUnsafeSlow(stat.size);
    let done = 0;
    for (let count = 1; count > 0 && done < stat.size; done += count)
      count = readSync(descriptor, memory, done, stat.size - done, null);
    return memory.subarray(0, done);
  } finally {
    closeSync(descriptor);
  }
}

function write({ bytes, output, mayShowFace }: DeidentifiedFile): FileResult {
  const target = path.join(start.outFolder, output);
  try {
    const folder = path.dirname(target);
    if (!madeFolders.has(folder)) mkdirSync(folder, { recursive: true });
    madeFolders.add(folder);
    writeFileSync(target, bytes, { flag: 'wx' });
    return { outcome: 'written', output, mayShowFace };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      return compare(target, bytes, output);
    rmSync(target, { force: true });
    return { outcome: 'rejected', code: 'OUTPUT_FAILED', field: null };
  }
}

/** Two files of one SOP instance: the same object twice, or two objects that both claim to be it. The first stays. */
function compare(target: string, bytes: Uint8Array, output: string): FileResult {
  // Another thread may be writing it at this moment.
  if (!readFileSync(target).equals(bytes)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  if (readFileSync(target).equals(bytes)) return { outcome: 'duplicate', output, mayShowFace: false };
  return { outcome: 'rejected', code: 'SAME_INSTANCE_UID', field: 'SOPInstanceUID' };
}
