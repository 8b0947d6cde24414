// What Node alone needs for the same bytes. Run by the bench as a process of its own: peer-child.ts PEER FILE
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { openDatabase } from '#base/sqlite-database.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';

const [peer = '', file = '', database = ''] = process.argv.slice(2);
const started = beginMeasured();
reportMeasured(started, { amount: await run() });

async function run(): Promise<number> {
  switch (peer) {
    case 'json-parse':
      return parseJsonLines();
    case 'csv-parse':
      return parseCsv(() => {});
    default:
      return storeCsv();
  }
}

/** Every line as JSON, nothing kept; 10^6 bytes. */
async function parseJsonLines(): Promise<number> {
  let byteCount = 0;
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 1_048_576 })) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      JSON.parse(line);
      byteCount += line.length + 1;
    }
  }
  return byteCount / 1e6;
}

/** Rows read by csv-parse's stream. */
async function parseCsv(take: (cells: readonly string[]) => void): Promise<number> {
  let rowCount = 0;
  const rows = createReadStream(file, { highWaterMark: 1_048_576 }).pipe(parse({ from_line: 2 }));
  for await (const cells of rows) {
    rowCount += 1;
    take(cells as string[]);
  }
  return rowCount;
}

/** The same into an encrypted SQLite table of as many columns. */
async function storeCsv(): Promise<number> {
  const lines = createInterface({ input: createReadStream(file, { end: 65_536 }) });
  let width = 0;
  for await (const line of lines) {
    width = line.split(',').length;
    break;
  }
  const names = Array.from({ length: width }, (_, index) => `c${index}`);
  const schema = `CREATE TABLE measurement (${names.join(', ')})`;
  const connection = openDatabase({ file: database, key: systemRandom(32), migrations: [schema] });
  const insert = connection.prepare(`INSERT INTO measurement VALUES (${names.map(() => '?').join(', ')})`);
  let waiting: (readonly string[])[] = [];
  const flush = (): void =>
    connection.transaction(() => {
      for (const cells of waiting) insert.run(...cells);
      waiting = [];
    });
  const rowCount = await parseCsv((cells) => {
    if (waiting.push(cells) >= 10_000) flush();
  });
  flush();
  connection.close();
  return rowCount;
}
