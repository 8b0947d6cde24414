// Tests of the desktop app itself. They need Electron's binary; `npm test` names the suite as left out where it is missing.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests/e2e',
  testMatch: '**/*.electron.ts',
  outputDir: 'test-artefacts/electron',
  workers: 1,
  timeout: 120_000,
  reporter: [['list']],
});
