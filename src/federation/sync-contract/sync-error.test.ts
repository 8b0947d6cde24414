import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import {
  encodeSyncError,
  isRetryable,
  isSyncCode,
  parseSyncError,
  type SyncCode,
  SyncError,
  syncCodes,
} from '#federation/sync-contract/sync-error.ts';

const codes = Object.keys(syncCodes).filter(isSyncCode);

describe('the table of sync codes', () => {
  it('gives a fitting HTTP status to everything the consortium answers', () => {
    for (const code of codes) {
      const { retry, status } = syncCodes[code];
      if (status === null) continue;
      expect(status >= 400 && status < 600, code).toBe(true);
      // What is a server's fault is never for good.
      if (status >= 500) expect(retry, code).not.toBe('permanent');
    }
  });

  it('tries again what may pass and never what was refused for its content', () => {
    const again: SyncCode[] = [
      'CONNECTION_FAILED',
      'TIMED_OUT',
      'UNAVAILABLE',
      'TOO_MANY_REQUESTS',
      'INTERNAL',
      'STALE_REQUEST',
    ];
    const never: SyncCode[] = [
      'BAD_SIGNATURE',
      'NOT_APPROVED',
      'MIXUP',
      'SUBSTITUTED',
      'STALE_ROUND',
      'CERTIFICATE_MISMATCH',
    ];
    expect(again.every(isRetryable)).toBe(true);
    expect(never.some(isRetryable)).toBe(false);
    expect(isSyncCode('toString')).toBe(false);
  });
});

describe('an error on its way to the site', () => {
  it.each(codes.filter((code) => syncCodes[code].status !== null))('%s arrives as itself', (code) => {
    const { status, body } = encodeSyncError(
      new SyncError(code, 'Refused.', { details: { expected: 1, found: [2] } }),
    );
    expect(status).toBe(syncCodes[code].status);
    const arrived = parseSyncError(status, body);
    expect([arrived.code, arrived.message, arrived.details]).toEqual([
      code,
      'Refused.',
      { expected: 1, found: [2] },
    ]);
  });

  it.each([
    ['a bug', new Error('Planted Patient in /home/planted')],
    ['a code of the inside', new CodedError('PROFILE_IN_USE', 'Planted')],
    ["a code of the site's own side", new SyncError('TIMED_OUT', 'Planted')],
  ])('%s shows nothing of itself', (_name, error) => {
    const { status, body } = encodeSyncError(error);
    expect(status).toBe(500);
    expect(fromUtf8(body)).not.toContain('lanted');
    expect(parseSyncError(status, body).code).toBe('INTERNAL');
  });

  const answer = (error: object): string => JSON.stringify({ ok: false, error });
  it.each([
    ["a proxy's page", '<html>502</html>'],
    ['nothing', ''],
    ['an unknown code', answer({ code: 'NEW_CODE', message: 'x', details: {} })],
    ['a code from the prototype', answer({ code: 'CONSTRUCTOR', message: 'x', details: {} })],
    ['markup in the code', answer({ code: '<img>', message: 'x', details: {} })],
    ['an override in the message', answer({ code: 'MIXUP', message: '\u202ex', details: {} })],
    ['a message of a megabyte', answer({ code: 'MIXUP', message: 'x'.repeat(1_000_000), details: {} })],
    ['an unknown field', answer({ code: 'MIXUP', message: 'x', details: {}, stack: 'x' })],
    ['ok: true', JSON.stringify({ ok: true })],
  ])('%s is BAD_ANSWER', (_name, text) => {
    expect(parseSyncError(502, utf8(text)).code).toBe('BAD_ANSWER');
  });
});
