// What of a receiver's associations goes to the audit log: each that brought objects or was cut off by us; refusals and bare echoes as
// counts, at most once a minute, so that a flood of connections is no flood of entries.
import type { SourceContext } from '../source-kind.ts';
import type { AssociationReport } from './association.ts';

const countsEveryMs = 60_000;

export class AssociationJournal {
  readonly #record: SourceContext['record'];
  readonly #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(record: SourceContext['record']) {
    this.#record = record;
  }

  add(report: AssociationReport): void {
    const { refusal, fault, objectCount, refusedCount, echoCount, byteCount, callingAe } = report;
    if (objectCount > 0 || refusedCount > 0) {
      // The title is one of the configured ones, never what a stranger sent.
      this.#record({
        action: 'association-ended',
        outcome: fault === null ? 'success' : 'failed',
        reason: fault ?? undefined,
        detail: { callingAe, objectCount, refusedCount, echoCount, byteCount },
      });
      return;
    }
    this.#count(refusal ?? fault ?? 'ECHO');
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#writeCounts();
  }

  #count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    // The first is told at once, what follows is gathered.
    if (this.#timer === undefined) this.#writeCounts();
  }

  #writeCounts(): void {
    if (this.#counts.size === 0) {
      this.#timer = undefined;
      return;
    }
    const counts = Object.fromEntries(this.#counts);
    const isRefusal = Object.keys(counts).some((name) => name !== 'ECHO');
    const action = isRefusal ? 'association-refused' : 'association-ended';
    const outcome = isRefusal ? 'refused' : 'success';
    // What cannot be written now is told with the next.
    if (this.#record({ action, outcome, detail: { counts } })) this.#counts.clear();
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#writeCounts(), countsEveryMs).unref();
  }
}
