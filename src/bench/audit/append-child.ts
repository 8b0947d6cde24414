// Appends to a log, or does one part of what an append does, and reports the rate. Run by the bench as a process of its own:
// append-child.ts entries|groups|sync|rows|sign FOLDER COUNT
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { utf8 } from '#base/bytes.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';
import { benchEvent, benchOrigin, benchSigner, openBenchLog } from './bench-log.ts';

const [what, folder = '', countText] = process.argv.slice(2);
const count = Number(countText);
const groupSize = 100;

/** One transaction for each `size` entries, with a signed checkpoint over each entry. */
function append(size: number): void {
  const { store, auditLog } = openBenchLog(folder);
  const start = beginMeasured();
  for (let done = 0; done < count; done += size) {
    store.transaction(() => {
      for (let index = done; index < done + size; index += 1) {
        auditLog.append(benchEvent(index));
        auditLog.checkpoint();
      }
    });
  }
  reportMeasured(start, { amount: count });
  store.close();
}

/** The disk: 4 KiB at the end of a file, and its flush. */
function sync(): void {
  const file = openSync(path.join(folder, 'raw'), 'w');
  const page = Buffer.alloc(4096, 1);
  const start = beginMeasured();
  for (let index = 0; index < count; index += 1) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  reportMeasured(start, { amount: count });
  closeSync(file);
}

/** The database: commits of one row, encrypted, flushed. */
function rows(): void {
  const { store } = openBenchLog(folder);
  store.prepare('CREATE TABLE bench (number INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT').run();
  const insert = store.prepare('INSERT INTO bench VALUES (?, ?)');
  const line = 'x'.repeat(400);
  const start = beginMeasured();
  for (let index = 0; index < count; index += 1) store.transaction(() => insert.run(index, line));
  reportMeasured(start, { amount: count });
  store.close();
}

function sign(): void {
  const text = utf8(`${benchOrigin}\n1000000\n${'A'.repeat(43)}=\n`);
  const start = beginMeasured();
  for (let index = 0; index < count; index += 1) benchSigner.sign(text);
  reportMeasured(start, { amount: count });
}

const works: Readonly<Record<string, () => void>> = {
  entries: () => append(1),
  groups: () => append(groupSize),
  sync,
  rows,
  sign,
};
works[what ?? '']?.();
