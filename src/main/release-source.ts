// Where a release lies: a folder (a stick, a share of the hospital) or an https address. Only bytes come from here; nobody trusts them.
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ReleaseError } from './release-error.ts';
import { maxReleaseRecordBytes } from './release-record.ts';

export interface ReleaseSource {
  /** The record's bytes, or undefined where there is none. @throws ReleaseError RELEASE_UNREACHABLE. */
  readRecord(): Promise<Uint8Array | undefined>;
  /** An installer's bytes in parts. @param name as verified in the record. @throws ReleaseError RELEASE_UNREACHABLE. */
  readInstaller(name: string): AsyncIterable<Uint8Array>;
}

const recordName = 'release.dsse';

/** A folder that is not there (no stick) has no release. */
export function openReleaseFolder(folder: string): ReleaseSource {
  const recordFile = path.join(folder, recordName);
  return {
    readRecord: async () => {
      try {
        const { size } = await stat(recordFile);
        if (size > maxReleaseRecordBytes)
          throw new ReleaseError('RELEASE_BROKEN', 'The record of the release is too long.');
        return new Uint8Array(await readFile(recordFile));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error instanceof ReleaseError ? error : unreachable();
      }
    },
    readInstaller: (name) => orUnreachable(createReadStream(path.join(folder, name))),
  };
}

/** `net.fetch` of Electron: it goes through the system's proxy and trusts the system's authorities. */
export type FetchLike = (address: string, options: RequestInit) => Promise<Response>;

const timeoutMs = 30_000;

/** @param feed https; the record and the installers lie below it. No redirect is followed: it would lead out of what IT has named. */
export function openReleaseFeed(fetch: FetchLike, feed: string): ReleaseSource {
  const base = feed.endsWith('/') ? feed : `${feed}/`;
  const get = async (name: string, options: RequestInit): Promise<Response> => {
    const settings: RequestInit = { redirect: 'error', credentials: 'omit', cache: 'no-store', ...options };
    const answer = await fetch(new URL(name, base).href, settings).catch(() => {
      throw unreachable();
    });
    if (answer.ok || answer.status === 404) return answer;
    throw unreachable();
  };
  return {
    readRecord: async () => {
      const answer = await get(recordName, { signal: AbortSignal.timeout(timeoutMs) });
      if (answer.status === 404 || answer.body === null) return undefined;
      return collect(orUnreachable(answer.body), maxReleaseRecordBytes);
    },
    async *readInstaller(name) {
      const answer = await get(name, {});
      if (answer.status === 404 || answer.body === null) throw unreachable();
      yield* orUnreachable(answer.body);
    },
  };
}

async function collect(parts: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const part of parts) {
    length += part.length;
    if (length > maxBytes) throw new ReleaseError('RELEASE_BROKEN', 'The record of the release is too long.');
    kept.push(part);
  }
  return new Uint8Array(Buffer.concat(kept));
}

async function* orUnreachable(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of parts) yield part;
  } catch {
    throw unreachable();
  }
}

function unreachable(): ReleaseError {
  return new ReleaseError('RELEASE_UNREACHABLE', 'The place of releases cannot be read.');
}
