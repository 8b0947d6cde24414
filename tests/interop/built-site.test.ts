// The bundle that `npm run build` made. What a chunk starts as a thread must lie where that chunk looks for it: a thread that is not
// found is one that never helps, or a whole way in that is closed.
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = path.resolve('dist/main');
const isBuilt = existsSync(folder);
if (!isBuilt) process.stderr.write('The built site is not tested: npm run build has made none\n');

describe.skipIf(!isBuilt)('the built site', () => {
  it('finds the code of each of its threads', () => {
    const started = globSync(path.join(folder, '**/*.js')).flatMap((file) => {
      const code = readFileSync(file, 'utf8');
      const names = [...code.matchAll(/["'](\.\/[a-z-]+-(?:worker|thread)\.js)["']/g)].map(
        ([, name]) => name ?? '',
      );
      return code.includes('new Worker(') ? names.map((name) => path.resolve(path.dirname(file), name)) : [];
    });
    expect(started.map((file) => path.basename(file)).sort()).toEqual([
      'analysis-thread.js',
      'deidentify-worker.js',
      'fact-thread.js',
      'import-worker.js',
      'noise-thread.js',
      'reading-worker.js',
    ]);
    for (const file of started) expect(existsSync(file), file).toBe(true);
  });
});
