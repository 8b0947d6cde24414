// `consilium deidentify`: every DICOM object below the given paths, de-identified, into a folder of its own; an outcome for each file.
import { mkdirSync, readdirSync } from 'node:fs';
import os from 'node:os';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { type DicomProfile, defaultDicomProfile } from '#site/deidentify/index.ts';
import { listFiles } from '../file-walk.ts';
import { DeidentifyFolderError } from './deidentify-folder-error.ts';
import type { FileResult } from './deidentify-message.ts';
import { deidentifyInPool } from './deidentify-pool.ts';
import { ReportFile } from './report-file.ts';

export interface DeidentifyOrder {
  readonly paths: readonly string[];
  /** Made, or there and empty. */
  readonly outFolder: string;
  /** 32 bytes; null: a fresh one that nobody keeps, so that nothing can ever be linked to a later run. */
  readonly key: Uint8Array | null;
  readonly profile?: DicomProfile;
  readonly writesSuspected: boolean;
  /** Default: one for each core, two at most. */
  readonly workerCount?: number;
}

export type FileReport = { readonly path: string } & FileResult;

export interface DeidentifySummary {
  readonly files: number;
  readonly written: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly rejected: number;
  readonly skipped: number;
  /** Of the written ones: heads that a face could be made from. */
  readonly facesPossible: number;
  /** Files by code, for what was not written. */
  readonly codes: Readonly<Record<string, number>>;
}

export type DeidentifyEvent =
  | { readonly kind: 'file'; readonly file: FileReport; readonly done: number; readonly offered: number }
  | { readonly kind: 'summary'; readonly summary: DeidentifySummary };

/**
 * De-identifies; one event for each file and a summary at the end. The output folder gets `report.json` at the end, without a path of
 * the input: names of folders are names of patients. A folder without it is incomplete.
 * @throws DeidentifyFolderError OUTPUT_NOT_EMPTY, OUTPUT_UNAVAILABLE
 */
export async function* deidentifyFolder(order: DeidentifyOrder): AsyncGenerator<DeidentifyEvent> {
  const { profile = defaultDicomProfile, outFolder, paths } = order;
  makeEmptyFolder(outFolder);
  const found = await listFiles(paths);
  const counts = new OutcomeCounts(found.length);
  const report = openReport(outFolder);
  const account = (index: number, result: FileResult): DeidentifyEvent => {
    counts.add(result);
    report.add({ file: index + 1, ...result });
    const file = { path: found[index]?.path ?? '', ...result };
    return { kind: 'file', file, done: counts.done, offered: found.length };
  };
  for (const [index, { trouble }] of found.entries())
    if (trouble !== null) yield account(index, { outcome: 'rejected', code: trouble, field: null });
  const files = found.flatMap((file, index) =>
    file.trouble === null ? [{ index, path: file.path, isGiven: paths.includes(file.path) }] : [],
  );
  const start = {
    key: order.key ?? systemRandom(32),
    outFolder,
    options: [...profile.options],
    safePrivate: profile.safePrivate,
    writesSuspected: order.writesSuspected,
  };
  const workerCount = order.workerCount ?? Math.min(2, os.availableParallelism());
  for await (const { index, result } of deidentifyInPool(files, { start, workerCount }))
    yield account(index, result);
  const summary = counts.summary();
  report.finish(summary);
  yield { kind: 'summary', summary };
}

/** An output folder with something in it could mix two runs, or lose a file to another. */
function makeEmptyFolder(folder: string): void {
  let entries: string[];
  try {
    mkdirSync(folder, { recursive: true });
    entries = readdirSync(folder);
  } catch {
    throw new DeidentifyFolderError('OUTPUT_UNAVAILABLE', 'The output folder cannot be made or read.');
  }
  if (entries.length > 0)
    throw new DeidentifyFolderError('OUTPUT_NOT_EMPTY', 'The output folder is not empty.');
}

function openReport(folder: string): ReportFile {
  try {
    return new ReportFile(folder);
  } catch {
    throw new DeidentifyFolderError('OUTPUT_UNAVAILABLE', 'The output folder cannot be written to.');
  }
}

class OutcomeCounts {
  readonly #offered: number;
  readonly #byOutcome = { written: 0, duplicate: 0, quarantined: 0, rejected: 0, skipped: 0 };
  readonly #codes: Record<string, number> = {};
  #facesPossible = 0;
  done = 0;

  constructor(offered: number) {
    this.#offered = offered;
  }

  add(result: FileResult): void {
    this.done += 1;
    this.#byOutcome[result.outcome] += 1;
    if ('code' in result) this.#codes[result.code] = (this.#codes[result.code] ?? 0) + 1;
    else if (result.mayShowFace) this.#facesPossible += 1;
  }

  summary(): DeidentifySummary {
    return {
      files: this.#offered,
      ...this.#byOutcome,
      facesPossible: this.#facesPossible,
      codes: this.#codes,
    };
  }
}
