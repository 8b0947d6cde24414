// What a site asks for after a withdrawal, and what it says of it (security.md C11).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isoTime } from '#base/clock.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { remedyRequestRecord } from '#federation/records/remedy-request.ts';
import { refusalCode } from '#support/refusal-code.ts';
import { createRoundSite, type RoundSite, researchStudyId } from '#support/round-site.ts';
import { listRemediableRounds, requestRemedy } from './withdrawal-remedy.ts';

const subjectId = 'train-3';
const steward = { name: 'Ada Steward', role: 'steward' } as const;
let site: RoundSite;

const open = (remedy: RoundSite['plan']['withdrawal']['remedy']): void => {
  site = createRoundSite({
    plan: {
      rounds: ['statistics', 'training', 'training', 'evaluation', 'training'],
      withdrawal: { remedy },
    },
  });
};
beforeEach(() => open('rebuild-model'));
afterEach(() => site.close());

const subjectNo = (of: string): number =>
  (site.store.prepare('SELECT subject_no AS no FROM subject WHERE subject_id = ?').get(of) as { no: number })
    .no;

interface Remembered {
  readonly round: number;
  readonly part?: 'training' | 'holdout';
  readonly departure?: 'never' | 'possible' | 'received';
  readonly of?: string;
}

/** As a withdrawal leaves it. */
function remember({ round, part = 'training', departure = 'received', of = subjectId }: Remembered): void {
  site.store.run(
    site.store.query.insertInto('erased_member').values({
      subject_no: subjectNo(of),
      research_study_id: researchStudyId,
      round,
      part,
      departure,
      erased_at: isoTime(site.clock.nowMs()),
    }),
  );
}

const ask = () => requestRemedy(site, { subjectId, researchStudyId }, steward);
const states = () =>
  listRemediableRounds(site, subjectId).map(({ round, remedyState }) => [round, remedyState]);

