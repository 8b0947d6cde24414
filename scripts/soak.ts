// `npm run soak`: the long runs that `npm test` only samples, each with its seed, time and disk need. Usage: npm run soak --
// [--only NAME,...] [--seed SEED] [--list]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

interface SoakRun {
  readonly name: string;
  /** Test file of the project `soak`. */
  readonly file: string;
  readonly what: string;
  /** On two cores, about. */
  readonly minutes: number;
  readonly diskMiB: number;
}

const runs: readonly SoakRun[] = [
  {
    name: 'dicom-fuzz',
    file: 'tests/soak/dicom-fuzz.test.ts',
    what: '10,000 mutated DICOM files, and 10,000 mutated public samples where CONSILIUM_DATA is set',
    minutes: 3,
    diskMiB: 0,
  },
  {
    name: 'record-fuzz',
    file: 'tests/soak/record-fuzz.test.ts',
    what: '5,000 mutated FHIR, CSV, OMOP, C-CDA and HL7 v2 files',
    minutes: 1,
    diskMiB: 0,
  },
  {
    name: 'import-fuzz',
    file: 'tests/soak/import-fuzz.test.ts',
    what: '3,000 mutated files of every format through the whole import, twice',
    minutes: 3,
    diskMiB: 200,
  },
  {
    name: 'many-slices',
    file: 'tests/soak/many-slices.test.ts',
    what: '40,000 slices of 256 x 256 pixels through one epoch, with the memory that it takes',
    minutes: 11,
    diskMiB: 50,
  },
];

const { values } = parseArgs({
  options: { only: { type: 'string' }, seed: { type: 'string' }, list: { type: 'boolean', default: false } },
});
const seed = values.seed ?? 'soak-1';
const wanted = values.only?.split(',');
const unknown = wanted?.filter((name) => !runs.some((run) => run.name === name)) ?? [];
if (unknown.length > 0) {
  console.error(`No such run: ${unknown.join(', ')}. There are: ${runs.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const failed: string[] = [];
for (const { name, file, what, minutes, diskMiB } of runs) {
  if (wanted !== undefined && !wanted.includes(name)) continue;
  console.log(`\n== ${name}: ${what}\n   seed ${seed}, about ${minutes} min, ${diskMiB} MiB of disk`);
  if (values.list) continue;
  const { status } = spawnSync(
    process.execPath,
    [path.join(root, 'scripts/launch.mjs'), 'vitest', 'run', '--project', 'soak', file],
    { stdio: 'inherit', cwd: root, env: { ...process.env, CONSILIUM_SOAK_SEED: seed } },
  );
  if (status !== 0) failed.push(name);
}
if (failed.length > 0)
  console.error(`\nFailed: ${failed.join(', ')}; say which seed when you report it: ${seed}`);
process.exit(failed.length === 0 ? 0 : 1);
