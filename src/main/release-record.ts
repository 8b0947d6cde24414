// release.dsse: which release this is, and the digest of each of its installers; an in-toto statement in a DSSE envelope, signed by keys
// that the managed policy pins (security.md X7). docs/formats/release.md has it byte by byte.
import { z } from 'zod';
import { isCodedError } from '#base/coded-error.ts';
import { keyIdOf, verifySignature } from '#federation/crypto/signing-key.ts';
import { type Envelope, parseEnvelope, STATEMENT_PAYLOAD_TYPE } from '#federation/records/envelope.ts';
import { digestHex, isoTimestamp } from '#federation/records/fields.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';
import { ReleaseError } from './release-error.ts';

export const releasePredicateType = 'https://consilium.example/release/v1';
export const maxReleaseRecordBytes = 1024 * 1024;

/** A name that stays in its folder on every system. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
const version = z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/);

const statementSchema = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  predicateType: z.literal(releasePredicateType),
  subject: z
    .array(z.strictObject({ name: fileName, digest: z.strictObject({ sha256: digestHex }) }))
    .min(1)
    .max(50),
  predicate: z.strictObject({
    version,
    releasedAt: isoTimestamp,
    /** After this the record says nothing any more: an attacker cannot hold a site at an old release forever (freeze). */
    expires: isoTimestamp,
    installers: z
      .array(
        z.strictObject({
          name: fileName,
          platform: z.enum(['linux', 'darwin', 'win32']),
          arch: z.enum(['x64', 'arm64']),
          format: z.enum(['deb', 'rpm', 'AppImage', 'exe', 'msi', 'dmg']),
          bytes: z
            .int()
            .min(1)
            .max(8 * 1024 ** 3),
        }),
      )
      .min(1)
      .max(50),
  }),
});

export type ReleaseStatement = z.infer<typeof statementSchema>;

export interface Installer {
  readonly name: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly format: string;
  readonly bytes: number;
  /** sha256, hexadecimal. */
  readonly digest: string;
}

export interface Release {
  readonly version: string;
  readonly installers: readonly Installer[];
}

export interface ReleaseTrust {
  /** SPKI of each pinned key, all different. */
  readonly keys: readonly Uint8Array[];
  /** How many of them must have signed. */
  readonly threshold: number;
}

export interface VerifyRelease {
  readonly trust: ReleaseTrust;
  readonly nowMs: number;
  readonly runningVersion: string;
}

/**
 * The release of `record`, newer than the running one; undefined where it is the running one.
 * @throws ReleaseError RELEASE_NOT_SIGNED, RELEASE_BROKEN, RELEASE_EXPIRED, RELEASE_OLDER (rollback).
 */
export function verifyRelease(
  record: Uint8Array,
  { trust, nowMs, runningVersion }: VerifyRelease,
): Release | undefined {
  const envelope = readEnvelope(record);
  requireSignatures(envelope, trust);
  const { predicate, subject } = readStatement(envelope);
  if (nowMs >= Date.parse(predicate.expires))
    throw new ReleaseError('RELEASE_EXPIRED', 'The record of the release has expired.');
  const order = compareVersions(predicate.version, runningVersion);
  if (order < 0)
    throw new ReleaseError('RELEASE_OLDER', 'The release is older than the running one.', {
      details: { expected: `above ${runningVersion}`, found: predicate.version },
    });
  if (order === 0) return undefined;
  const digests = new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
  const installers = predicate.installers.map((installer) => {
    const digest = digests.get(installer.name);
    if (digest === undefined) throw broken('an installer without a digest');
    return { ...installer, digest };
  });
  if (
    digests.size !== subject.length ||
    new Set(installers.map(({ name }) => name)).size !== installers.length
  )
    throw broken('a file named twice');
  return { version: predicate.version, installers };
}

function readEnvelope(record: Uint8Array): Envelope {
  if (record.length > maxReleaseRecordBytes) throw broken('too many bytes');
  const envelope = readable(() => parseEnvelope(record));
  // A signature made for another kind of record must not count here (cross-protocol attack).
  if (envelope.payloadType !== STATEMENT_PAYLOAD_TYPE) throw broken('another payload type');
  return envelope;
}

/** Counts keys, not signatures; one by a pinned key that does not hold spoils the whole. */
function requireSignatures({ signatures, signedBytes }: Envelope, { keys, threshold }: ReleaseTrust): void {
  const pinned = new Map(keys.map((key) => [keyIdOf(key), key]));
  const signers = new Set<string>();
  for (const { keyId, signature } of signatures) {
    const key = pinned.get(keyId);
    if (key === undefined) continue;
    try {
      verifySignature(key, signedBytes, signature);
    } catch (error) {
      if (isCodedError(error))
        throw new ReleaseError('RELEASE_NOT_SIGNED', 'A signature of the release does not hold.');
      throw error;
    }
    signers.add(keyId);
  }
  if (signers.size < threshold)
    throw new ReleaseError('RELEASE_NOT_SIGNED', 'The release has too few signatures by pinned keys.', {
      details: { expected: threshold, found: signers.size },
    });
}

function readStatement({ payload }: Envelope): ReleaseStatement {
  const parsed = statementSchema.safeParse(
    readable(() => parseStrictJson(payload, { maxBytes: maxReleaseRecordBytes })),
  );
  if (!parsed.success) throw broken(parsed.error.issues[0]?.path.join('.') ?? '');
  return parsed.data;
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isCodedError(error, 'BAD_STATEMENT')) throw broken('no envelope of strict JSON');
    throw error;
  }
}

function compareVersions(left: string, right: string): number {
  const [leftParts, rightParts] = [left, right].map((text) => text.split('.').map(Number));
  const difference = leftParts
    ?.map((part, index) => part - (rightParts?.[index] ?? 0))
    .find((value) => value !== 0);
  return difference ?? 0;
}

function broken(found: string): ReleaseError {
  return new ReleaseError('RELEASE_BROKEN', 'The record of the release cannot be read.', {
    details: { found },
  });
}