describe('a remedy', () => {
  it.each<[string, Remembered[], [number, number] | 'REMEDY_NOT_NEEDED']>([
    ['for the training rounds whose update left', [{ round: 1 }, { round: 2 }, { round: 3 }], [2, 3]],
    ['not for statistics, which by subtraction would tell the subject', [{ round: 1 }], 'REMEDY_NOT_NEEDED'],
    ['for one that may have arrived', [{ round: 2, departure: 'possible' }], [2, 2]],
    ['not for one that never left', [{ round: 2, departure: 'never' }, { round: 3 }], [3, 3]],
    ['not for an evaluation, which learns nothing', [{ round: 4 }], 'REMEDY_NOT_NEEDED'],
    [
      'not for the holdout part, which nothing learned from',
      [{ round: 2, part: 'holdout' }],
      'REMEDY_NOT_NEEDED',
    ],
    ['not where nothing left', [{ round: 2, departure: 'never' }], 'REMEDY_NOT_NEEDED'],
    ['not for whoever was in no round', [], 'REMEDY_NOT_NEEDED'],
  ])('is asked %s', (_name, rounds, expected) => {
    for (const round of rounds) remember(round);
    if (expected === 'REMEDY_NOT_NEEDED') {
      expect(refusalCode(ask)).toBe(expected);
      return;
    }
    const [fromRound, toRound] = expected;
    expect(ask()).toMatchObject({ remedy: 'rebuild-model', fromRound, toRound });
  });

  it('is not asked while the subject is still a member', () => {
    site.open('training');
    site.cohorts.freeze({ plan: site.plan, round: 2, kind: 'training', actor: steward });
    expect(states()).toEqual([[2, 'none']]);
    expect(refusalCode(ask)).toBe('REMEDY_NOT_NEEDED');
  });

  it('is asked once', () => {
    remember({ round: 2 });
    ask();
    expect(states()).toEqual([[2, 'requested']]);
    expect(refusalCode(ask)).toBe('REMEDY_NOT_NEEDED');
  });

  it('is asked once for all who withdraw before the next round: the consortium does not learn how many', () => {
    remember({ round: 2 });
    remember({ round: 3 });
    ask();
    site.clock.advance(60_000);
    for (const of of ['train-4', 'train-5']) {
      remember({ round: 3, of });
      requestRemedy(site, { subjectId: of, researchStudyId }, steward);
    }
    const digests = () =>
      site.store.all(site.store.query.selectFrom('remedy_request').select('request_digest').distinct());
    expect(digests()).toHaveLength(1);
    expect(listRemediableRounds(site, 'train-5')).toMatchObject([{ remedyState: 'requested' }]);
    // Also for one who consented and withdrew again.
    site.clock.advance(60_000);
    site.store.run(
      site.store.query.updateTable('erased_member').set({ erased_at: isoTime(site.clock.nowMs()) }),
    );
    ask();
    expect(digests()).toHaveLength(1);
    // A round may hold whoever withdraws after it: that is another request.
    site.open('training');
    remember({ round: 3, of: 'train-6' });
    requestRemedy(site, { subjectId: 'train-6', researchStudyId }, steward);
    expect(digests()).toHaveLength(2);
  });

  it('is asked again where the consortium refused it: its reason may be gone', () => {
    remember({ round: 2 });
    ask();
    site.store.run(site.store.query.updateTable('remedy_request').set({ refused_code: 'KEY_NOT_TRUSTED' }));
    expect(states()).toEqual([[2, 'refused']]);
    site.clock.advance(1);
    ask();
    expect(states()).toEqual([[2, 'requested']]);
    expect(refusalCode(ask)).toBe('REMEDY_NOT_NEEDED');
  });

  it('is asked again where the operator dismissed it, and says why it was', () => {
    remember({ round: 2 });
    ask();
    const dismissed = { answer_outcome: 'dismissed', dismissal_reason: 'By mistake.' } as const;
    site.store.run(site.store.query.updateTable('remedy_request').set(dismissed));
    expect(listRemediableRounds(site, subjectId)).toMatchObject([
      { remedyState: 'dismissed', dismissalReason: 'By mistake.' },
    ]);
    site.clock.advance(1);
    ask();
    expect(listRemediableRounds(site, subjectId)).toMatchObject([
      { remedyState: 'requested', dismissalReason: null },
    ]);
  });

  it('is no longer asked for once the consortium answers that it is carried out: a site that left has no other word', () => {
    remember({ round: 2 });
    ask();
    site.store.run(site.store.query.updateTable('remedy_request').set({ answer_outcome: 'carried-out' }));
    expect(states()).toEqual([[2, 'carried-out']]);
    expect(refusalCode(ask)).toBe('REMEDY_NOT_NEEDED');
  });

  it('that was carried out stands for whoever withdraws before the next round: the consortium does not learn how many', () => {
    site.close();
    open('leave-study');
    remember({ round: 2 });
    ask();
    site.store.run(site.store.query.updateTable('remedy_request').set({ answer_outcome: 'carried-out' }));
    site.clock.advance(60_000);
    remember({ round: 2, of: 'train-4' });
    requestRemedy(site, { subjectId: 'train-4', researchStudyId }, steward);
    const digests = site.store.query.selectFrom('remedy_request').select('request_digest').distinct();
    expect(site.store.all(digests)).toHaveLength(1);
    expect(listRemediableRounds(site, 'train-4')).toMatchObject([{ remedyState: 'carried-out' }]);
  });

  it('is not asked where the plan keeps the model', () => {
    site.close();
    open('keep-model');
    remember({ round: 2 });
    expect(refusalCode(ask)).toBe('REMEDY_KEEPS_MODEL');
    expect(listRemediableRounds(site, subjectId)).toMatchObject([{ remedy: 'keep-model', epsilon: null }]);
  });

  it('that leaves the study is kept here too: a round that is opened afterwards asks this site in vain', () => {
    site.close();
    open('leave-study');
    site.open('training');
    remember({ round: 2 });
    site.clock.advance(1);
    ask();
    const attempt = () => site.agreement.openRound(researchStudyId)?.attempt;
    expect(attempt()).toBe(1);
    site.clock.advance(1);
    const baseModelDigest = site.agreement.openRound(researchStudyId)?.baseModelDigest ?? '';
    const { planDigest } = site;
    const claims = { planDigest, baseModelDigest, round: 2, attempt: 2, kind: 'training' } as const;
    site.agreement.acceptRound(site.consortium.round(claims).envelope, steward);
    expect(attempt()).toBeUndefined();
  });

  it('is asked in words that name rounds and nobody: the subject stays here', () => {
    remember({ round: 2 });
    ask();
    const row = site.store.get(site.store.query.selectFrom('remedy_request').selectAll());
    const trust = site.agreement.trustedKeys();
    const record = verifyRecord(remedyRequestRecord, row?.envelope ?? new Uint8Array(), {
      trust,
      atMs: site.clock.nowMs(),
      siteId: 'cleveland',
    });
    expect(Object.keys(record.predicate).sort()).toEqual(
      ['fromRound', 'planDigest', 'remedy', 'requestedAt', 'researchStudyId', 'siteId', 'toRound'].sort(),
    );
    expect(new TextDecoder().decode(record.statement)).not.toContain(subjectId);
  });

  it('is carried out where the consortium took the round back since', () => {
    remember({ round: 2 });
    remember({ round: 3 });
    ask();
    const row = {
      research_study_id: researchStudyId,
      number: 1,
      kind: 'rebuild-model',
      from_round: 3,
      model_digest: 'a'.repeat(64),
      envelope: new Uint8Array(),
      accepted_at: isoTime(site.clock.nowMs()),
    } as const;
    site.store.run(site.store.query.insertInto('remedy').values(row));
    expect(states()).toEqual([
      [2, 'requested'],
      [3, 'carried-out'],
    ]);
  });
});
