// The worker thread of an import: reads, digests, parses, de-identifies and seals the files of its jobs. It holds no database and
// decides nothing; what it seals is durable before it says so.
import { parentPort, workerData } from 'node:worker_threads';
import { BugError, isCodedError } from '#base/coded-error.ts';
import { SegmentWriter } from '#base/segment-writer.ts';
import { createUidMapper } from '#site/deidentify/index.ts';
import { DicomRefusal } from '../dicom/dicom-refusal.ts';
import { JobMemory, readFileBytes } from './file-bytes.ts';
import { type FileWork, fileRefusal, finishFile, prepareFile, type ReadFile } from './prepared-file.ts';
import { WorkWatch } from './work-watch.ts';
import type {
  FileDecision,
  FinishedFile,
  JobFile,
  PreparedFile,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from './worker-message.ts';

if (parentPort === null) throw new BugError('an import worker without a pool');
const port = parentPort;
const { settings, segment, watch: watchBuffer } = workerData as WorkerStart;
const watch = new WorkWatch(watchBuffer);
const tools = {
  settings,
  mapUid: createUidMapper(settings.subjectKey),
  writer: new SegmentWriter(settings.objectFolder, segment),
  memory: Buffer.allocUnsafeSlow(1_048_576),
};

interface OpenJob {
  readonly memory: JobMemory;
  readonly work: FileWork;
  readonly files: readonly (ReadFile | Extract<PreparedFile, { kind: 'refused' | 'directory' }>)[];
}

const open = new Map<number, OpenJob>();
const memories: JobMemory[] = [];

/** One step after the other: the watch sees one file at a time. */
let steps: Promise<void> = Promise.resolve();
port.on('message', (request: WorkerRequest) => {
  steps = steps.then(async () => {
    const reply = request.kind === 'job' ? prepare(request) : await finish(request.jobId, request.decisions);
    port.postMessage(reply);
  });
});

function prepare({ jobId, files, imaging }: Extract<WorkerRequest, { kind: 'job' }>): WorkerReply {
  const work = { ...tools, imaging };
  const memory = memories.pop() ?? new JobMemory();
  const job = files.map((file, index) =>
    prepareOne(file, { memory, work, begin: () => watch.begin(jobId, index) }),
  );
  open.set(jobId, { memory, work, files: job.map(({ read }) => read) });
  return { kind: 'prepared', jobId, files: job.map(({ prepared }) => prepared) };
}

function prepareOne(
  { file, waived }: JobFile,
  {
    memory,
    work,
    begin,
  }: { readonly memory: JobMemory; readonly work: FileWork; readonly begin: () => void },
): { read: OpenJob['files'][number]; prepared: PreparedFile } {
  try {
    const bytes =
      file.kind === 'path'
        ? readFileBytes(file, memory, settings.maxFileBytes)
        : Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength);
    if (bytes.length > settings.maxFileBytes) throw new DicomRefusal('FILE_TOO_LARGE');
    // A slow disk is no fault of the file: the clock runs from here.
    begin();
    const { read, prepared } = prepareFile(bytes, waived, work);
    return { read: prepared.kind === 'directory' ? prepared : read, prepared };
  } catch (error) {
    const refused = { kind: 'refused', ...refusalOf(error) } as const;
    return { read: refused, prepared: refused };
  } finally {
    watch.end();
  }
}

async function finish(jobId: number, decisions: readonly FileDecision[]): Promise<WorkerReply> {
  const job = open.get(jobId);
  if (job === undefined) throw new BugError('a decision about no job');
  open.delete(jobId);
  try {
    const files: FinishedFile[] = [];
    for (const [index, file] of job.files.entries()) {
      if ('kind' in file) {
        files.push(file.kind === 'refused' ? file : { kind: 'skipped' });
        continue;
      }
      watch.begin(jobId, index);
      files.push(await finishOne(file, decisions[index] ?? { kind: 'skip' }, job.work));
    }
    watch.end();
    tools.writer.flush();
    return { kind: 'finished', jobId, files, segment: tools.writer.segment };
  } catch (error) {
    const code = isCodedError(error) ? error.code : 'BUG';
    const found = isCodedError(error) ? String(error.details.found ?? '') : errorName(error);
    return { kind: 'failed', jobId, code, found };
  } finally {
    watch.end();
    job.memory.clear();
    memories.push(job.memory);
  }
}

async function finishOne(file: ReadFile, decision: FileDecision, work: FileWork): Promise<FinishedFile> {
  try {
    return await finishFile(file, decision, work);
  } catch (error) {
    return { kind: 'refused', ...refusalOf(error) };
  }
}

/** @throws the error itself where no file is to blame. */
function refusalOf(error: unknown) {
  const refusal = fileRefusal(error);
  if (refusal === undefined) throw error;
  return refusal;
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
