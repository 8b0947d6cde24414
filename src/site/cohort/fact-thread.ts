// A thread that reads facts of codes beside the one that asked: it has the store open, and takes the next code that nobody has taken.
// Either that one's transaction keeps the store as it is, or all begin at one moment: both see one state.
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { openDatabaseReader } from '#base/sqlite-database.ts';
import type { FactColumnData } from './fact-columns.ts';
import { openFactReader } from './fact-reader.ts';
import {
  counterOf,
  type FactAnswer,
  type FactThreadData,
  memoryOf,
  mostWaitingBytes,
  tooLate,
} from './fact-threads.ts';

const { file, key, waits, codes, counters, answers } = workerData as FactThreadData;
const store = openDatabaseReader({ file, key });
const read = openFactReader(store);
count(counterOf.open);
if (waits) Atomics.wait(counters, counterOf.word, 0);
store.transaction(() => {
  // The first statement fixes the state that the transaction sees.
  store.prepareColumn('SELECT count(*) FROM sqlite_schema').get();
  // Others may have written since the word: what this one sees may be another state.
  if (count(counterOf.begun) >= tooLate) return;
  for (;;) {
    const code = codes[Atomics.add(counters, counterOf.code, 1)];
    if (code === undefined) break;
    const givenBack = receiveMessageOnPort(answers)?.message as FactAnswer | undefined;
    send(codes.indexOf(code), read(code).copy(givenBack));
  }
});
store.close();
answers.close();

/** Gives the count before. */
function count(counter: number): number {
  const before = Atomics.add(counters, counter, 1);
  Atomics.notify(counters, counter);
  return before;
}

function send(number: number, columns: FactColumnData): void {
  const memory = memoryOf(columns);
  const byteCount = memory.reduce((sum, { byteLength }) => sum + byteLength, 0);
  for (;;) {
    const waiting = Atomics.load(counters, counterOf.waitingBytes);
    if (waiting === 0 || waiting + byteCount <= mostWaitingBytes) break;
    Atomics.wait(counters, counterOf.waitingBytes, waiting);
  }
  Atomics.add(counters, counterOf.waitingBytes, byteCount);
  const answer: FactAnswer = { number, byteCount, ...columns };
  answers.postMessage(answer, memory);
  Atomics.add(counters, counterOf.answer, 1);
  Atomics.notify(counters, counterOf.answer);
}
