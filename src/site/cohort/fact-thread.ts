// A thread that reads facts of codes beside the site's own: it has the store open, and takes the next code that nobody has taken. The
// site's transaction holds the write lock all the while, so both see one state.
import { workerData } from 'node:worker_threads';
import { openDatabaseReader } from '#base/sqlite-database.ts';
import type { FactColumnData } from './fact-columns.ts';
import { openFactReader } from './fact-reader.ts';
import { counterOf, type FactAnswer, type FactThreadData, mostWaitingBytes } from './fact-threads.ts';

const { file, key, codes, counters, answers } = workerData as FactThreadData;
const store = openDatabaseReader({ file, key });
const read = openFactReader(store);
for (;;) {
  const code = codes[Atomics.add(counters, counterOf.code, 1)];
  if (code === undefined) break;
  send(codes.indexOf(code), read(code).copy());
}
store.close();
answers.close();

function send(number: number, { count, subjectNos, days, numbers, wordIds }: FactColumnData): void {
  const memory = [subjectNos, days, numbers, wordIds].map(({ buffer }) => buffer);
  const byteCount = memory.reduce((sum, { byteLength }) => sum + byteLength, 0);
  for (;;) {
    const waiting = Atomics.load(counters, counterOf.waitingBytes);
    if (waiting === 0 || waiting + byteCount <= mostWaitingBytes) break;
    Atomics.wait(counters, counterOf.waitingBytes, waiting);
  }
  Atomics.add(counters, counterOf.waitingBytes, byteCount);
  const answer: FactAnswer = { number, byteCount, count, subjectNos, days, numbers, wordIds };
  answers.postMessage(answer, memory);
  Atomics.add(counters, counterOf.answer, 1);
  Atomics.notify(counters, counterOf.answer);
}
