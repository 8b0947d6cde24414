import path from 'node:path';
import { defineConfig } from 'electron-vite';
import { rendererConfig } from './vite.renderer.config.ts';
import { siteOutput, siteWorkers } from './vite.site-workers.ts';

export default defineConfig({
  main: {
    build: {
      outDir: 'dist/main',
      rollupOptions: {
        input: {
          index: path.resolve('src/main/index.ts'),
          'site-process': path.resolve('src/main/site-process.ts'),
          'training-process': path.resolve('src/site/training/training-process.ts'),
          // The same site without a window, under Node: the packaged app carries its own command line.
          consilium: path.resolve('src/cli/consilium.ts'),
          ...siteWorkers,
        },
        output: siteOutput,
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
