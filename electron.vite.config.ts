import path from 'node:path';
import { defineConfig } from 'electron-vite';
import { rendererConfig } from './vite.renderer.config.ts';

export default defineConfig({
  main: {
    build: {
      outDir: 'dist/main',
      rollupOptions: {
        input: {
          index: path.resolve('src/main/index.ts'),
          'site-process': path.resolve('src/main/site-process.ts'),
          'decode-worker': path.resolve('src/site/ingest/dicom/decode-worker.ts'),
          'deidentify-worker': path.resolve('src/site/ingest/deidentified-copy/deidentify-worker.ts'),
          'import-worker': path.resolve('src/site/ingest/imaging/import-worker.ts'),
          'training-process': path.resolve('src/site/training/training-process.ts'),
          'fact-thread': path.resolve('src/site/cohort/fact-thread.ts'),
          'reading-worker': path.resolve('src/site/ingest/reading-worker.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'dist/preload',
      // A sandboxed preload is CommonJS.
      rollupOptions: {
        input: { index: path.resolve('src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: rendererConfig,
});
