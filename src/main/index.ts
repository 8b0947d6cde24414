// Where Electron begins: hands its modules to the shell. Nothing else of this folder imports Electron at run time.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as electron from 'electron';
import { systemClock } from '#base/clock.ts';
import { createLogger } from '#base/logger.ts';
import { startShell } from './desktop-shell.ts';

void startShell({
  electron,
  directory: path.dirname(fileURLToPath(import.meta.url)),
  platform: process.platform,
  arch: process.arch,
  argv: process.argv,
  workingDirectory: process.cwd(),
  environment: process.env,
  clock: systemClock,
  logger: createLogger('shell'),
  later: (work, delayMs) => {
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
});
