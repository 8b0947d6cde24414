// Programs of this repository as they ship: in one bundle, with no types to strip at each start of a process or a thread.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BenchRunError, type MeasuredProgram, outputOf } from './measure-child.ts';

const root = new URL('../../../', import.meta.url);
let bundled: Promise<unknown> | undefined;

/**
 * @param name of an entry of vite.bench.config.ts, which is built once for each run of a bench
 * @throws BenchRunError BENCH_RUN_FAILED when the bundle cannot be built or has no such entry.
 */
export async function bundledProgram(
  label: string,
  name: string,
  words: readonly string[],
): Promise<MeasuredProgram> {
  bundled ??= outputOf(viteBuild);
  await bundled;
  const script = fileURLToPath(new URL(`dist/bench/${name}.js`, root));
  if (!existsSync(script)) throw new BenchRunError('BENCH_RUN_FAILED', `the bundle has no ${name}`);
  return { label, command: process.execPath, words: [script, ...words] };
}

const viteBuild: MeasuredProgram = {
  label: 'the bundle of measured programs',
  command: process.execPath,
  words: [
    fileURLToPath(new URL('node_modules/vite/bin/vite.js', root)),
    'build',
    '--logLevel',
    'warn',
    '--config',
    fileURLToPath(new URL('vite.bench.config.ts', root)),
  ],
};
