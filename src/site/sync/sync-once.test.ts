import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { parseCheckpoint } from '#federation/log/checkpoint.ts';
import { type LogExtension, parseLogExtension } from '#federation/log/log-extension.ts';
import { verifyConsistency } from '#federation/log/merkle-tree.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type RemedyAnswer, remedyAnswerRecord } from '#federation/records/remedy-answer.ts';
import { encodeSyncError, SyncError } from '#federation/sync-contract/sync-error.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import { openAgreement } from '#site/agreement/index.ts';
import { systemActor } from '#site/audit/index.ts';
import { loadTraffic, syncOnce } from '#site/sync/index.ts';
import { updateState } from '#support/draft-update.ts';
import { initialDigest } from '#support/enrolled-site.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { createSiteFoundation } from '#support/site-foundation.ts';
import {
  createSyncingSite,
  heldModels,
  publish,
  type SyncingSite,
  statisticsModel,
  statisticsTensors,
  unchangedConsent,
} from '#support/syncing-site.ts';
import { loadSeenCheckpoint, saveSeenCheckpoint } from './consortium-log-view.ts';

const { researchStudyId } = samplePlan;
let site: SyncingSite;
beforeEach(() => {
  site = createSyncingSite();
});
afterEach(() => site.close());
const models = () => heldModels(site.store);
const stateOf = (updateId: string) => updateState(site.store, updateId);
const outbox = () => site.store.get(site.store.query.selectFrom('outbox').selectAll());

