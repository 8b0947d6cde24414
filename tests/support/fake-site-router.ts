// A made-up site behind the real contract, for tests of the renderer alone. It keeps decisions and withdrawals, and nothing else.

import { implement, ORPCError } from '@orpc/server';
import { siteContract } from '#ipc/contract.ts';
import type { ConsentRow, Person, UpdateSummary } from '#ipc/schema.ts';
import {
  auditEntryAt,
  consentRowAt,
  digestOf,
  heartStudy,
  hostileStudy,
  hostileTexts,
  lossCurve,
  reportOf,
  selection,
} from './fake-site-data.ts';
import { ingestRouter } from './fake-site-ingest.ts';
import { mappingRouter, quarantineRouter, sourcesRouter } from './fake-site-intake.ts';
import { qualityEvents } from './fake-site-quality.ts';

export interface FakeSiteOptions {
  /** Another record outweighs every consent that is granted. */
  readonly isGrantOutweighed?: boolean;
  /** How many patients the consent screen lists. */
  readonly subjectCount?: number;
  readonly auditCount?: number;
  /** What stands where a person, a plan or a file could have written it. */
  readonly isHostile?: boolean;
  /** Signed in from the start. */
  readonly person?: Person | null;
  readonly isRoundOpen?: boolean;
  /** No data, no consortium. */
  readonly isEmpty?: boolean;
  readonly stepDelayMs?: number;
  /** How long the site takes for each chunk of a file. */
  readonly pushDelayMs?: number;
  /** How many files are held in quarantine. */
  readonly heldCount?: number;
  /** Lists of the Import screen fail. */
  readonly isRefusing?: boolean;
}

export const fakeSecret = 'correct horse battery';
export const fakePerson: Person = { name: 'Erika Beispiel', role: 'steward' };
const currentRound = 5;

/** The state of one fake site, shared by its connections. */
export function createFakeSite(options: FakeSiteOptions = {}) {
  const subjectCount = options.isEmpty ? 0 : (options.subjectCount ?? 100_000);
  const auditCount = options.auditCount ?? 100_000;
  const changes = new Map<string, Partial<ConsentRow>>();
  const state = {
    person: options.person === undefined ? fakePerson : options.person,
    current: (options.isRoundOpen ? 'open' : 'draft') as 'open' | UpdateSummary['state'],
    isCancelled: false,
    files: [] as { name: string; size: number }[],
    /** Mapping of the last batch. */
    mapping: null as string | null,
    batches: 0,
    listCalls: 0,
    /** Subjects for whom the plan's remedy was asked. */
    remediesAsked: new Set<string>(),
    decisions: [] as { kind: 'release' | 'delete'; quarantineId: number; reason: string }[],
    runs: [] as string[],
    pushed: [] as { fileIndex: number; offset: number; isLast: boolean }[],
  };
  const rowAt = (index: number): ConsentRow => {
    const row = consentRowAt(index);
    const texts = [
      hostileTexts.html,
      hostileTexts.override,
      hostileTexts.long,
      hostileTexts.markup,
      hostileTexts.stacked,
    ];
    const patientName = options.isHostile && index < texts.length ? (texts[index] ?? null) : row.patientName;
    return { ...row, patientName, ...changes.get(row.subjectId) };
  };
  return { options, subjectCount, auditCount, changes, state, rowAt };
}

export type FakeSite = ReturnType<typeof createFakeSite>;

function updatesOf(site: FakeSite): UpdateSummary[] {
  const earlier = [4, 3, 2, 1].map((round) => ({
    updateId: `update-${round}`,
    researchStudyId: 'heart-disease',
    round,
    kind: round === 1 ? ('statistics' as const) : ('training' as const),
    state: round === 3 ? ('refused' as const) : ('received' as const),
    builtAt: `2026-11-${10 + round}T09:12:00Z`,
  }));
  if (site.options.isEmpty) return [];
  if (site.state.current === 'open') return earlier;
  const draft = { updateId: 'update-5', round: 5, kind: 'training' as const, state: site.state.current };
  return [{ ...draft, researchStudyId: 'heart-disease', builtAt: '2026-11-21T08:59:00Z' }, ...earlier];
}

function matches(site: FakeSite, query: { search: string; decision: string | null }): ConsentRow[] {
  const needle = query.search.toLowerCase();
  const rows: ConsentRow[] = [];
  for (let index = 0; index < site.subjectCount; index += 1) {
    const row = site.rowAt(index);
    const isHit =
      needle === '' ||
      row.subjectId.includes(needle) ||
      (row.patientName ?? '').toLowerCase().includes(needle);
    if (isHit && (query.decision === null || row.decision === query.decision)) rows.push(row);
  }
  return rows;
}

export const wait = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs));
export const refuse = (code: string, message: string): ORPCError<string, unknown> =>
  new ORPCError(code, { message, status: 400 });
const os = implement(siteContract);

