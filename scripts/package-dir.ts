// `npm run package:dir`: builds, and packs the result as an unpacked Linux app around a stand-in for Electron. Runs offline.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeStandInElectron } from './packaging/stand-in-electron.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const standIn = path.join(root, 'release', 'stand-in-electron');

function launch(...command: string[]): void {
  const { status } = spawnSync(process.execPath, [path.join(root, 'scripts/launch.mjs'), ...command], {
    stdio: 'inherit',
    cwd: root,
    // electron-builder looks for signing keys and tokens of its own accord; a stand-in is signed by nobody.
    env: { ...process.env, CSC_IDENTITY_AUTO_DISCOVERY: 'false' },
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log(
    `PACKAGE_PLATFORM: the stand-in is an x64 Linux program; this is ${process.platform}-${process.arch}.`,
  );
  process.exit(1);
}
const { version } = createRequire(import.meta.url)('electron/package.json') as { readonly version: string };
if (!process.argv.includes('--built')) launch('electron-vite', 'build', '--logLevel', 'warn');
launch('scripts/write-licences.ts');
rmSync(path.join(root, 'release', 'linux-unpacked'), { recursive: true, force: true });
makeStandInElectron(standIn, version);
launch('electron-builder', '--linux', 'dir', '--x64', '--publish', 'never', `-c.electronDist=${standIn}`);
console.log(
  'The app lies in release/linux-unpacked. Its program is a stand-in: it has the fuses of Electron and starts nothing.',
);
