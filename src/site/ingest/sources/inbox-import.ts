// Drains the inbox into the ordinary import: each entry is a file, and goes only when its outcome is committed. Messages keep their
// order; images may overtake one another.
import type { Logger } from '#base/logger.ts';
import { systemActor } from '#site/audit/index.ts';
import type { ArrivalBatch } from '../arrival-batch.ts';
import type { Inbox } from './inbox.ts';
import type { InboxItem } from './inbox-queue.ts';
import type { SourceContext } from './source-kind.ts';

export interface InboxImportOptions {
  readonly inbox: Inbox;
  readonly openArrivals: SourceContext['openArrivals'];
  readonly logger: Logger;
  /** Told how many files of a source have their outcome. */
  readonly onImported: (kind: string, label: string, count: number) => void;
}

export interface InboxImport {
  /** Ends after the files under way; the rest stays in the inbox. */
  close(): Promise<void>;
}

/** A batch ends after so many files, or when nothing comes for a while. */
const filesInBatch = 1_000;
const idleMs = 2_000;
/** Kinds whose entries do not depend on each other. */
const unorderedKinds: ReadonlySet<string> = new Set(['dicom-receiver']);
const filesUnderWay = 64;

export function openInboxImport(options: InboxImportOptions): InboxImport {
  const stop = new AbortController();
  const running = new InboxDrain(options, stop.signal).run();
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

class InboxDrain {
  readonly #options: InboxImportOptions;
  readonly #signal: AbortSignal;
  #batch: ArrivalBatch | undefined;
  readonly #underWay = new Set<Promise<void>>();
  readonly #counts = new Map<string, { kind: string; label: string; count: number }>();

  constructor(options: InboxImportOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { inbox } = this.#options;
    while (!this.#signal.aborted) {
      const item = await inbox.take();
      if (item === undefined) await this.#wait();
      else await this.#import(item);
      if ((this.#batch?.count ?? 0) >= filesInBatch) await this.#endBatch();
    }
    await this.#endBatch();
  }

  /** Nothing is there: waits a little with the batch open, then without. */
  async #wait(): Promise<void> {
    const { inbox } = this.#options;
    if (this.#batch === undefined) return inbox.whenChanged(this.#signal);
    await Promise.all(this.#underWay);
    await inbox.whenChanged(AbortSignal.any([this.#signal, AbortSignal.timeout(idleMs)]));
    const item = await inbox.take();
    if (item === undefined) await this.#endBatch();
    else await this.#import(item);
  }

  async #import(item: InboxItem): Promise<void> {
    const isUnordered = unorderedKinds.has(item.header.kind);
    if (!isUnordered) await Promise.all(this.#underWay);
    while (this.#underWay.size >= filesUnderWay) await Promise.race(this.#underWay);
    const work = this.#importOne(item).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
    if (!isUnordered) await work;
  }

  async #importOne(item: InboxItem): Promise<void> {
    const { kind, label, name } = item.header;
    this.#batch ??= this.#options.openArrivals(systemActor);
    try {
      await this.#batch.importFile(name, item.read());
      await item.remove();
      const counted = this.#counts.get(`${kind}\0${label}`) ?? { kind, label, count: 0 };
      this.#counts.set(`${kind}\0${label}`, { ...counted, count: counted.count + 1 });
    } catch {
      // It stays, and is given again when the site opens next: nothing that was acknowledged is lost to a full disk or a bug.
      this.#options.logger.error('an entry of the inbox could not be imported', { kind });
    }
  }

  async #endBatch(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#batch?.close();
    this.#batch = undefined;
    for (const { kind, label, count } of this.#counts.values()) this.#options.onImported(kind, label, count);
    this.#counts.clear();
  }
}