export function createFakeSiteRouter(site: FakeSite) {
  const { options, state } = site;
  const studies = options.isEmpty ? [] : options.isHostile ? [hostileStudy, heartStudy] : [heartStudy];
  return os.router({
    session: sessionRouter(site),
    status: os.status.handler(() => ({
      siteId: options.isEmpty ? null : 'hungary',
      name: options.isHostile ? hostileTexts.html : 'Hungarian Institute of Cardiology',
      version: '0.1.0',
      consortium: options.isEmpty ? null : 'Heart Consortium',
      engine: options.isEmpty
        ? null
        : { name: 'tensorflow', version: '2.21', reason: 'native TensorFlow is set up on this machine' },
      subjectCount: site.subjectCount,
      factCount: site.subjectCount * 14,
      updatesToReview: !options.isEmpty && state.current === 'draft' ? 1 : 0,
      outboxCount: state.current === 'approved' ? 1 : 0,
    })),
    enrolment: {
      accept: os.enrolment.accept.handler(() => ({ siteId: 'hungary', consortium: 'Heart Consortium' })),
    },
    people: {
      list: os.people.list.handler(() => [fakePerson]),
      add: os.people.add.handler(({ input }) => ({ name: input.name, role: input.role })),
    },
    ingest: ingestRouter(site),
    quarantine: quarantineRouter(site),
    mapping: mappingRouter(site),
    sources: sourcesRouter(site),
    records: os.records.handler(() =>
      options.isEmpty
        ? []
        : heartStudy.features.slice(0, 8).map((feature, index) => ({
            kind: 'measurement',
            system:
              index < 4 ? 'http://loinc.org' : 'https://consilium.example/fhir/CodeSystem/heart-disease',
            code: feature.code.replace('LOINC ', ''),
            factCount: site.subjectCount,
            subjectCount: site.subjectCount,
          })),
    ),
    consent: consentRouter(site),
    researchStudies: os.researchStudies.handler(() => studies),
    quality: {
      report: os.quality.report.handler(qualityEvents),
    },
    cohort: {
      preview: os.cohort.preview.handler(({ input }) => ({
        researchStudyId: input.researchStudyId,
        meetsMinimum: true,
        selection,
        features: heartStudy.features.map((feature, index) => ({
          name: feature.name,
          presentCount: 294 - (index % 3),
          missingCount: index % 3 === 0 ? 0 : null,
          unitNotConvertibleCount: 0,
          flaggedCount: feature.name === 'chol' ? 123 : 0,
          isConstant: feature.name === 'chol',
        })),
      })),
    },
    round: roundRouter(site),
    updates: updatesRouter(site),
    sync: os.sync.handler(() => {
      const isWaiting = state.current === 'approved';
      if (isWaiting) state.current = 'received';
      return {
        received: [{ record: 'round', researchStudyId: 'heart-disease', round: 5 }],
        sent: isWaiting
          ? [{ updateId: 'update-5', outcome: 'received' as const, code: null, bytes: 2_913 }]
          : [],
        bytesSent: { update: isWaiting ? 2_913 : 0 },
        bytesReceived: 4_096,
      };
    }),
    evaluations: os.evaluations.handler(({ input }) =>
      [2, 3, 4].map((round) => ({
        researchStudyId: input.researchStudyId,
        round,
        modelDigest: digestOf(`model ${round}`),
        exampleCount: 95,
        correctCount: 70 + round * 2,
        accuracy: (70 + round * 2) / 95,
        meanLoss: 0.52 - round * 0.03,
        evaluatedAt: `2026-11-${10 + round}T11:30:00Z`,
      })),
    ),
    audit: auditRouter(site),
  });
}

function sessionRouter(site: FakeSite) {
  const { state } = site;
  return {
    signIn: os.session.signIn.handler(({ input }) => {
      if (input.secret !== fakeSecret) throw refuse('SIGN_IN_REFUSED', 'Name or secret is wrong.');
      state.person = { name: input.name, role: 'steward' };
      return state.person;
    }),
    signOut: os.session.signOut.handler(() => {
      state.person = null;
    }),
    current: os.session.current.handler(() => state.person),
  };
}

