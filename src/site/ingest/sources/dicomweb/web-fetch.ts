// One run of a DICOMweb source: what the site does not have yet is fetched, by whole imaging series where all of one is new, and
// imported as it arrives. An object counts as known only when its outcome is committed, so a run that was killed goes on where it was.
import type { ArrivalBatch } from '../../arrival-batch.ts';
import type { BatchPace } from '../../import-pace.ts';
import type { FileOutcome, IngestEvent } from '../../ingest-outcome.ts';
import type { RunContext } from '../source-kind.ts';
import { DicomwebError } from './dicomweb-error.ts';
import type { DicomwebSettings } from './dicomweb-settings.ts';
import { describeFailure, type WebConnection } from './web-connection.ts';
import { findImagingStudies, findSopInstances } from './web-query.ts';
import { type RetrievedObject, retrieveObjects } from './web-retrieve.ts';

/** Objects up to this size are held and imported beside the next; larger ones as they stream. */
const heldBytes = 8 * 2 ** 20;
const importsUnderWay = 8;
/** Outcomes after which the object is asked for again: it did not come. */
const passingCodes: ReadonlySet<string | null> = new Set(['IMPORT_CANCELLED', 'UNREADABLE']);

/** So many objects in a row that the server does not give: it is the server, not the objects. */
const mostMissedInRow = 20;
const endsRun: ReadonlySet<string> = new Set([
  'DICOMWEB_NOT_ALLOWED',
  'DICOMWEB_REDIRECTED',
  'DICOMWEB_TLS_REFUSED',
]);

export interface WebFetchOptions {
  readonly context: RunContext;
  readonly settings: DicomwebSettings;
  readonly connection: WebConnection;
  readonly batch: ArrivalBatch;
}

export class WebFetch {
  readonly #options: WebFetchOptions;
  readonly #underWay = new Set<Promise<void>>();
  #events: IngestEvent[] = [];
  readonly #startedMs = performance.now();
  #foundCount = 0;
  #doneCount = 0;
  #byteCount = 0;
  #missedInRow = 0;
  #failure: unknown;

  constructor(options: WebFetchOptions) {
    this.#options = options;
  }

  /** Events of every object; the summary is the caller's. @throws DicomwebError; Error when the signal ends it. */
  async *run(): AsyncGenerator<IngestEvent> {
    const { connection, settings, context } = this.#options;
    try {
      for await (const imagingStudyUid of findImagingStudies(connection, settings)) {
        const fresh = new Map<string, Set<string>>();
        const partlyKnown = new Set<string>();
        for await (const { imagingSeriesUid, sopInstanceUid } of findSopInstances(
          connection,
          imagingStudyUid,
          settings.pageSize,
        )) {
          if (context.memory.isKnown(sopInstanceUid)) partlyKnown.add(imagingSeriesUid);
          else fresh.set(imagingSeriesUid, (fresh.get(imagingSeriesUid) ?? new Set()).add(sopInstanceUid));
        }
        for (const [imagingSeriesUid, wanted] of fresh) {
          this.#foundCount += wanted.size;
          const path = `/studies/${imagingStudyUid}/series/${imagingSeriesUid}`;
          if (!partlyKnown.has(imagingSeriesUid)) yield* this.#fetchTogether(path, wanted);
          for (const sopInstanceUid of wanted) yield* this.#fetchOne(`${path}/instances/`, sopInstanceUid);
        }
      }
    } finally {
      await Promise.all(this.#underWay);
    }
    yield* this.#takeEvents();
  }

  /** A whole imaging series in one answer; what did not come of it stays in `wanted`. */
  async *#fetchTogether(path: string, wanted: Set<string>): AsyncGenerator<IngestEvent> {
    const { connection, settings } = this.#options;
    try {
      for await (const object of retrieveObjects(connection, path, settings.maxObjectBytes)) {
        const uid = object.sopInstanceUid;
        // Nothing that was not asked for: an answer with strange objects is not followed for ever.
        if (uid === null || !wanted.delete(uid)) throw strangeObject();
        await this.#import(uid, object);
        yield* this.#takeEvents();
      }
    } catch (error) {
      this.#throwUnlessOfObject(error, false);
    }
  }

