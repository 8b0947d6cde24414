// The import of many images: jobs of files to the workers, and their rows in the order in which the files were offered, each job in one
// transaction with its outcomes and audit entries. What is in flight is bounded, so that the number of files is not.
import type { FileOutcome } from '../ingest-outcome.ts';
import { ImageCommit, type ImageCommitContext, type ReleasedFile } from './image-commit.ts';
import type { ImagingSettings, JobFile } from './worker-message.ts';
import type { DoneFile, WorkerPool } from './worker-pool.ts';

export interface OfferedImage {
  /** As the caller named it. */
  readonly name: string;
  readonly size: number;
  readonly job: JobFile;
  /** Whether a file lies at this path below the folder of this one. */
  readonly hasNeighbour: (parts: readonly string[]) => boolean;
}

export interface ImageImportOptions {
  readonly commit: ImageCommitContext;
  readonly pool: WorkerPool;
  readonly imaging: ImagingSettings;
}

const filesInJob = 12;
const bytesInJob = 2 * 1_048_576;
const jobsInFlight = 3;
const bytesInFlight = 64 * 1_048_576;
const mostAttempts = 5;

interface StartedJob {
  readonly offered: readonly OfferedImage[];
  readonly byteCount: number;
  readonly done: Promise<readonly DoneFile[]>;
  isDone: boolean;
}

interface WaitingImage {
  readonly offered: OfferedImage;
  readonly resolve: (outcome: FileOutcome) => void;
  readonly reject: (error: unknown) => void;
}

export class ImageImport {
  readonly #options: ImageImportOptions;
  readonly #commit: ImageCommit;
  readonly #waiting: WaitingImage[] = [];
  #runningCount = 0;

  constructor(options: ImageImportOptions) {
    this.#options = options;
    this.#commit = new ImageCommit(options.commit);
  }

  /** Rows that were added, by kind. */
  get added(): Readonly<Record<string, number>> {
    return this.#commit.added;
  }

  /**
   * Imports the files; gives the outcomes of one job after the other. Ends early, and consistent, when its reader does.
   * @throws ObjectStoreError when the disk is full: what was told before is in.
   */
  async *run(files: AsyncIterable<OfferedImage>): AsyncGenerator<readonly FileOutcome[]> {
    const started: StartedJob[] = [];
    let inFlight = 0;
    for await (const offered of inJobs(files)) {
      const byteCount = offered.reduce((total, { size }) => total + size, 0);
      while (started.length >= jobsInFlight || (started.length > 0 && inFlight + byteCount > bytesInFlight)) {
        const jobs = await takeDone(started);
        for (const job of jobs) inFlight -= job.byteCount;
        yield await this.#end(jobs);
      }
      inFlight += byteCount;
      started.push(this.#start(offered, byteCount));
    }
    while (started.length > 0) yield await this.#end(await takeDone(started));
  }

  /** Imports one file; those that come at the same time go together. @throws ObjectStoreError when the disk is full. */
  importOne(offered: OfferedImage): Promise<FileOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ offered, resolve, reject });
      setImmediate(() => this.#startWaiting());
    });
  }

  /** Imports a file out of quarantine; where it is accepted it leaves it. @throws ObjectStoreError. */
  async release(offered: OfferedImage, released: ReleasedFile): Promise<FileOutcome> {
    this.#commit.releasing = released;
    const [outcome] = await this.#end([this.#start([offered], offered.size)]);
    return outcome as FileOutcome;
  }

  #startWaiting(): void {
    if (this.#runningCount >= jobsInFlight || this.#waiting.length === 0) return;
    let byteCount = 0;
    let count = 0;
    for (const { offered } of this.#waiting) {
      if (count >= filesInJob || (count > 0 && byteCount + offered.size > bytesInJob)) break;
      byteCount += offered.size;
      count += 1;
    }
    const job = this.#waiting.splice(0, count);
    this.#runningCount += 1;
    this.#end([
      this.#start(
        job.map(({ offered }) => offered),
        byteCount,
      ),
    ])
      .then(
        (outcomes) => {
          for (const [index, { resolve }] of job.entries()) resolve(outcomes[index] as FileOutcome);
        },
        (error: unknown) => {
          for (const { reject } of job) reject(error);
        },
      )
      .finally(() => {
        this.#runningCount -= 1;
        this.#startWaiting();
      });
  }

  #start(offered: readonly OfferedImage[], byteCount: number): StartedJob {
    const { pool, imaging } = this.#options;
    const done = pool.run({
      files: offered.map(({ job }) => job),
      imaging,
      decide: (prepared) => prepared.map((file) => this.#commit.decide(file)),
    });
    // Awaited in its turn; until then a failure has no one else to tell.
    const job = { offered, byteCount, done, isDone: false };
    done.then(
      () => {
        job.isDone = true;
      },
      () => {},
    );
    return job;
  }

  /** Commits jobs together: a slow disk is waited for once. */
  async #end(jobs: readonly StartedJob[]): Promise<readonly FileOutcome[]> {
    const all = jobs.flatMap(({ offered }) => offered);
    const outcomes: (FileOutcome | undefined)[] = all.map(() => undefined);
    let left = all.map((offered, index) => ({ offered, index }));
    let done = (await Promise.all(jobs.map((job) => job.done))).flat();
    for (let attempt = 1; left.length > 0; attempt += 1) {
      const files = left.map(({ offered: { name, hasNeighbour } }, at) => ({
        name,
        hasNeighbour,
        done: done[at] as DoneFile,
      }));
      const told = this.#commit.write(files, attempt >= mostAttempts);
      for (const [at, outcome] of told.entries()) outcomes[left[at]?.index ?? -1] = outcome;
      left = left.filter((_, at) => told[at] === undefined);
      // Another file, or a merge of patients, came between: these are decided anew.
      if (left.length > 0) {
        const again = this.#start(
          left.map(({ offered }) => offered),
          0,
        );
        done = [...(await again.done)];
      }
    }
    return outcomes as FileOutcome[];
  }
}

/** The first job, when it is done, and those behind it that are done by then. */
async function takeDone(started: StartedJob[]): Promise<StartedJob[]> {
  const jobs = started.splice(0, 1);
  await jobs[0]?.done;
  while (started[0]?.isDone === true) jobs.push(...started.splice(0, 1));
  return jobs;
}

async function* inJobs(files: AsyncIterable<OfferedImage>): AsyncGenerator<readonly OfferedImage[]> {
  let job: OfferedImage[] = [];
  let byteCount = 0;
  for await (const file of files) {
    if (job.length > 0 && (job.length >= filesInJob || byteCount + file.size > bytesInJob)) {
      yield job;
      job = [];
      byteCount = 0;
    }
    job.push(file);
    byteCount += file.size;
  }
  if (job.length > 0) yield job;
}
