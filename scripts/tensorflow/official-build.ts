// The build that tfjs-node's own install script downloads. Tried only where its host answers soon.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { NativePackage } from './native-package.ts';

const officialHost = 'https://storage.googleapis.com/tf-builds/';
const answerTimeoutMs = 8_000;

/** Runs the package's own install script. Null when it ran through, else why it did not. */
export async function installOfficialBuild(nativePackage: NativePackage): Promise<string | null> {
  try {
    await fetch(officialHost, { method: 'HEAD', signal: AbortSignal.timeout(answerTimeoutMs) });
  } catch {
    return `the official download host cannot be reached (${answerTimeoutMs / 1000} s)`;
  }
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const child = spawnSync(npm, ['run', 'install', '--foreground-scripts', '--ignore-scripts=false'], {
    cwd: nativePackage.folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
    env: {
      ...process.env,
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ''}`,
    },
  });
  return child.status === 0 ? null : 'the official install script failed';
}
