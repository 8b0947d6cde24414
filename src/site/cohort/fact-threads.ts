// Reads the facts of many codes on all cores: other threads take codes beside this one, which waits for them without giving up its
// transaction. What none of them answers in time is read here, so that a thread that ended costs time and nothing else.
import os from 'node:os';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { BugError } from '#base/coded-error.ts';
import { holdWriters, type Store } from '#site/store/index.ts';
import { type Arrangement, openArrangement } from './code-facts.ts';
import type { FactColumnData } from './fact-columns.ts';
import { type FactCode, openFactReader } from './fact-reader.ts';
import { codeKey, type FactJob } from './fact-use.ts';

/** How a thread opens the store. */
export interface StoreDoor {
  readonly file: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface FactThreadData extends StoreDoor {
  readonly codes: readonly FactCode[];
  /** Whether they wait for the word to begin, which says that nobody writes. */
  readonly waits: boolean;
  /** See `counterOf`. Shared. */
  readonly counters: Int32Array;
  readonly answers: MessagePort;
}

export interface FactAnswer extends FactColumnData {
  /** Place of its code. */
  readonly number: number;
  readonly byteCount: number;
}

/** Places of what all threads count together. */
export const counterOf = {
  /** The next code that nobody has taken. */
  code: 0,
  /** Answers that others have sent. */
  answer: 1,
  /** Bytes of answers that wait to be taken. */
  waitingBytes: 2,
  /** Threads that have the store open. */
  open: 3,
  /** 1: begin now. */
  word: 4,
  /** Threads whose state of the store is fixed; from `tooLate` on that state may be another one. */
  begun: 5,
} as const;
const counterCount = 6;
export const tooLate = 1_000;

/** A thread with more in its answers waits until some are taken. */
export const mostWaitingBytes = 24 * 2 ** 20;

/** A thread takes a fifth of a second to start: below this, in subjects times codes, it would come too late. */
const worthThreads = 400_000;
const mostThreads = 3;
/** Of a thread, in MB: rows that it reads are gone at once, and each generation of them would be kept in memory twice. */
const youngGeneration = 8;
/** A code of a million facts is read in a second. */
const answerTimeoutMs = 60_000;
/** A thread that is not there by then is not waited for, and reads nothing. */
const startTimeoutMs = 2_000;
/** Others cannot write meanwhile. */
const beginTimeoutMs = 100;

export function memoryOf({ subjectNos, days, numbers, wordIds }: FactColumnData): ArrayBuffer[] {
  return [subjectNos, days, numbers, wordIds].map(({ buffer }) => buffer);
}

export interface FactThreadsOptions {
  readonly store: Store;
  /** undefined: this thread reads alone. */
  readonly door: StoreDoor | undefined;
  readonly codes: readonly FactCode[];
  readonly subjectCount: number;
  /**
   * Whether they wait for `readOneState`: where this thread reads only, and nobody keeps the store as it is. Else the caller's
   * transaction does, which keeps others from writing.
   */
  readonly waits: boolean;
}

export class FactThreads {
  readonly #codes: readonly FactCode[];
  readonly #counters = new Int32Array(new SharedArrayBuffer(4 * counterCount));
  readonly #door: StoreDoor | undefined;
  readonly #read: (code: FactCode) => FactColumnData;
  #threads: { readonly worker: Worker; readonly answers: MessagePort }[] = [];
  #answerCount = 0;
  readonly #store: Store;

  /** Other threads begin at once. */
  constructor({ store, door, codes, subjectCount, waits }: FactThreadsOptions) {
    this.#codes = codes;
    this.#door = door;
    this.#store = store;
    this.#read = openFactReader(store);
    if (door === undefined || subjectCount * codes.length < worthThreads) return;
    const count = Math.min(mostThreads, os.availableParallelism() - 1);
    this.#threads = Array.from({ length: count }, () => this.#start(door, waits));
  }

