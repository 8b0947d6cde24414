// Bundles the programs that `consilium bench` measures as the site that ships is bundled: from source, Node would strip the types
// of some hundred files in every thread, in time and memory that no hospital sees.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { siteOutput, siteWorkers } from './vite.site-workers.ts';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  build: {
    ssr: true,
    target: 'node24',
    outDir: fromHere('./dist/bench'),
    emptyOutDir: true,
    rollupOptions: {
      input: {
        'audit-append-child': fromHere('./src/bench/audit/append-child.ts'),
        'audit-log-child': fromHere('./src/bench/audit/log-child.ts'),
        'audit-seal-child': fromHere('./src/bench/audit/seal-child.ts'),
        'audit-tree-child': fromHere('./src/bench/audit/tree-child.ts'),
        'c-store-child': fromHere('./src/bench/ingest/c-store-child.ts'),
        'cohort-child': fromHere('./src/bench/cohort/cohort-child.ts'),
        'deidentify-child': fromHere('./src/bench/ingest/deidentify-child.ts'),
        'parity-child': fromHere('./src/bench/training/parity-child.ts'),
        'private-child': fromHere('./src/bench/privacy/private-child.ts'),
        'training-child': fromHere('./src/bench/training/training-child.ts'),
        'import-child': fromHere('./src/bench/ingest/import-child.ts'),
        ...siteWorkers,
      },
      output: siteOutput,
    },
  },
});
