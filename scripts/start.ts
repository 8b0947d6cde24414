// `npm start`: opens the desktop app where Electron's binary is, and otherwise says what to run instead.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.dirname(createRequire(import.meta.url).resolve('electron/package.json'));
const pathFile = path.join(folder, 'path.txt');
const binary = existsSync(pathFile)
  ? path.join(folder, 'dist', readFileSync(pathFile, 'utf8').trim())
  : undefined;

function launch(...command: string[]): number {
  return (
    spawnSync(process.execPath, [path.join(root, 'scripts/launch.mjs'), ...command], {
      stdio: 'inherit',
      cwd: root,
    }).status ?? 1
  );
}

if (binary === undefined || !existsSync(binary)) {
  console.log(
    [
      'ELECTRON_BINARY_MISSING: the desktop app needs the binary of Electron, which "npm ci" does not download.',
      '',
      '  With a connection to its download host:   npx install-electron && npm start',
      '  Without Electron, the same screens in a browser:',
      '      npm run --silent cli -- site init --profile ./my-site --name "My hospital"',
      '      npm run --silent cli -- site people add "Ada Steward" --role steward --profile ./my-site',
      '      npm run build:renderer && npm run --silent cli -- site serve --profile ./my-site',
    ].join('\n'),
  );
  process.exit(1);
}
if (launch('electron-vite', 'build', '--logLevel', 'warn') !== 0) process.exit(1);
process.exit(spawnSync(binary, [root], { stdio: 'inherit' }).status ?? 1);
