// MANIFEST.dsse of an offline bundle (docs/formats/offline-bundle.md): who it is from and for, its number, and every file with length and
// digest. Its signature stands for those of the requests that the bundle is carried in place of.
import { z } from 'zod';
import { digestHex, identifier, isoTimestamp } from '#federation/records/fields.ts';
import {
  defineRecord,
  type RecordDefinition,
  RecordError,
  readUnverified,
  type VerifiedRecord,
  verifyRecord,
} from '#federation/records/record.ts';
import type { TrustedKeys } from '#federation/records/trusted-keys.ts';
import { BundleError } from '#federation/sync-contract/bundle-error.ts';

export const BUNDLE_FOLDER = 'consilium-bundle';
export const MANIFEST_NAME = 'MANIFEST.dsse';
/** The longest file of FAT32. */
export const MAX_PART_BYTES = 2 ** 32 - 1;
const MAX_FILES = 10_000;
const BUNDLE_DAYS = 30;
/** Of missing numbers, to be shown. */
const MAX_MISSING = 100;
const dayMs = 24 * 60 * 60 * 1000;

/** Lower case alone, so that no two names differ by case; nothing that a path could lead out with. */
const fileName = z
  .string()
  .regex(/^(?:log|models|plans|receipts|trust|updates)\/[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?$/);

/** Whether a file of a bundle may be called so. */
export function isFileName(name: string): boolean {
  return fileName.safeParse(name).success;
}

const bundleFile = z.strictObject({
  name: fileName,
  bytes: z.int().min(1).max(MAX_PART_BYTES),
  sha256: digestHex,
});
export type BundleFile = Readonly<z.infer<typeof bundleFile>>;

const manifestOf = <Kind extends 'in' | 'out'>(kind: Kind) =>
  z.strictObject({
    /** As the site sees it: `in` comes from the consortium, `out` goes to it. */
    kind: z.literal(kind),
    siteId: identifier,
    researchStudyId: identifier,
    /** From 1, one more with each bundle of this kind between the consortium and the site. */
    sequence: z.int().min(1).max(1_000_000_000),
    createdAt: isoTimestamp,
    expires: isoTimestamp,
    /** In the order of their names, each once. */
    files: z
      .array(bundleFile)
      .max(MAX_FILES)
      .refine((files) => files.every(({ name }, at) => at === 0 || (files[at - 1]?.name ?? '') < name)),
  });

export type BundleManifest<Kind extends 'in' | 'out' = 'in' | 'out'> = Readonly<
  z.infer<ReturnType<typeof manifestOf<Kind>>>
>;

export const bundleInRecord: RecordDefinition<BundleManifest<'in'>> = defineRecord({
  name: 'bundle-in',
  predicateType: 'https://consilium.example/bundle-in/v1',
  role: 'model',
  predicate: manifestOf('in'),
});

export const bundleOutRecord: RecordDefinition<BundleManifest<'out'>> = defineRecord({
  name: 'bundle-out',
  predicateType: 'https://consilium.example/bundle-out/v1',
  role: 'site-signing',
  predicate: manifestOf('out'),
});

/** The folder of a bundle: the one given, or the one in the medium's folder that was given. */
export function bundlePath(directory: string): string {
  const trimmed = directory.replace(/[/\\]+$/, '');
  const isBundle = trimmed.split(/[/\\]/).at(-1) === BUNDLE_FOLDER;
  return isBundle ? trimmed : `${trimmed}/${BUNDLE_FOLDER}`;
}

/** When a bundle that is made now is no longer taken. */
export function bundleExpiry(nowMs: number): number {
  return nowMs + BUNDLE_DAYS * dayMs;
}

/** The first numbers before `sequence` that were never read: bundles that are still on their way, or lost. */
export function missingBefore(sequence: number, read: ReadonlySet<number>): number[] {
  const missing: number[] = [];
  for (let number = 1; number < sequence && missing.length < MAX_MISSING; number += 1) {
    if (!read.has(number)) missing.push(number);
  }
  return missing;
}

/** Stops two bundles from passing under one number: an older copy of the sender's profile is in use. @throws BundleError BUNDLE_FORK. */
export function refuseFork(sequence: number, known: string | undefined, found: string): void {
  if (known === undefined || known === found) return;
  throw new BundleError('BUNDLE_FORK', 'Another bundle with this number was read before.', {
    details: { sequence, expected: known, found },
  });
}

export interface ManifestCheck {
  readonly trust: TrustedKeys;
  readonly nowMs: number;
}

/**
 * Verifies a manifest of the expected kind.
 * @throws RecordError; BundleError MIXUP for a bundle that goes the other way, EXPIRED.
 */
export function verifyManifest<P extends BundleManifest>(
  expected: RecordDefinition<P>,
  envelope: Uint8Array,
  { trust, nowMs }: ManifestCheck,
): VerifiedRecord<P> {
  requireDirection(expected, envelope);
  const verified = verifyRecord(expected, envelope, { trust, atMs: nowMs });
  const { expires } = verified.predicate;
  if (Date.parse(expires) > nowMs) return verified;
  throw new BundleError('EXPIRED', 'The bundle has expired; ask for a new one.', { details: { expires } });
}

/** Names a bundle that goes the other way before its signature is looked at. @throws BundleError MIXUP. */
export function requireDirection<P extends BundleManifest>(
  expected: RecordDefinition<P>,
  envelope: Uint8Array,
): void {
  const isIn = expected.predicateType === bundleInRecord.predicateType;
  const found = peekManifest(envelope)?.kind;
  if (found === undefined || (found === 'in') === isIn) return;
  throw new BundleError('MIXUP', 'The bundle goes the other way.', {
    details: { expected: isIn ? 'in' : 'out', found },
  });
}

/** The manifest of either kind as it stands there, unverified; undefined for anything else. Only to see what is in the way. */
export function peekManifest(envelope: Uint8Array): BundleManifest | undefined {
  return peek(bundleInRecord, envelope) ?? peek(bundleOutRecord, envelope);
}

function peek<P>(definition: RecordDefinition<P>, envelope: Uint8Array): P | undefined {
  try {
    return readUnverified(definition, envelope).predicate;
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}