describe('a sync', () => {
  it('takes over plan, models and the open round, and a second one finds nothing new', async () => {
    const first = await site.sync();
    expect(first.received).toEqual([
      { record: 'global-model', researchStudyId, round: 0 },
      { record: 'round', researchStudyId, round: 1 },
    ]);
    expect(models()).toEqual([{ round: 0, model_digest: initialDigest }]);
    expect(site.agreement.openRound(researchStudyId)?.round).toBe(1);
    expect(site.events().slice(-3)).toEqual([
      'global-model-verified success',
      'round-received success',
      'checkpoint-sent success',
    ]);
    const second = await site.sync();
    expect(second.received).toEqual([]);
    expect(second.sent).toEqual([]);
    expect(site.transport.notes).toHaveLength(1);
  });

  it('shows the consortium a checkpoint of this log, and another only after something happened', async () => {
    await site.sync();
    expect(parseCheckpoint(site.transport.notes[0] ?? '')).toMatchObject({ origin: site.auditLog.origin });
    await site.sealUpdate();
    await site.sync();
    expect(site.transport.notes).toHaveLength(2);
  });

  it('proves that its log continues what the consortium holds, also where an answer was lost', async () => {
    await site.sync();
    await site.sealUpdate();
    const proofs: LogExtension[] = [];
    site.transport.intercept = ({ body }, path) => {
      if (path !== '/v1/log-checkpoints') return undefined;
      proofs.push(parseLogExtension(new TextDecoder().decode(body)));
      if (proofs.length > 1) return { status: 204, headers: {}, body: new Uint8Array() };
      const held = new SyncError('STALE_CHECKPOINT', 'Another one is held.', { details: { expected: 3 } });
      return { headers: {}, ...encodeSyncError(held) };
    };
    await site.sync();
    const [first, second] = proofs.map(({ oldSize }) => oldSize);
    expect(first).toBe(parseCheckpoint(site.transport.notes[0] ?? '').size);
    expect(second).toBe(3);
    const { proof, note } = proofs[0] ?? { proof: [], note: '' };
    const old = parseCheckpoint(site.transport.notes[0] ?? '');
    const { size, rootHash } = parseCheckpoint(note);
    verifyConsistency({ oldSize: old.size, oldRootHash: old.rootHash, size, rootHash, proof });
  });

  it('sends the sealed update once, keeps the receipt, and then finds it in the model', async () => {
    await site.sync();
    const { updateId } = await site.sealUpdate();
    const { sent, bytesSent } = await site.sync();
    const file = outbox()?.sealed_file ?? new Uint8Array();
    expect(sent).toEqual([{ updateId, outcome: 'received', code: null, bytes: file.length }]);
    expect(bytesSent.update).toBe(file.length);
    expect(stateOf(updateId)).toBe('received');
    expect(outbox()).toMatchObject({ attempt_count: 1, last_code: null });
    expect(outbox()?.receipt).not.toBeNull();
    expect(site.events().slice(-3)).toEqual([
      'update-sent success',
      'receipt-received success',
      'checkpoint-sent success',
    ]);
    publish(site, statisticsTensors, statisticsModel(updateId));
    site.transport.state.openRound = undefined;
    const { received, sent: again } = await site.sync();
    expect(received).toEqual([{ record: 'global-model', researchStudyId, round: 1 }]);
    expect(again).toEqual([]);
    expect(models()[1]).toEqual({ round: 1, model_digest: sha256Hex(statisticsTensors) });
    expect(site.agreement.openRound(researchStudyId)).toBeUndefined();
  });

  it('catches up over several models and checks that the log continues', async () => {
    await site.sync();
    publish(site, statisticsTensors, {
      ...statisticsModel('a'.repeat(64)),
      included: [{ siteId: 'hungary', updateDigest: 'b'.repeat(64), exampleCount: 60, weight: 1 }],
    });
    const trained = encodeSafetensors(
      new Map([
        ...parseSafetensors(statisticsTensors, { maxBytes: statisticsTensors.length }),
        ['weights/bias', { shape: [1], data: new Float32Array([1]) }],
        ['weights/kernel', { shape: [2, 1], data: new Float32Array([1, 2]) }],
      ]),
    );
    const hungary = [{ siteId: 'hungary', updateDigest: 'c'.repeat(64), exampleCount: 60, weight: 1 }];
    publish(site, trained, {
      round: 2,
      attempt: 1,
      kind: 'training',
      baseModelDigest: sha256Hex(statisticsTensors),
      included: hungary,
    });
    publish(site, trained, {
      round: 3,
      attempt: 1,
      kind: 'evaluation',
      baseModelDigest: sha256Hex(trained),
      included: hungary,
    });
    const { received } = await site.sync();
    expect(received.map(({ round }) => round)).toEqual([1, 2, 3]);
    expect(
      site.transport.requests.filter((request) => request.includes('/v1/log-consistency/')),
    ).toHaveLength(1);
    expect(await refusalCodeOf(site.sync())).toBe('none');
  });

  it('fetches the base of a round that was opened after the list of research studies was made', async () => {
    const { transport } = site;
    transport.intercept = (_request, path) => {
      if (path !== '/v1/research-studies') return undefined;
      transport.intercept = () => undefined;
      const stale = [
        { researchStudyId, planVersion: 1, remedy: 0, latestModelRound: 0, openRound: null, attempt: null },
      ];
      return { status: 200, headers: {}, body: utf8(JSON.stringify(stale)) };
    };
    const hungary = [{ siteId: 'hungary', updateDigest: 'b'.repeat(64), exampleCount: 60, weight: 1 }];
    publish(site, statisticsTensors, { ...statisticsModel('a'.repeat(64)), included: hungary });
    const { planDigest } = site;
    const second = {
      planDigest,
      baseModelDigest: sha256Hex(statisticsTensors),
      round: 2,
      kind: 'training',
    } as const;
    transport.state.openRound = site.consortium.round(second).envelope;
    await site.sync();
    expect(models().map(({ round }) => round)).toEqual([0, 1]);
    expect(site.agreement.openRound(researchStudyId)?.round).toBe(2);
  });

  it('counts every byte that leaves by kind, in this sync and for good', async () => {
    const first = await site.sync();
    await site.sealUpdate();
    const second = await site.sync();
    expect(Object.keys(first.bytesSent).sort()).toEqual(['log-checkpoint', 'request']);
    expect(Object.keys(second.bytesSent).sort()).toEqual(['log-checkpoint', 'request', 'update']);
    const bodies = site.transport.bodies.reduce((sum, body) => sum + body.length, 0);
    const total = loadTraffic(site.store);
    expect((total.sent.update ?? 0) + (total.sent['log-checkpoint'] ?? 0)).toBe(bodies);
    expect(total.sent.request).toBe((first.bytesSent.request ?? 0) + (second.bytesSent.request ?? 0));
    expect(total.received).toBe(first.bytesReceived + second.bytesReceived);
  });

  it('goes on after a restart of the site, from what the encrypted store kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consilium-sync-'));
    const file = join(folder, 'site.db');
    const before = createSyncingSite(file);
    try {
      await before.sync();
      const { updateId } = await before.sealUpdate();
      before.close();
      const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
      expect(bytes.includes('Ada Steward')).toBe(false);
      expect(bytes.includes(updateId)).toBe(false);
      const after = createSiteFoundation('cleveland', file);
      const agreement = openAgreement(after);
      const { sent } = await syncOnce({
        ...after,
        agreement,
        transport: before.transport,
        actor: systemActor,
        reevaluateConsent: unchangedConsent(after.store),
      });
      expect(sent).toMatchObject([{ updateId, outcome: 'received' }]);
      expect(after.auditLog.verify().verified).toBe(true);
      after.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('does not put an older view of the log over the one that another sync stored meanwhile', async () => {
    await site.sync();
    const { updateId } = await site.sealUpdate();
    await site.sync();
    publish(site, statisticsTensors, statisticsModel(updateId));
    const newer = { size: 99, rootHash: new Uint8Array(32) };
    site.transport.intercept = (_request, path) => {
      if (path.startsWith('/v1/log-consistency/'))
        site.store.transaction(() => saveSeenCheckpoint(site.store, newer));
      return undefined;
    };
    expect(await refusalCodeOf(site.sync())).toBe('SYNC_OVERTAKEN');
    expect(loadSeenCheckpoint(site.store)?.size).toBe(99);
    expect(models()).toHaveLength(1);
  });

  it('sends a request for a remedy once, however many subjects it stands for, and takes its answer over', async () => {
    const at = '2026-11-21T08:00:00.000Z';
    for (const subjectId of ['first', 'second']) {
      const subject = { subject_id: subjectId, sex: null, added_at: at };
      site.store.run(site.store.query.insertInto('subject').values(subject));
    }
    for (const subjectNo of [1, 2]) {
      const request = {
        request_digest: 'a'.repeat(64),
        research_study_id: researchStudyId,
        subject_no: subjectNo,
        from_round: 2,
        to_round: 2,
        envelope: utf8('signed'),
        requested_at: at,
        sent_at: null,
        ...{ refused_code: null, answer: null, answer_outcome: null, dismissal_reason: null },
      };
      site.store.run(site.store.query.insertInto('remedy_request').values(request));
    }
    await site.sync();
    await site.sync();
    expect(site.transport.requests.filter((request) => request === 'POST /v1/remedy-requests')).toHaveLength(
      1,
    );
    const waiting = site.store.query
      .selectFrom('remedy_request')
      .select('subject_no')
      .where('sent_at', 'is', null);
    expect(site.store.all(waiting)).toEqual([]);
    const outcomes = () => {
      const query = site.store.query
        .selectFrom('remedy_request')
        .select(['answer_outcome', 'dismissal_reason']);
      return site.store.all(query).map((row) => `${row.answer_outcome} ${row.dismissal_reason}`);
    };
    const answer = (claims: Partial<RemedyAnswer> = {}, signer = site.consortium.keys.model) => {
      const predicate = {
        ...{
          researchStudyId,
          siteId: site.agreement.requireSettings().siteId,
          requestDigest: 'a'.repeat(64),
        },
        ...{ answeredAt: at, outcome: 'dismissed', reason: 'By mistake.' },
        ...claims,
      } as RemedyAnswer;
      return signStatement(encodeStatement(remedyAnswerRecord, { predicate }), [signer]);
    };
    site.transport.state.remedyAnswer = answer({}, site.consortium.keys.plan);
    expect(await refusalCodeOf(site.sync())).toBe('KEY_NOT_TRUSTED');
    site.transport.state.remedyAnswer = answer({ requestDigest: 'b'.repeat(64) });
    expect(await refusalCodeOf(site.sync())).toBe('MIXUP');
    site.transport.state.remedyAnswer = answer({ siteId: 'another' });
    expect(await refusalCodeOf(site.sync())).toBe('MIXUP');
    expect(outcomes()).toEqual(['null null', 'null null']);
    site.transport.state.remedyAnswer = answer();
    await site.sync();
    expect(outcomes()).toEqual(['dismissed By mistake.', 'dismissed By mistake.']);
    expect(site.events()).toContain('remedy-request-answered success');
    const asked = () => site.transport.requests.filter((request) => request.endsWith('/answer')).length;
    const before = asked();
    await site.sync();
    expect(asked()).toBe(before);
  });

  it('needs an enrolment', async () => {
    const bare = createSiteFoundation('bare');
    const agreement = openAgreement(bare);
    expect(
      await refusalCodeOf(
        syncOnce({
          ...bare,
          agreement,
          transport: site.transport,
          actor: systemActor,
          reevaluateConsent: unchangedConsent(bare.store),
        }),
      ),
    ).toBe('NOT_ENROLLED');
    bare.close();
  });
});
