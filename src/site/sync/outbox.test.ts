import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeSyncError, type SyncCode, SyncError } from '#federation/sync-contract/sync-error.ts';
import { initialDigest } from '#support/enrolled-site.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { createSyncingSite, type SyncingSite } from '#support/syncing-site.ts';

const { researchStudyId } = samplePlan;
let site: SyncingSite;
beforeEach(() => {
  site = createSyncingSite();
});
afterEach(() => site.close());
const stateOf = (updateId: string): string | undefined =>
  site.store.get(
    site.store.query.selectFrom('model_update').select('state').where('update_id', '=', updateId),
  )?.state;
const outbox = () => site.store.get(site.store.query.selectFrom('outbox').selectAll());

describe('the outbox', () => {
  const answerPut = (answer: (path: string) => { status: number; body: Uint8Array } | Error): void => {
    site.transport.intercept = (_request, path) => {
      if (!path.startsWith('/v1/updates/')) return undefined;
      const given = answer(path);
      if (given instanceof Error) throw given;
      return { headers: {}, ...given };
    };
  };
  const refuse = (code: SyncCode) =>
    answerPut(() => encodeSyncError(new SyncError(code, 'Refused for a test.')));
  const prepare = async (): Promise<string> => {
    await site.sync();
    return (await site.sealUpdate()).updateId;
  };

  it.each<SyncCode>(['UNAVAILABLE', 'TOO_MANY_REQUESTS', 'INTERNAL', 'STALE_REQUEST', 'REPLAYED_REQUEST'])(
    'keeps an update after %s and sends it with the next sync',
    async (code) => {
      const updateId = await prepare();
      refuse(code);
      const { sent } = await site.sync();
      expect(sent).toMatchObject([{ updateId, outcome: 'retry', code }]);
      await site.sync();
      expect(site.events().filter((event) => event === `send-failed failed ${code}`)).toHaveLength(1);
      expect(stateOf(updateId)).toBe('sealed');
      site.transport.intercept = () => undefined;
      expect((await site.sync()).sent).toMatchObject([{ updateId, outcome: 'received' }]);
      expect(outbox()).toMatchObject({ attempt_count: 3, last_code: null });
      expect(site.events().filter((event) => event === 'update-sent success')).toHaveLength(1);
    },
  );

  it.each<SyncCode>(['STALE_ROUND', 'NOT_APPROVED', 'BAD_SIGNATURE', 'OUT_OF_POLICY', 'WRONG_BASE'])(
    'gives an update up after %s and says so',
    async (code) => {
      const updateId = await prepare();
      refuse(code);
      expect((await site.sync()).sent).toMatchObject([{ updateId, outcome: 'refused', code }]);
      expect(stateOf(updateId)).toBe('blocked');
      expect(site.events()).toContain(`send-refused refused ${code}`);
      expect((await site.sync()).sent).toEqual([]);
    },
  );

  it.each<[string, () => { status: number; body: Uint8Array } | Error, string]>([
    ['the connection fails', () => new SyncError('CONNECTION_FAILED', 'no'), 'CONNECTION_FAILED'],
    [
      'another certificate is shown',
      () => new SyncError('CERTIFICATE_MISMATCH', 'no'),
      'CERTIFICATE_MISMATCH',
    ],
    ['a proxy answers', () => ({ status: 502, body: utf8('<html>') }), 'BAD_ANSWER'],
    ['nothing is answered', () => ({ status: 200, body: new Uint8Array() }), 'BAD_ANSWER'],
  ])('keeps an update when %s', async (_case, answer, code) => {
    const updateId = await prepare();
    answerPut(answer);
    expect((await site.sync()).sent).toMatchObject([{ updateId, outcome: 'retry', code }]);
    expect(stateOf(updateId)).toBe('sealed');
  });

  it.each<[string, string, () => Uint8Array]>([
    [
      'of another update',
      'RECEIPT_MISMATCH',
      () =>
        site.consortium.receipt({
          researchStudyId,
          round: 1,
          siteId: 'cleveland',
          updateDigest: 'f'.repeat(64),
        }).envelope,
    ],
    [
      'by a key that may not',
      'KEY_NOT_TRUSTED',
      () =>
        site.consortium.receipt(
          { researchStudyId, round: 1, siteId: 'cleveland', updateDigest: 'f'.repeat(64) },
          site.consortium.keys.plan,
        ).envelope,
    ],
    ['that is none', 'BAD_STATEMENT', () => utf8('thank you')],
  ])('does not take a receipt %s', async (_case, code, receipt) => {
    const updateId = await prepare();
    answerPut(() => ({ status: 200, body: receipt() }));
    expect((await site.sync()).sent).toMatchObject([{ updateId, outcome: 'retry', code }]);
    expect(stateOf(updateId)).toBe('sealed');
    expect(site.events()).toContain(`receipt-refused failed ${code}`);
  });

  const withdraw = (): void => {
    const { consent } = site;
    site.consent = (updateId) => ({ ...consent(updateId), consentSnapshotDigest: 'e'.repeat(64) });
  };
  const close = (): void => site.clock.advance(15 * 86_400_000);
  const puts = () => site.transport.requests.filter((request) => request.startsWith('PUT')).length;

  it.each<[string, () => void, string]>([
    ['a withdrawal', withdraw, 'CONSENT_CHANGED'],
    ['the end of its round', close, 'STALE_ROUND'],
    [
      'another attempt of its round',
      () => {
        const claims = { planDigest: site.planDigest, baseModelDigest: initialDigest, attempt: 2 };
        site.transport.state.openRound = site.consortium.round(claims).envelope;
      },
      'STALE_ROUND',
    ],
  ])('blocks a sealed update after %s, and nothing of it leaves (C9)', async (_case, happen, code) => {
    const updateId = await prepare();
    happen();
    const { sent, bytesSent } = await site.sync();
    expect(sent).toEqual([{ updateId, outcome: 'refused', code, bytes: 0 }]);
    expect(bytesSent.update).toBeUndefined();
    expect(puts()).toBe(0);
    expect(stateOf(updateId)).toBe('blocked');
    expect(outbox()).toMatchObject({ attempt_count: 0 });
    expect(site.events()).toContain(`update-blocked refused ${code}`);
    expect(site.events()).not.toContain('update-sent success');
  });

  it.each<SyncCode>(['UNAVAILABLE', 'TOO_MANY_REQUESTS'])(
    'blocks an update that was not taken (%s) once a patient has withdrawn',
    async (answer) => {
      const updateId = await prepare();
      refuse(answer);
      await site.sync();
      site.transport.intercept = () => undefined;
      withdraw();
      expect((await site.sync()).sent).toMatchObject([
        { updateId, outcome: 'refused', code: 'CONSENT_CHANGED' },
      ]);
      expect(puts()).toBe(1);
    },
  );

  it('blocks an update when the withdrawal comes in the middle of the sync that would send it', async () => {
    const updateId = await prepare();
    site.transport.intercept = (_request, path) => {
      if (path === '/v1/trust-list') withdraw();
      return undefined;
    };
    expect((await site.sync()).sent).toMatchObject([{ updateId, code: 'CONSENT_CHANGED' }]);
    expect(puts()).toBe(0);
  });

  it('still fetches the receipt of an update that may have arrived before the withdrawal', async () => {
    const updateId = await prepare();
    answerPut(() => new SyncError('TIMED_OUT', 'The answer was lost.'));
    await site.sync();
    site.transport.intercept = () => undefined;
    withdraw();
    expect((await site.sync()).sent).toMatchObject([{ updateId, outcome: 'received' }]);
  });

  it('sends the very same bytes again after the answer was lost', async () => {
    const updateId = await prepare();
    const seen: Uint8Array[] = [];
    const { transport } = site;
    transport.intercept = (request, path) => {
      if (!path.startsWith('/v1/updates/')) return undefined;
      seen.push(request.body ?? new Uint8Array());
      if (seen.length === 1) throw new SyncError('TIMED_OUT', 'The answer was lost.');
      return undefined;
    };
    await site.sync();
    await site.sync();
    expect(stateOf(updateId)).toBe('received');
    expect(sha256Hex(seen[0] ?? new Uint8Array())).toBe(sha256Hex(seen[1] ?? new Uint8Array([1])));
  });
});
