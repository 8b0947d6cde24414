// What the hospital's IT has set for this machine: one JSON file that only an administrator can write. Read at each start; a file that
// cannot be read as a policy stops the start, because whoever wrote it meant something by it.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { fromBase64, fromUtf8 } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import { verifySigningPublicKey } from '#federation/crypto/signing-key.ts';

export type PolicyCode = 'POLICY_BROKEN' | 'POLICY_MODE';

/** A managed policy that is not used. Names fields, never values. */
export class PolicyError extends CodedError<PolicyCode> {}

const absolutePath = z
  .string()
  .max(4096)
  .refine((text) => path.isAbsolute(text) && !text.includes('\0'));

/** SubjectPublicKeyInfo (DER) of an Ed25519 key, in base64. */
const releaseKey = z.string().transform((text, context) => {
  try {
    const key = fromBase64(text);
    verifySigningPublicKey(key);
    return key;
  } catch {
    context.addIssue({ code: 'custom', message: 'no Ed25519 key' });
    return z.NEVER;
  }
});

const policySchema = z.strictObject({
  /** Profile folder; default: beside the app's own data. */
  profile: absolutePath.optional(),
  /** Where the desktop app keeps the keys of the site; default: the system's key store. */
  keyStore: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('system') }),
      z.strictObject({ kind: z.literal('key-file'), file: absolutePath }),
      z.strictObject({ kind: z.literal('passphrase'), passphraseFile: absolutePath }),
    ])
    .optional(),
  /** Where new releases are looked for, and whose signatures count. */
  releases: z
    .strictObject({
      folder: absolutePath.optional(),
      feed: z
        .url({ protocol: /^https$/ })
        .max(2048)
        .optional(),
      keys: z.array(releaseKey).min(1).max(16),
      /** Signatures by different keys that a release needs. */
      threshold: z.int().min(1).max(16),
      /** Of the installers for this platform: `deb`, `rpm`, `AppImage`, `exe`, `msi`, `dmg`. */
      format: z.enum(['deb', 'rpm', 'AppImage', 'exe', 'msi', 'dmg']),
    })
    .refine(
      ({ keys, threshold }) => new Set(keys.map(String)).size === keys.length && threshold <= keys.length,
      {
        path: ['threshold'],
      },
    )
    .optional(),
});

export type ManagedPolicy = z.infer<typeof policySchema>;
export type ReleasePolicy = NonNullable<ManagedPolicy['releases']>;

/** Fixed places, which no environment variable of a person moves. */
export function managedPolicyFile(platform: NodeJS.Platform): string {
  if (platform === 'win32') return 'C:\\ProgramData\\Consilium\\policy.json';
  if (platform === 'darwin') return '/Library/Application Support/Consilium/policy.json';
  return '/etc/consilium/policy.json';
}

const maxBytes = 64 * 1024;

/** The policy, empty where there is no file. @throws PolicyError POLICY_MODE when other accounts may write it, POLICY_BROKEN. */
export function loadManagedPolicy(file: string): ManagedPolicy {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return {};
    throw new PolicyError('POLICY_BROKEN', 'The managed policy cannot be opened.');
  }
  try {
    const stat = fstatSync(descriptor);
    // Stops another account of the machine from moving the keys to where it can read them.
    if (process.platform !== 'win32' && (stat.mode & 0o022) !== 0)
      throw new PolicyError('POLICY_MODE', 'Other accounts may write the managed policy.', {
        details: { expected: '644', found: (stat.mode & 0o777).toString(8) },
      });
    if (!stat.isFile() || stat.size > maxBytes)
      throw new PolicyError('POLICY_BROKEN', 'The managed policy is no plain file.');
    return parsePolicy(readFileSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function parsePolicy(content: Uint8Array): ManagedPolicy {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(content));
  } catch {
    throw new PolicyError('POLICY_BROKEN', 'The managed policy is no JSON.');
  }
  const parsed = policySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues
    .slice(0, 5)
    .map((issue) => [...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys : [])].join('.'));
  throw new PolicyError(
    'POLICY_BROKEN',
    'The managed policy has a field that it must not have, or lacks one.',
    {
      details: { found: fields },
    },
  );
}
