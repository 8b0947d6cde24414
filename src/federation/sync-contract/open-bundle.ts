// Reads an offline bundle: first its manifest, then every file against it, and only then anything in them (security.md E19).
import { concatBytes, toHex } from '#base/bytes.ts';
import type { MediaFolder } from '#base/media-folder.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import { MAX_ENVELOPE_BYTES } from '#federation/records/envelope.ts';
import { BundleError, badBundle } from '#federation/sync-contract/bundle-error.ts';
import { type BundleFile, MANIFEST_NAME } from '#federation/sync-contract/bundle-manifest.ts';

/** What lies in a bundle, by the names of before long files were cut into parts. */
export interface Bundle {
  readonly names: ReadonlySet<string>;
  /** The bytes; undefined where the bundle has no such file. @throws BundleError BAD_BUNDLE where they are more, or were changed. */
  find(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
}

const PART = /^(.+)\.part-([0-9]{4})$/;

/** Name of part `index` (from 0) of a file that is longer than one. */
export function partName(name: string, index: number): string {
  return `${name}.part-${String(index + 1).padStart(4, '0')}`;
}

/**
 * One file as it lies there, for what must be read before the manifest can be verified.
 * @throws BundleError BAD_BUNDLE; MediaError; BUNDLE_NOT_FOUND where there is none: its writing was never finished.
 */
export async function readUnlisted(media: MediaFolder, name: string): Promise<Uint8Array> {
  const bytes = media.list()?.get(name);
  if (bytes === undefined)
    throw new BundleError(
      'BUNDLE_NOT_FOUND',
      'There is no bundle, or it was not written to its end: export it again.',
      { details: { expected: name } },
    );
  if (bytes > MAX_ENVELOPE_BYTES) throw badBundle('a manifest or trust list that is too long');
  const pieces: Uint8Array[] = [];
  for await (const piece of media.read(name, bytes)) pieces.push(piece);
  return concatBytes(...pieces);
}

/**
 * Holds the whole folder against the verified manifest's list of files.
 * @throws BundleError BAD_BUNDLE for a file too many, missing, of another length or content; MediaError.
 */
export async function openBundle(media: MediaFolder, files: readonly BundleFile[]): Promise<Bundle> {
  const contents = joinParts(files);
  const found = new Map(media.list());
  if (!found.delete(MANIFEST_NAME)) throw badBundle('its manifest is gone');
  for (const file of files) {
    if (!found.delete(file.name)) throw badBundle('a file of the manifest is missing');
    for await (const _ of verifiedPieces(media, file));
  }
  if (found.size > 0) throw badBundle('a file that the manifest does not list');
  return {
    names: new Set(contents.keys()),
    find: async (name, maxBytes) => {
      const parts = contents.get(name);
      if (parts === undefined) return undefined;
      if (parts.reduce((sum, { bytes }) => sum + bytes, 0) > maxBytes)
        throw badBundle('a file that is longer than its kind may be');
      // Read again, and checked again: what was verified before may have been exchanged since.
      const pieces: Uint8Array[] = [];
      for (const part of parts) for await (const piece of verifiedPieces(media, part)) pieces.push(piece);
      return concatBytes(...pieces);
    },
  };
}

async function* verifiedPieces(
  media: MediaFolder,
  { name, bytes, sha256 }: BundleFile,
): AsyncGenerator<Uint8Array> {
  const digest = createSha256();
  for await (const piece of media.read(name, bytes)) {
    digest.update(piece);
    yield piece;
  }
  if (toHex(digest.digest()) !== sha256) throw badBundle('a file with another content than listed');
}

/** Files by their names, parts joined in their order. */
function joinParts(files: readonly BundleFile[]): Map<string, BundleFile[]> {
  const contents = new Map<string, BundleFile[]>();
  for (const file of files) {
    const [, name = file.name, number] = PART.exec(file.name) ?? [];
    const parts = contents.get(name) ?? [];
    // The list is in the order of names: parts follow one another.
    const isNext = number === undefined ? parts.length === 0 : Number(number) === parts.length + 1;
    const isWhole = parts[0]?.name === name;
    if (!isNext || isWhole) throw badBundle('parts of a file that do not follow one another');
    contents.set(name, [...parts, file]);
  }
  return contents;
}
