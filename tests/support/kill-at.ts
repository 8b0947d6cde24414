// Preloaded (`node --import`) into the programs of a test: counts what they do to the files of offline bundles, and kills the process
// (SIGKILL) right before the one that CONSILIUM_TEST_KILL_AT numbers. Without a number the count goes to the file CONSILIUM_TEST_COUNT.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env.CONSILIUM_TEST_KILL_AT ?? 0);
const countFile = process.env.CONSILIUM_TEST_COUNT;
let count = 0;

for (const name of ['openSync', 'renameSync', 'rmSync', 'mkdirSync'] as const) {
  const original = fs[name] as (...given: unknown[]) => unknown;
  Object.defineProperty(fs, name, {
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
  if (countFile !== undefined) fs.writeFileSync(countFile, String(count));
});
