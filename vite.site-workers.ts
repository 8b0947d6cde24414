// The threads of a site: an entry of its own for each, in every bundle.
import { fileURLToPath } from 'node:url';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const siteWorkers = {
  'analysis-thread': fromHere('./src/site/analysis-thread.ts'),
  'decode-worker': fromHere('./src/site/ingest/dicom/decode-worker.ts'),
  'deidentify-worker': fromHere('./src/site/ingest/deidentified-copy/deidentify-worker.ts'),
  'image-thread': fromHere('./src/site/imaging/image-thread.ts'),
  'import-worker': fromHere('./src/site/ingest/imaging/import-worker.ts'),
  'fact-thread': fromHere('./src/site/cohort/fact-thread.ts'),
  'noise-thread': fromHere('./src/site/training/private/noise-thread.ts'),
  'reading-worker': fromHere('./src/site/ingest/reading-worker.ts'),
};

/** A thread's code is looked for beside the chunk that starts it, so that chunks lie beside entries. */
export const siteOutput = {
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
} as const;
