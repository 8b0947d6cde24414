// Preloaded (`node --import`) into the programs of a test: counts what they do to the files of offline bundles, and kills the process
// (SIGKILL) right before the one that CONSILIUM_TEST_KILL_AT numbers. Without a number the count goes to the file CONSILIUM_TEST_COUNT.
import { writeFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env.CONSILIUM_TEST_KILL_AT ?? 0);
const countFile = process.env.CONSILIUM_TEST_COUNT;
let count = 0;

for (const name of ['open', 'rename', 'rm', 'mkdir'] as const) {
  const original = files[name] as (...given: unknown[]) => unknown;
  Object.defineProperty(files, name, {
    configurable: true,
    writable: true,
    value: (...given: unknown[]): unknown => {
      if (String(given[0]).includes('consilium-bundle')) {
        count += 1;
        if (count === killAt) process.kill(process.pid, 'SIGKILL');
      }
      return original(...given);
    },
  });
}
syncBuiltinESMExports();

process.on('exit', () => {
  if (countFile !== undefined) writeFileSync(countFile, String(count));
});
