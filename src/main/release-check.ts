// Looks for a new release, offline first, and stages its installer as a verified copy. Never starts it: a person gives the file to
// whoever installs programs (security.md X7). Whatever is wrong, the running release stays as it is.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { toHex } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import { ReleaseError } from './release-error.ts';
import { type Installer, type Release, type VerifyRelease, verifyRelease } from './release-record.ts';
import type { ReleaseSource } from './release-source.ts';

/** A verified release, and where its bytes can be had. */
export interface FoundRelease {
  readonly release: Release;
  readonly source: ReleaseSource;
}

/**
 * The newest release of the sources, asked in their order: the folder before the network. A place that cannot be reached is passed
 * over while another has an answer.
 * @throws ReleaseError of a record that was refused, or RELEASE_UNREACHABLE where no place could be read.
 */
export async function findRelease(
  sources: readonly ReleaseSource[],
  verify: VerifyRelease,
): Promise<FoundRelease | undefined> {
  let unreachable: ReleaseError | undefined;
  let answers = 0;
  for (const source of sources) {
    try {
      const record = await source.readRecord();
      answers += 1;
      const release = record === undefined ? undefined : verifyRelease(record, verify);
      if (release !== undefined) return { release, source };
    } catch (error) {
      if (!(error instanceof ReleaseError) || error.code !== 'RELEASE_UNREACHABLE') throw error;
      unreachable = error;
    }
  }
  if (answers === 0 && unreachable !== undefined) throw unreachable;
  return undefined;
}

export interface StageInstaller {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly format: string;
  /** Private folder of the app; made if need be. */
  readonly folder: string;
}

/**
 * Copies the installer for this machine and checks every byte on the way; what is handed on is the copy, so that nobody exchanges the
 * file between check and use.
 * @returns its path.
 * @throws ReleaseError RELEASE_NO_INSTALLER, RELEASE_CHANGED, RELEASE_UNREACHABLE. Nothing is left behind then.
 */
export async function stageInstaller(
  { release, source }: FoundRelease,
  options: StageInstaller,
): Promise<string> {
  const { platform, arch, format, folder } = options;
  const installer = release.installers.find(
    (known) => known.platform === platform && known.arch === arch && known.format === format,
  );
  if (installer === undefined)
    throw new ReleaseError('RELEASE_NO_INSTALLER', 'The release has no installer for this machine.', {
      details: { expected: `${platform}-${arch} ${format}` },
    });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const target = path.join(folder, installer.name);
  const partial = `${target}.part`;
  try {
    await copyVerified(source, installer, partial);
    await rename(partial, target);
    return target;
  } finally {
    await rm(partial, { force: true });
  }
}

async function copyVerified(
  source: ReleaseSource,
  { name, bytes, digest }: Installer,
  target: string,
): Promise<void> {
  const sha256 = createSha256();
  const file = await open(target, 'w', 0o600);
  try {
    let length = 0;
    for await (const part of source.readInstaller(name)) {
      length += part.length;
      // An endless answer would fill the disk that the records need.
      if (length > bytes) throw changed();
      sha256.update(part);
      await file.write(part);
    }
    if (length !== bytes || toHex(sha256.digest()) !== digest) throw changed();
    await file.sync();
  } finally {
    await file.close();
  }
}

function changed(): ReleaseError {
  return new ReleaseError('RELEASE_CHANGED', 'The installer is not the one that was signed.');
}
