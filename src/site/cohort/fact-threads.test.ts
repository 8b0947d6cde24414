import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { ConsentDecisions } from '#site/consent/index.ts';
import { openStore, openStoreReader, type Store } from '#site/store/index.ts';
import { addFact } from '#support/stored-subjects.ts';
import type { CodeFacts } from './code-facts.ts';
import { readCohortSubjects } from './cohort-subjects.ts';
import { openWords } from './fact-reader.ts';
import { FactThreads } from './fact-threads.ts';
import { codeKey, type FactJob } from './fact-use.ts';

const profile = mkdtempSync(path.join(tmpdir(), 'consilium-threads-'));
const door = { file: path.join(profile, 'site.db'), key: new Uint8Array(32).fill(5) };
const codes = Array.from({ length: 40 }, (_, index) => ({ system: 'http://loinc.org', code: `c-${index}` }));
/** So many that threads are worth it, whoever they are. */
const subjectCount = 10_000;
let store: Store;

beforeAll(() => {
  store = openStore({ ...door, clock: systemClock });
  store.transaction(() => {
    for (let index = 0; index < 20; index += 1) {
      store.run(
        store.query
          .insertInto('subject')
          .values({ subject_id: `s${index}`, sex: null, added_at: '2026-11-01T00:00:00.000Z' }),
      );
      for (const [number, code] of codes.entries())
        addFact(store, `s${index}`, { code, number: number * index, unit: 'mg/dL', day: 100 + index });
    }
  });
});
afterAll(() => {
  store.close();
  rmSync(profile, { recursive: true });
});

/** The sum of each code's facts, and how many codes others read while this thread was slow. */
function sums(from: typeof door | undefined): { found: number[]; answerCount: number } {
  const found = codes.map(() => Number.NaN);
  const threads = new FactThreads({ store, door: from, codes, subjectCount, waits: false });
  const jobs = new Map<string, FactJob>(
    codes.map((code, number) => [
      codeKey(code),
      {
        windowDays: null,
        take: ({ numbers }: CodeFacts) => {
          // Taken once: a second time would not be NaN any more.
          found[number] = Number.isNaN(found[number]) ? numbers.reduce((sum, one) => sum + one, 0) : -1;
          // So that another thread comes to it, however long it takes to start.
          if (from !== undefined && threads.answerCount === 0) Atomics.wait(pause, 0, 0, 30);
        },
      },
    ]),
  );
  const subjects = readCohortSubjects(store, new ConsentDecisions(0));
  const rows = Int32Array.from(subjects.standingNos, (standingNo) => standingNo - 1);
  const index = { rows, days: new Int32Array(20) };
  try {
    store.transaction(() => threads.read(jobs, { subjects, index, word: openWords(store) }));
  } finally {
    threads.close();
  }
  return { found, answerCount: threads.answerCount };
}

const pause = new Int32Array(new SharedArrayBuffer(4));

describe('facts that several threads read', () => {
  const expected = codes.map((_, number) => number * 190);

  it('are those that one thread reads, each code once', () => {
    expect(sums(undefined)).toEqual({ found: expected, answerCount: 0 });
    const shared = sums(door);
    expect(shared.found).toEqual(expected);
    expect(shared.answerCount).toBeGreaterThan(0);
  });

  it('are read here where no thread can open the store', () => {
    const alone = { found: expected, answerCount: 0 };
    expect(sums({ ...door, key: new Uint8Array(32) })).toEqual(alone);
    expect(sums({ ...door, file: path.join(profile, 'nothing-here.db') })).toEqual(alone);
  });
});

describe('facts that threads read beside a reader', () => {
  it('are of the one state in which all of them began, whatever is written meanwhile', () => {
    const reader = openStoreReader({ ...door, clock: systemClock });
    const threads = new FactThreads({ store: reader, door, codes, subjectCount, waits: true });
    const added = (number: number) =>
      store.transaction(() => {
        for (const code of codes)
          addFact(store, 's1', { code, number: 1e6, unit: 'mg/dL', day: 500 + number });
      });
    let counts: number[] = [];
    try {
      threads.readOneState(() => {
        added(1);
        counts = countFacts(reader, threads, () => added(2));
      });
      expect(counts).toEqual(codes.map(() => 20));
      expect(threads.answerCount).toBeGreaterThan(0);
      // Of another moment, there are more.
      const later = new FactThreads({ store: reader, door: undefined, codes, subjectCount, waits: true });
      later.readOneState(() => {
        counts = countFacts(reader, later, () => undefined);
      });
      expect(Math.min(...counts)).toBeGreaterThan(20);
    } finally {
      threads.close();
      reader.close();
    }
  });
});

describe('facts that are read while somebody writes for long', () => {
  it('are read by one thread alone, in one state', () => {
    const reader = openStoreReader({ ...door, clock: systemClock });
    const threads = new FactThreads({ store: reader, door, codes, subjectCount, waits: true });
    try {
      const counts = store.transaction(() => {
        for (const code of codes) addFact(store, 's2', { code, number: 1e6, unit: 'mg/dL', day: 900 });
        let found: number[] = [];
        threads.readOneState(() => {
          found = countFacts(reader, threads, () => undefined);
        });
        return found;
      });
      expect(counts).toEqual(codes.map(() => counts[0]));
      expect(threads.answerCount).toBe(0);
    } finally {
      threads.close();
      reader.close();
    }
  });
});

/** How many facts of each code there are; `between` is called after each of the first ones. */
function countFacts(from: Store, threads: FactThreads, between: () => void): number[] {
  const counts = codes.map(() => 0);
  let taken = 0;
  const jobs = new Map<string, FactJob>(
    codes.map((code, number) => [
      codeKey(code),
      {
        windowDays: null,
        take: ({ numbers }: CodeFacts) => {
          counts[number] = numbers.length;
          taken += 1;
          if (taken <= 3) between();
          Atomics.wait(pause, 0, 0, 10);
        },
      },
    ]),
  );
  const subjects = readCohortSubjects(from, new ConsentDecisions(0));
  const rows = Int32Array.from(subjects.standingNos, (standingNo) => standingNo - 1);
  const index = { rows, days: new Int32Array(20) };
  threads.read(jobs, { subjects, index, word: openWords(from) });
  return counts;
}
