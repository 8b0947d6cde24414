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
/** Images that are imported in one go, and such groups at a time. */
const filesInGroup = 32;
const bytesInGroup = 6 * 2 ** 20;
const groupsUnderWay = 3;

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
    // What comes until there is room joins the group.
    if (this.#underWay.size >= groupsUnderWay) {
      await Promise.race(this.#underWay);
      return;
    }
    this.#startGroup();
    if (this.#batch === undefined) return inbox.whenChanged(this.#signal);
    await inbox.whenChanged(AbortSignal.any([this.#signal, AbortSignal.timeout(idleMs)]));
    const item = await inbox.take();
    if (item === undefined) await this.#endBatch();
    else await this.#import(item);
  }

  async #import(item: InboxItem): Promise<void> {
    this.#batch ??= this.#options.openArrivals(systemActor);
    const { bytes } = item;
    if (bytes === null || !unorderedKinds.has(item.header.kind)) {
      this.#startGroup();
      await Promise.all(this.#underWay);
      await this.#settle([item], (batch) => batch.importFile(item.header.name, item.read()));
      return;
    }
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
    const batch = this.#batch;
    if (batch === undefined) return;
    try {
      await work(batch);
      for (const item of items) {
        await item.remove();
        this.#count(item);
      }
    } catch {
      // They stay, and are given again when the site opens next: nothing that was acknowledged is lost to a full disk or a bug.
      this.#options.logger.error('entries of the inbox could not be imported', { entryCount: items.length });
    }
  }

  #count({ header: { kind, label } }: InboxItem): void {
    const counted = this.#counts.get(`${kind}\0${label}`) ?? { kind, label, count: 0 };
    this.#counts.set(`${kind}\0${label}`, { ...counted, count: counted.count + 1 });
  }

  async #endBatch(): Promise<void> {
    this.#startGroup();
    await Promise.all(this.#underWay);
    this.#batch?.close();
    this.#batch = undefined;
    for (const { kind, label, count } of this.#counts.values()) this.#options.onImported(kind, label, count);
    this.#counts.clear();
  }
}
