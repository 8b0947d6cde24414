// Writes an offline bundle so that a medium pulled out at any moment holds a whole bundle or none: the manifest of before goes first,
// the new one comes last. What lies there already, whole, is not written again.
import { toHex } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import type { MediaFolder } from '#base/media-folder.ts';
import { createSha256, sha256Hex } from '#federation/crypto/digest.ts';
import { MAX_ENVELOPE_BYTES } from '#federation/records/envelope.ts';
import { BundleError } from '#federation/sync-contract/bundle-error.ts';
import {
  type BundleFile,
  type BundleManifest,
  isFileName,
  MANIFEST_NAME,
  MAX_PART_BYTES,
  peekManifest,
} from '#federation/sync-contract/bundle-manifest.ts';
import { partName, readUnlisted } from '#federation/sync-contract/open-bundle.ts';

export interface BundleContent {
  readonly name: string;
  /** Called once, when its turn comes: one model at a time is in memory. At least one byte. */
  readonly load: () => Uint8Array;
}

export interface BundlePlace {
  readonly media: MediaFolder;
  /** Longer files are cut; the longest file of FAT32 where nothing else is said. */
  readonly partBytes?: number | undefined;
}

/**
 * Refuses a folder with somebody else's bundle in it: it may not have been read yet. An earlier one of the same kind for the same site
 * and research study is replaced by a newer one, which holds all that it held.
 * @throws BundleError BUNDLE_IN_THE_WAY; MediaError.
 */
export async function requireOwnFolder(
  media: MediaFolder,
  own: Omit<BundleManifest, 'createdAt' | 'expires' | 'files' | 'sequence'>,
): Promise<void> {
  const names = listed(media);
  if ([...names.keys()].some((name) => !isOwnName(name))) throw inTheWay();
  const bytes = names.get(MANIFEST_NAME);
  if (bytes === undefined) return;
  const known =
    bytes > MAX_ENVELOPE_BYTES ? undefined : peekManifest(await readUnlisted(media, MANIFEST_NAME));
  const isSame =
    known?.kind === own.kind && known.siteId === own.siteId && known.researchStudyId === own.researchStudyId;
  if (!isSame) throw inTheWay();
}

/** A file of a bundle, or one that was being written when its medium was pulled out. */
function isOwnName(name: string): boolean {
  const whole = name.replace(/\.tmp$/, '');
  return whole === MANIFEST_NAME || isFileName(whole);
}

/** What lies there; a folder that no bundle of ours could be in is left as it is. */
function listed(media: MediaFolder): ReadonlyMap<string, number> {
  try {
    return media.list() ?? new Map();
  } catch (error) {
    if (isCodedError(error, 'BAD_BUNDLE')) throw inTheWay();
    throw error;
  }
}

function inTheWay(): BundleError {
  return new BundleError(
    'BUNDLE_IN_THE_WAY',
    'The folder holds another bundle or something else; choose another folder, or remove it.',
  );
}

/** Writes everything but the manifest and gives the list of files for it. @throws MediaError MEDIA_UNAVAILABLE. */
export async function writeContents(
  { media, partBytes = MAX_PART_BYTES }: BundlePlace,
  contents: Iterable<BundleContent>,
): Promise<BundleFile[]> {
  const before = new Map(listed(media));
  // From here on there is no bundle, until the new manifest is there.
  if (before.delete(MANIFEST_NAME)) await media.remove(MANIFEST_NAME);
  const files: BundleFile[] = [];
  for (const { name, load } of contents) {
    for (const [partOf, bytes] of cut(name, load(), partBytes)) {
      const file = { name: partOf, bytes: bytes.length, sha256: sha256Hex(bytes) };
      if (!(await isThere(media, before, file))) await media.save(partOf, bytes);
      before.delete(partOf);
      files.push(file);
    }
  }
  for (const name of before.keys()) await media.remove(name);
  return files.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The last step: now there is a bundle. */
export function writeManifest({ media }: BundlePlace, envelope: Uint8Array): Promise<void> {
  return media.save(MANIFEST_NAME, envelope);
}

function* cut(name: string, bytes: Uint8Array, partBytes: number): Generator<[string, Uint8Array]> {
  if (bytes.length <= partBytes) return yield [name, bytes];
  for (let at = 0, index = 0; at < bytes.length; at += partBytes, index += 1) {
    yield [partName(name, index), bytes.subarray(at, at + partBytes)];
  }
}

async function isThere(
  media: MediaFolder,
  before: ReadonlyMap<string, number>,
  file: BundleFile,
): Promise<boolean> {
  if (before.get(file.name) !== file.bytes) return false;
  const digest = createSha256();
  for await (const piece of media.read(file.name, file.bytes)) digest.update(piece);
  return toHex(digest.digest()) === file.sha256;
}
