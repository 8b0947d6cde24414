// The report of a de-identification run, written as it goes on: a hundred thousand files are a hundred thousand lines, not memory. It
// gets its name when it is whole.
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

const linesAtOnce = 256;

/** `report.json` of a folder: `{ "files": [ … one line each … ], "summary": … }`. @throws Error of the system. */
export class ReportFile {
  readonly #folder: string;
  readonly #descriptor: number;
  readonly #lines: string[] = [];
  #isFirst = true;

  constructor(folder: string) {
    this.#folder = folder;
    this.#descriptor = openSync(this.#pathOf('.report.json.part'), 'wx', 0o600);
    writeSync(this.#descriptor, '{ "files": [');
  }

  add(entry: object): void {
    this.#lines.push(`${this.#isFirst ? '' : ','}\n${JSON.stringify(entry)}`);
    this.#isFirst = false;
    if (this.#lines.length === linesAtOnce) this.#flush();
  }

  finish(summary: object): void {
    this.#flush();
    writeSync(this.#descriptor, `\n], "summary": ${JSON.stringify(summary)} }\n`);
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
    renameSync(this.#pathOf('.report.json.part'), this.#pathOf('report.json'));
  }

  #flush(): void {
    if (this.#lines.length > 0) writeSync(this.#descriptor, this.#lines.splice(0).join(''));
  }

  #pathOf(name: string): string {
    return path.join(this.#folder, name);
  }
}