  /**
   * Runs `work` in a transaction of a reader that sees the store as the other threads do: nobody writes in the milliseconds in which all
   * of them begin. Where somebody writes for longer than that, this thread reads alone.
   */
  readOneState<T>(work: () => T): T {
    this.#await(counterOf.open, startTimeoutMs);
    let result: { readonly value: T } | undefined;
    const begin = () => {
      // The first statement fixes the state that the transaction sees.
      this.#store.prepareColumn('SELECT count(*) FROM sqlite_schema').get();
      Atomics.store(this.#counters, counterOf.word, 1);
      Atomics.notify(this.#counters, counterOf.word);
      this.#await(counterOf.begun, beginTimeoutMs);
      Atomics.add(this.#counters, counterOf.begun, tooLate);
    };
    this.#store.transaction(() => {
      const hasOthers = this.#door !== undefined && this.#threads.length > 0;
      if (!hasOthers || !holdWriters(this.#door, begin)) {
        this.close();
        begin();
      }
      result = { value: work() };
    });
    if (result === undefined) throw new BugError('a transaction without its work');
    return result.value;
  }

  /** Until all threads have counted, or the time is over. */
  #await(counter: number, timeoutMs: number): void {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const count = Atomics.load(this.#counters, counter);
      const leftMs = until - performance.now();
      if (count >= this.#threads.length || leftMs <= 0) return;
      Atomics.wait(this.#counters, counter, count, leftMs);
    }
  }

  /** Codes that other threads have read so far. */
  get answerCount(): number {
    return this.#answerCount;
  }

  /** Gives each job the facts of its code. */
  read(jobs: ReadonlyMap<string, FactJob>, arrangement: Omit<Arrangement, 'windowDays'>): void {
    const isTaken = this.#codes.map(() => false);
    const arrange = openArrangement();
    const take = (number: number, columns: FactColumnData) => {
      const code = this.#codes[number];
      if (code === undefined || isTaken[number] === true) return;
      isTaken[number] = true;
      const job = jobs.get(codeKey(code));
      job?.take(arrange(columns, { ...arrangement, windowDays: job.windowDays }));
    };
    const receive = () => {
      for (const { answer, giveBack } of this.#receive()) {
        take(answer.number, answer);
        giveBack();
      }
    };
    for (let number = this.#next(); number < this.#codes.length; number = this.#next()) {
      const code = this.#codes[number];
      if (code !== undefined) take(number, this.#read(code));
      receive();
    }
    while (isTaken.includes(false)) {
      const answered = Atomics.load(this.#counters, counterOf.answer);
      receive();
      if (!isTaken.includes(false)) break;
      if (Atomics.wait(this.#counters, counterOf.answer, answered, answerTimeoutMs) !== 'timed-out') continue;
      for (const [number, code] of this.#codes.entries())
        if (isTaken[number] === false) take(number, this.#read(code));
    }
  }

  #next(): number {
    return Atomics.add(this.#counters, counterOf.code, 1);
  }

  *#receive(): Generator<{ readonly answer: FactAnswer; giveBack(): void }> {
    for (const { answers } of this.#threads) {
      for (let found = receiveMessageOnPort(answers); found !== undefined; ) {
        const answer = found.message as FactAnswer;
        Atomics.sub(this.#counters, counterOf.waitingBytes, answer.byteCount);
        Atomics.notify(this.#counters, counterOf.waitingBytes);
        this.#answerCount += 1;
        // Left to be collected, the columns of several codes would lie in memory at once.
        yield { answer, giveBack: () => answers.postMessage(answer, memoryOf(answer)) };
        found = receiveMessageOnPort(answers);
      }
    }
  }

  #start({ file, key }: StoreDoor, waits: boolean) {
    // Beside this file in the source as in a bundle.
    const name = import.meta.url.endsWith('.ts') ? './fact-thread.ts' : './fact-thread.js';
    const { port1: answers, port2 } = new MessageChannel();
    const data: FactThreadData = {
      file,
      key,
      waits,
      codes: this.#codes,
      counters: this.#counters,
      answers: port2,
    };
    const worker = new Worker(new URL(name, import.meta.url), {
      workerData: data,
      transferList: [port2],
      env: environment(),
      resourceLimits: { maxYoungGenerationSizeMb: youngGeneration },
      execArgv: [],
    });
    // Its codes are read here instead; the message could hold a path.
    worker.on('error', () => undefined);
    worker.unref();
    answers.unref();
    return { worker, answers };
  }

  /** Ends the threads, whatever they are at. */
  close(): void {
    for (const { worker, answers } of this.#threads) {
      answers.close();
      void worker.terminate();
    }
    this.#threads = [];
  }
}

/** Nothing but where compiled code is kept, where it is: a thread then starts in a third of the time. */
function environment(): Record<string, string> {
  const cache = process.env.NODE_COMPILE_CACHE;
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
}