  async *#fetchOne(path: string, sopInstanceUid: string): AsyncGenerator<IngestEvent> {
    const { connection, settings, batch } = this.#options;
    try {
      await connection.retry(async () => {
        let hasCome = false;
        for await (const object of retrieveObjects(
          connection,
          `${path}${sopInstanceUid}`,
          settings.maxObjectBytes,
        )) {
          if (hasCome || (object.sopInstanceUid !== null && object.sopInstanceUid !== sopInstanceUid))
            throw strangeObject();
          hasCome = true;
          await this.#import(sopInstanceUid, object);
        }
        if (!hasCome) throw new DicomwebError('DICOMWEB_BAD_ANSWER', 'The server sent no object.');
      });
      this.#missedInRow = 0;
    } catch (error) {
      this.#throwUnlessOfObject(error, true);
      // Told in its outcome, and asked for again by the next run.
      this.#end(sopInstanceUid, batch.missFile(`${sopInstanceUid}.dcm`));
    }
    yield* this.#takeEvents();
  }

  /** Holds a small object until it is whole, then imports it while the next one comes. */
  async #import(uid: string, { bytes }: RetrievedObject): Promise<void> {
    const chunks = bytes[Symbol.asyncIterator]();
    const held: Buffer[] = [];
    let byteCount = 0;
    let isWhole = false;
    while (!isWhole && byteCount <= heldBytes) {
      const { done, value } = await chunks.next();
      isWhole = done === true;
      if (done !== true) {
        held.push(value);
        byteCount += value.length;
        this.#byteCount += value.length;
      }
    }
    if (isWhole) {
      const work = this.#importHeld(uid, held).finally(() => this.#underWay.delete(work));
      this.#underWay.add(work);
    } else {
      const rest = (async function* () {
        yield* held;
        for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
      })();
      this.#end(uid, await this.#options.batch.importFile(`${uid}.dcm`, rest));
    }
    while (this.#underWay.size >= importsUnderWay) await Promise.race(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #importHeld(uid: string, held: readonly Buffer[]): Promise<void> {
    const bytes = (async function* () {
      yield* held;
    })();
    try {
      this.#end(uid, await this.#options.batch.importFile(`${uid}.dcm`, bytes));
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #end(uid: string, outcome: FileOutcome): void {
    this.#doneCount += 1;
    if (!passingCodes.has(outcome.code)) this.#options.context.memory.add(uid);
    this.#events.push({ kind: 'file', file: outcome });
  }

  *#takeEvents(): Generator<IngestEvent> {
    const events = this.#events;
    this.#events = [];
    yield* events;
    if (events.length === 0) return;
    yield {
      kind: 'progress',
      path: this.#options.context.label,
      fileIndex: this.#doneCount,
      fileCount: this.#foundCount,
      bytesRead: this.#byteCount,
      bytesTotal: this.#byteCount,
      rowCount: this.#doneCount,
      ...this.#pace(),
    };
  }

  /** By objects of the imaging studies that were listed so far: how large what is still to come is, the server does not say. */
  #pace(): BatchPace {
    const elapsedMs = Math.round(performance.now() - this.#startedMs);
    const seconds = Math.max(1, elapsedMs) / 1_000;
    const left = this.#foundCount - this.#doneCount;
    return {
      bytesDone: this.#byteCount,
      bytesOffered: this.#byteCount,
      elapsedMs,
      remainingMs: elapsedMs < 1_000 ? null : Math.round((elapsedMs * left) / this.#doneCount),
      rowsPerSecond: Math.round(this.#doneCount / seconds),
      bytesPerSecond: Math.round(this.#byteCount / seconds),
    };
  }

  /** A conflict, a size or a break of one answer is no end of the run; refused credentials, a lost server, a full disk, a cancel are. */
  #throwUnlessOfObject(error: unknown, isLastTry: boolean): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#options.context.signal.throwIfAborted();
    const failure = describeFailure(error).error;
    if (!(failure instanceof DicomwebError) || endsRun.has(failure.code)) throw failure;
    if (!isLastTry) return;
    this.#missedInRow += 1;
    if (failure.code === 'DICOMWEB_UNAVAILABLE' || this.#missedInRow >= mostMissedInRow) throw failure;
  }
}

function strangeObject(): DicomwebError {
  return new DicomwebError('DICOMWEB_BAD_ANSWER', 'The server sent an object that was not asked for.');
}
