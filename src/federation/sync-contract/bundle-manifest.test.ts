import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import {
  bundleOutRecord,
  bundlePath,
  missingBefore,
  peekManifest,
  refuseFork,
} from '#federation/sync-contract/bundle-manifest.ts';
import { refusalCode } from '#support/refusal-code.ts';

const digest = '0'.repeat(64);
const file = { name: 'log/a', bytes: 1, sha256: digest };
const manifest = {
  kind: 'out' as const,
  siteId: 'cleveland',
  researchStudyId: 'heart',
  sequence: 1,
  createdAt: '2026-11-21T08:00:00.000Z',
  expires: '2026-12-21T08:00:00.000Z',
  files: [file, { ...file, name: 'log/b' }],
};
const encode = (change: object) =>
  encodeStatement(bundleOutRecord, { predicate: { ...manifest, ...change } as typeof manifest });

describe('the manifest of a bundle', () => {
  it('is read back as it was written', () => {
    const envelope = signStatement(encode({}), [createSigningKey(sha256(utf8('a site')))]);
    expect(peekManifest(envelope)).toEqual(manifest);
    expect(peekManifest(utf8('{}'))).toBeUndefined();
  });

  it.each<[string, object]>([
    ['files out of order', { files: [...manifest.files].reverse() }],
    ['a file twice', { files: [file, file] }],
    ['an empty file', { files: [{ ...file, bytes: 0 }] }],
    ['a file of 4 GiB', { files: [{ ...file, bytes: 2 ** 32 }] }],
    [
      'more than 10,000 files',
      {
        files: Array.from({ length: 10_001 }, (_, at) => ({
          ...file,
          name: `log/${String(at).padStart(5, '0')}`,
        })),
      },
    ],
    ['a number 0', { sequence: 0 }],
    ['the other direction', { kind: 'in' }],
    ['a field that nobody knows', { more: 1 }],
    ['no site', { siteId: undefined }],
  ])('with %s is none', (_what, change) => {
    expect(refusalCode(() => encode(change))).toBe('BAD_STATEMENT');
  });

  it('takes a file of 4 GiB - 1', () => {
    expect(refusalCode(() => encode({ files: [{ ...file, bytes: 2 ** 32 - 1 }] }))).toBe('none');
  });
});

describe('numbers of bundles', () => {
  it.each<[number, number[], number[]]>([
    [1, [], []],
    [3, [1, 2], []],
    [4, [2], [1, 3]],
    [3, [1, 2, 3, 4], []],
  ])('before %i, where %j were read, miss %j', (sequence, read, missing) => {
    expect(missingBefore(sequence, new Set(read))).toEqual(missing);
  });

  it('are shown up to a hundred', () => {
    expect(missingBefore(1_000_000_000, new Set([1]))).toHaveLength(100);
  });

  it('stand for one bundle each', () => {
    expect(refusalCode(() => refuseFork(1, undefined, digest))).toBe('none');
    expect(refusalCode(() => refuseFork(1, digest, digest))).toBe('none');
    expect(refusalCode(() => refuseFork(1, 'f'.repeat(64), digest))).toBe('BUNDLE_FORK');
  });
});

describe('the folder of a bundle', () => {
  it.each([
    ['/media/stick', '/media/stick/consilium-bundle'],
    ['/media/stick/', '/media/stick/consilium-bundle'],
    ['/media/stick/consilium-bundle', '/media/stick/consilium-bundle'],
    ['/media/stick/consilium-bundle/', '/media/stick/consilium-bundle'],
    ['/media/not-consilium-bundle', '/media/not-consilium-bundle/consilium-bundle'],
    ['E:\\', 'E:/consilium-bundle'],
    ['/', '/consilium-bundle'],
  ])('of %s is %s', (directory, folder) => {
    expect(bundlePath(directory)).toBe(folder);
  });
});
