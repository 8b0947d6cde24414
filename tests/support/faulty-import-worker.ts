// An import worker that does with a file what its first byte says: 1 dies, 2 hangs, 3 dies between two files, 4 has a full disk.
import { parentPort, workerData } from 'node:worker_threads';
import { WorkWatch } from '#site/ingest/imaging/work-watch.ts';
import type { JobFile, WorkerRequest, WorkerStart } from '#site/ingest/imaging/worker-message.ts';

const watch = new WorkWatch((workerData as WorkerStart).watch);
const counts = new Map<number, number>();

parentPort?.on('message', (request: WorkerRequest) => {
  if (request.kind === 'job') {
    const files = request.files.map((file, index) => prepare(request.jobId, index, file));
    counts.set(request.jobId, files.length);
    parentPort?.postMessage({ kind: 'prepared', jobId: request.jobId, files });
    return;
  }
  const { jobId } = request;
  const files = Array.from({ length: counts.get(jobId) ?? 0 }, () => ({ kind: 'skipped' }));
  parentPort?.postMessage({ kind: 'finished', jobId, files, segment: null });
});

function prepare(jobId: number, index: number, { file }: JobFile): object {
  const [deed] = file.kind === 'bytes' ? file.bytes : [0];
  if (deed === 3) process.exit(1);
  watch.begin(jobId, index);
  if (deed === 1) process.exit(1);
  while (deed === 2) Math.sqrt(jobId);
  watch.end();
  if (deed === 4)
    parentPort?.postMessage({ kind: 'failed', jobId, code: 'OBJECT_STORE_FULL', found: 'ENOSPC' });
  return { kind: 'directory', sourceDigest: new Uint8Array(32), references: [] };
}
