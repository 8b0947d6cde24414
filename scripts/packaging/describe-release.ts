// The statement of a release: every installer of a folder with its platform, size and digest. Names follow electron-builder's.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { utf8 } from '#base/bytes.ts';

const platforms = {
  deb: 'linux',
  rpm: 'linux',
  AppImage: 'linux',
  exe: 'win32',
  msi: 'win32',
  dmg: 'darwin',
} as const;
type Format = keyof typeof platforms;

export interface ReleaseTimes {
  readonly version: string;
  readonly releasedAtMs: number;
  readonly expiresMs: number;
}

/** The payload to sign. @throws Error when the folder holds no installer, or one under a name that sites refuse. */
export function describeRelease(
  folder: string,
  { version, releasedAtMs, expiresMs }: ReleaseTimes,
): Uint8Array {
  const names = readdirSync(folder)
    .filter((name) => Object.hasOwn(platforms, formatOf(name)))
    .sort();
  if (names.length === 0) throw new Error('the folder holds no installer');
  const refused = names.find((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name));
  if (refused !== undefined) throw new Error(`sites refuse the name "${refused}"`);
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://consilium.example/release/v1',
    subject: names.map((name) => ({ name, digest: { sha256: sha256Of(path.join(folder, name)) } })),
    predicate: {
      version,
      releasedAt: new Date(releasedAtMs).toISOString(),
      expires: new Date(expiresMs).toISOString(),
      installers: names.map((name) => ({
        name,
        platform: platforms[formatOf(name) as Format],
        arch: /arm64|aarch64/.test(name) ? 'arm64' : 'x64',
        format: formatOf(name),
        bytes: statSync(path.join(folder, name)).size,
      })),
    },
  };
  return utf8(JSON.stringify(statement));
}

function formatOf(name: string): string {
  return path.extname(name).slice(1);
}

function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