function consentRouter(site: FakeSite) {
  const change = (subjectId: string, values: Partial<ConsentRow>): ConsentRow => {
    site.changes.set(subjectId, values);
    const row = matches(site, { search: subjectId, decision: null })[0];
    if (row === undefined) throw refuse('SUBJECT_UNKNOWN', 'No such subject.');
    return row;
  };
  return {
    list: os.consent.list.handler(({ input }) => {
      site.state.listCalls += 1;
      const found = matches(site, input);
      const permitted = found.filter((row) => row.decision === 'permit').length;
      const rows = found.slice(input.offset, input.offset + input.limit);
      return { total: found.length, permitted, denied: found.length - permitted, rows };
    }),
    grant: os.consent.grant.handler(({ input }) =>
      change(input.subjectId, {
        ...(site.options.isGrantOutweighed
          ? { decision: 'deny' as const, rule: 'withdrawn' }
          : { decision: 'permit' as const, rule: 'permit' }),
        untilDate: input.untilDate,
        source: 'steward',
      }),
    ),
    withdraw: os.consent.withdraw.handler(({ input }) =>
      change(input.subjectId, {
        ...{ decision: 'deny', rule: 'withdrawn', source: 'steward' },
        awaitsErasure: false,
      }),
    ),
    rounds: os.consent.rounds.handler(({ input }) => {
      const isOut = site.changes.get(input.subjectId)?.decision === 'deny';
      const asked = site.state.remediesAsked.has(input.subjectId);
      return [1, 2, 3].map((round) => ({
        researchStudyId: heartStudy.researchStudyId,
        round,
        part: 'training' as const,
        departure: 'received' as const,
        erasedAt: isOut ? '2026-11-21T08:00:00.000Z' : null,
        remedy: round === 1 ? null : ('rebuild-model' as const),
        remedyState: asked && round > 1 ? ('requested' as const) : ('none' as const),
        dismissalReason: null,
        epsilon: null,
      }));
    }),
    requestRemedy: os.consent.requestRemedy.handler(({ input: { subjectId, researchStudyId } }) => {
      site.state.remediesAsked.add(subjectId);
      const requestedAt = '2026-11-21T08:00:00.000Z';
      return { researchStudyId, remedy: 'rebuild-model' as const, fromRound: 2, toRound: 3, requestedAt };
    }),
    importOptOuts: os.consent.importOptOuts.handler(({ input }) => ({
      authority: input.authority,
      entryCount: 1200,
      matchedCount: 3,
    })),
  };
}

function roundRouter(site: FakeSite) {
  const { state } = site;
  return {
    current: os.round.current.handler(({ input }) => ({
      researchStudyId: input.researchStudyId,
      round: currentRound,
      roundCount: heartStudy.rounds.length,
      kind: 'training' as const,
      closesAt: '2026-11-28T18:00:00Z',
      state: state.current,
      updateId: state.current === 'open' ? null : 'update-5',
    })),
    run: os.round.run.handler(async function* () {
      state.isCancelled = false;
      yield { kind: 'phase' as const, phase: 'cohort' as const };
      yield { kind: 'phase' as const, phase: 'training' as const };
      for (const { step, loss } of lossCurve) {
        if (state.isCancelled) throw refuse('TRAINING_CANCELLED', 'Cancelled.');
        await wait(site.options.stepDelayMs ?? 5);
        yield { kind: 'progress' as const, step, stepCount: lossCurve.length, loss };
      }
      yield { kind: 'phase' as const, phase: 'update' as const };
      state.current = 'draft';
      yield { kind: 'done' as const, updateId: 'update-5' };
    }),
    cancel: os.round.cancel.handler(() => {
      state.isCancelled = true;
    }),
  };
}

function updatesRouter(site: FakeSite) {
  const decide = (
    input: { secret: string; reportDigest: string; updateId: string },
    to: 'approved' | 'refused',
  ) => {
    if (input.secret !== fakeSecret) throw refuse('SIGN_IN_REFUSED', 'Name or secret is wrong.');
    if (input.reportDigest !== digestOf('report')) throw refuse('REPORT_CHANGED', 'Another report.');
    site.state.current = to;
    return find(input.updateId);
  };
  const find = (updateId: string): UpdateSummary => {
    const summary = updatesOf(site).find((update) => update.updateId === updateId);
    if (summary === undefined) throw refuse('UPDATE_NOT_FOUND', 'No such update.');
    return summary;
  };
  return {
    list: os.updates.list.handler(() => updatesOf(site)),
    review: os.updates.review.handler(({ input }) => {
      const summary = find(input.updateId);
      return { summary, report: reportOf(summary.round), reportDigest: digestOf('report'), lossCurve };
    }),
    approve: os.updates.approve.handler(({ input }) => decide(input, 'approved')),
    refuse: os.updates.refuse.handler(({ input }) => decide(input, 'refused')),
  };
}

function auditRouter(site: FakeSite) {
  return {
    list: os.audit.list.handler(({ input }) => {
      const needle = input.search.toLowerCase();
      const entries = Array.from({ length: site.auditCount }, (_, index) =>
        auditEntryAt(site.auditCount - 1 - index),
      ).filter(
        (entry) =>
          (input.action === null || entry.action === input.action) &&
          (needle === '' ||
            `${entry.actor} ${entry.action} ${entry.object ?? ''}`.toLowerCase().includes(needle)),
      );
      const actions = [...new Set(Array.from({ length: 11 }, (_, index) => auditEntryAt(index).action))];
      return {
        total: entries.length,
        actions,
        entries: entries.slice(input.offset, input.offset + input.limit),
      };
    }),
    verify: os.audit.verify.handler(() => ({
      verified: !site.options.isHostile,
      leafCount: site.auditCount,
      checkpointCount: 412,
      rootHash: digestOf('root'),
      problem: site.options.isHostile ? { seq: 17, code: 'LEAF_CHANGED', message: hostileTexts.html } : null,
    })),
    export: os.audit.export.handler(() => ({ files: [], leafCount: site.auditCount })),
  };
}
