// Drains the inbox into the ordinary import: each entry is a file, and goes only when its outcome is committed. Messages keep their
// order; images may overtake one another. A full disk stops it only for as long as the disk is full.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '#base/logger.ts';
import { systemActor } from '#site/audit/index.ts';
import type { ArrivalBatch } from '../arrival-batch.ts';
import { isDiskFault } from './disk-fault.ts';
import type { Inbox } from './inbox.ts';
import { DamagedEntry, type InboxItem } from './inbox-queue.ts';
import type { SourceContext } from './source-kind.ts';

export interface InboxImportOptions {
  readonly inbox: Inbox;
  readonly openArrivals: SourceContext['openArrivals'];
  readonly logger: Logger;
  /** Told how many files of a source have their outcome. */
  readonly onImported: (kind: string, label: string, count: number) => void;
  /** How long it waits before it tries again; for tests. */
  readonly retryMs?: number;
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
/** Images that are imported in one go, and such groups at a time. */
const filesInGroup = 32;
const bytesInGroup = 6 * 2 ** 20;
const groupsUnderWay = 2;
/** How long a group waits for more. */
const gatherMs = 200;
const defaultRetryMs = 10_000;

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
  #group: { readonly item: InboxItem; readonly bytes: Uint8Array }[] = [];
  #groupBytes = 0;
  #gatheredSinceMs = 0;
  readonly #counts = new Map<string, { kind: string; label: string; count: number }>();

  constructor(options: InboxImportOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        const item = await this.#options.inbox.take();
        if (item === undefined) await this.#wait();
        else await this.#import(item);
        if ((this.#batch?.count ?? 0) >= filesInBatch) await this.#endBatch();
      } catch {
        // Attack: whoever fills the disk would otherwise end the site's process.
        await this.#pause('the inbox could not be read');
      }
    }
    await this.#endBatch();
  }

  async #pause(message: string): Promise<void> {
    this.#options.logger.error(message, {});
    const retryMs = this.#options.retryMs ?? defaultRetryMs;
    await sleep(retryMs, undefined, { signal: this.#signal }).catch(() => {});
  }

  /** Nothing is there: waits a little with the batch open, then without. */
  async #wait(): Promise<void> {
    const { inbox } = this.#options;
    // What comes until there is room joins the group.
    if (this.#underWay.size >= groupsUnderWay) {
      await Promise.race(this.#underWay);
      return;
    }
    // A sender gives one image after the other: they are gathered for a moment, and cost one transaction together.
    const restMs = gatherMs - (performance.now() - this.#gatheredSinceMs);
    if (this.#group.length > 0 && restMs > 0) {
      await inbox.whenChanged(AbortSignal.any([this.#signal, AbortSignal.timeout(Math.ceil(restMs))]));
      return;
    }
    this.#startGroup();
    if (this.#batch === undefined && this.#underWay.size === 0) return inbox.whenChanged(this.#signal);
    await inbox.whenChanged(AbortSignal.any([this.#signal, AbortSignal.timeout(idleMs)]));
    const item = await inbox.take();
    if (item === undefined) await this.#endBatch();
    else await this.#import(item);
  }

  async #import(item: InboxItem): Promise<void> {
    const { bytes } = item;
    if (bytes === null || !unorderedKinds.has(item.header.kind)) {
      this.#startGroup();
      await Promise.all(this.#underWay);
      await this.#settle([item], (batch) => batch.importFile(item.header.name, item.read()));
      return;
    }
    if (this.#group.length === 0) this.#gatheredSinceMs = performance.now();
    this.#group.push({ item, bytes });
    this.#groupBytes += bytes.length;
    if (this.#group.length < filesInGroup && this.#groupBytes < bytesInGroup) return;
    this.#startGroup();
    while (this.#underWay.size >= groupsUnderWay) await Promise.race(this.#underWay);
  }

  /** What was gathered goes to the import together: one transaction for many. */
  #startGroup(): void {
    const group = this.#group;
    if (group.length === 0) return;
    this.#group = [];
    this.#groupBytes = 0;
    const files = group.map(({ item, bytes }) => ({ name: item.header.name, bytes }));
    const work = this.#settle(
      group.map(({ item }) => item),
      (batch) => batch.importTogether(files),
    ).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #settle(items: readonly InboxItem[], work: (batch: ArrivalBatch) => Promise<unknown>): Promise<void> {
    // What is held in pieces can be read once only.
    const isRepeatable = items.every(({ bytes }) => bytes !== null);
    for (;;) {
      const batch = await this.#openBatch();
      if (batch === undefined) return;
      try {
        await work(batch);
        break;
      } catch (error) {
        // Its outcome is that it is cut off, and another try gives no other.
        if (error instanceof DamagedEntry) break;
        // They stay, and are given again when the site opens next: nothing that was acknowledged is lost to a bug.
        if (!isDiskFault(error) || !isRepeatable) {
          this.#options.logger.error('entries of the inbox could not be imported', {
            entryCount: items.length,
          });
          return;
        }
        await this.#pause('the disk has no room for what waits in the inbox');
        if (this.#signal.aborted) return;
      }
    }
    await this.#remove(items);
  }

  /** Undefined at the end: what has no batch by then stays in the inbox. */
  async #openBatch(): Promise<ArrivalBatch | undefined> {
    while (!this.#signal.aborted || this.#batch !== undefined) {
      try {
        this.#batch ??= this.#options.openArrivals(systemActor);
        return this.#batch;
      } catch {
        await this.#pause('no import could be begun for what waits in the inbox');
      }
    }
    return undefined;
  }

  async #remove(items: readonly InboxItem[]): Promise<void> {
    for (const item of items) {
      this.#count(item);
      try {
        await item.remove();
      } catch {
        // It comes again when the site opens next, and is known then.
        this.#options.logger.error('an entry of the inbox could not be removed', {});
      }
    }
  }

  #count({ header: { kind, label } }: InboxItem): void {
    const counted = this.#counts.get(`${kind}\0${label}`) ?? { kind, label, count: 0 };
    this.#counts.set(`${kind}\0${label}`, { ...counted, count: counted.count + 1 });
  }

  async #endBatch(): Promise<void> {
    this.#startGroup();
    await Promise.all(this.#underWay);
    const batch = this.#batch;
    this.#batch = undefined;
    try {
      batch?.close();
      for (const [source, { kind, label, count }] of this.#counts) {
        this.#options.onImported(kind, label, count);
        this.#counts.delete(source);
      }
    } catch {
      // Every file of it has its outcome; that it ended is told when the site opens next.
      this.#options.logger.error('the end of an import could not be written down', {});
    }
  }
}
