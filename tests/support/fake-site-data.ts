// Data of a made-up site for the renderer's tests: one hospital of the heart study, many patients, a long log, hostile texts.
import { createHash } from 'node:crypto';
import type { AuditEntry, ConsentRow, DisclosureReport, ResearchStudy, StoredOutcome } from '#ipc/schema.ts';

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const dayMs = 86_400_000;
const startMs = Date.parse('2026-11-21T09:00:00Z');
const pick = <T>(items: readonly [T, ...T[]], index: number): T => items[index % items.length] ?? items[0];
type Act = readonly [
  action: string,
  actor: string,
  role: string | null,
  outcome: AuditEntry['outcome'],
  reason: string | null,
];

/** What an attacker would put into a name, a file or a plan (security.md X3). */
export const hostileTexts = {
  html: '<img src="/hostile.png" onerror="window.hostile = true"><script>window.hostile = true</script>',
  override: 'report\u202efdp.exe \u2066hidden\u2069',
  long: `${'W'.repeat(1_048_576)}`,
  markup: '{{name}} $t(app.name) &lt;b&gt; javascript:window.hostile=1',
  stacked: `Z${'\u0301\u0316'.repeat(400)}algo`,
} as const;

const firstNames = [
  'Ada',
  'Béla',
  'Chiara',
  'Dávid',
  'Emese',
  'Ferenc',
  'Gábor',
  'Hanna',
  'Ilona',
  'János',
] as const;
const lastNames = [
  'Kovács',
  'Szabó',
  'Tóth',
  'Nagy',
  'Varga',
  'Molnár',
  'Balogh',
  'Farkas',
  'Papp',
  'Juhász',
  'Lakatos',
] as const;
const refusedRules = ['withdrawn', 'expired', 'no-consent', 'denied', 'not-yet-valid', 'inactive'] as const;

/** Patient number `index`, the same each time. */
export function consentRowAt(index: number): ConsentRow {
  const isPermitted = index % 7 !== 3;
  const rule = isPermitted ? 'permit' : pick(refusedRules, Math.floor(index / 7));
  return {
    subjectId: digestOf(`subject ${index}`).slice(0, 26),
    patientName: `${pick(lastNames, index * 3 + Math.floor(index / 11))}, ${pick(firstNames, index)}`,
    consentId: rule === 'no-consent' ? null : digestOf(`consent ${index}`).slice(0, 12),
    version: rule === 'no-consent' ? null : 1,
    decision: isPermitted ? 'permit' : 'deny',
    rule,
    untilDate: index % 4 === 0 ? '2027-12-31' : null,
    source: rule === 'no-consent' ? null : pick(['fhir', 'csv', 'omop'], index),
    awaitsErasure: rule === 'denied',
  };
}

const features = [
  ['age', 'LOINC 30525-0', 'a'],
  ['sex', 'LOINC 76689-9', null],
  ['trestbps', 'LOINC 8480-6', 'mm[Hg]'],
  ['chol', 'LOINC 2093-3', 'mg/dL'],
  ['fbs', 'fasting-blood-sugar-above-120', null],
  ['thalach', 'maximum-heart-rate', '/min'],
  ['exang', 'exercise-angina', null],
  ['oldpeak', 'st-depression', 'mm'],
  ['cp_2', 'chest-pain-type = 2', null],
  ['cp_3', 'chest-pain-type = 3', null],
  ['cp_4', 'chest-pain-type = 4', null],
  ['restecg_1', 'resting-ecg = 1', null],
  ['restecg_2', 'resting-ecg = 2', null],
] as const;

export const heartStudy: ResearchStudy = {
  researchStudyId: 'heart-disease',
  version: 1,
  title: 'Heart disease from routine clinical values',
  summary:
    'Four hospitals train one model that tells from thirteen routine values whether a patient has coronary heart disease. The model is used for research only and decides nothing about a patient.',
  purposes: ['HRESCH'],
  participants: [
    { siteId: 'cleveland', name: 'Cleveland Clinic Foundation' },
    { siteId: 'hungary', name: 'Hungarian Institute of Cardiology, Budapest' },
    { siteId: 'long-beach', name: 'V.A. Medical Center, Long Beach' },
    { siteId: 'switzerland', name: 'University Hospitals Zurich and Basel' },
  ],
  features: features.map(([name, code, unit]) => ({ name, code, unit })),
  label: 'disease-grade greater than 0',
  rounds: ['statistics', ...Array.from({ length: 14 }, () => 'training'), 'evaluation'],
  minimumCohort: {
    training: 20,
    evaluation: 10,
    reason: 'Fewer patients could be told apart in a sum, and a model trained on them would not be useful.',
  },
  includesDeceased: false,
  ageOfMajority: 18,
  requiresVerification: false,
  remedy: 'rebuild-model',
  planDigest: digestOf('plan'),
};

export const hostileStudy: ResearchStudy = {
  ...heartStudy,
  researchStudyId: 'hostile-texts',
  title: hostileTexts.override,
  summary: hostileTexts.long,
  participants: [{ siteId: 'x', name: hostileTexts.html }],
  features: [{ name: hostileTexts.stacked, code: hostileTexts.html, unit: hostileTexts.override }],
  label: hostileTexts.markup,
};

export const selection: DisclosureReport['selection'] = {
  subjectCount: 312,
  trainingCount: 199,
  holdoutCount: 95,
  excluded: [
    { reason: 'consent-withdrawn', count: 8 },
    { reason: 'consent-expired', count: null },
    { reason: 'no-consent', count: 6 },
  ],
};

export const lossCurve = Array.from({ length: 300 }, (_, index) => ({
  step: index + 1,
  loss: 0.36 + 0.33 * Math.exp(-index / 60) + 0.012 * Math.sin(index * 1.7) * Math.exp(-index / 150),
}));

export function reportOf(round: number): DisclosureReport {
  return {
    researchStudyId: 'heart-disease',
    plan: { version: 1, digest: digestOf('plan') },
    round,
    roundKind: 'training',
    siteId: 'hungary',
    updateDigest: digestOf(`update ${round}`),
    payloadDigest: digestOf(`payload ${round}`),
    payloadBytes: 200,
    statistics: null,
    tensors: [
      { name: 'weights/kernel', dtype: 'F32', shape: [13, 1], l2Norm: 0.4132, largest: 0.2217 },
      { name: 'weights/bias', dtype: 'F32', shape: [1], l2Norm: 0.0718, largest: 0.0718 },
    ],
    l2Norm: 0.4194,
    maxUpdateNorm: 10,
    exampleCount: 199,
    patientCount: 199,
    cohortDigest: digestOf('cohort'),
    consent: { evaluatedAt: '2026-11-21T08:58:12Z', snapshotDigest: digestOf('consents') },
    selection,
    metrics: { lossBefore: 0.4127, lossAfter: 0.3689 },
    notices: ['no-differential-privacy', 'no-secure-aggregation'],
    sinceLast: { round: round - 1, exampleCountChanged: false, l2NormRatio: 0.82 },
    recipient: { keyId: digestOf('recipient'), consortium: 'Heart Consortium' },
  };
}

const acts: readonly [Act, ...Act[]] = [
  ['signed-in', 'Erika Beispiel', 'steward', 'success', null],
  ['names-shown', 'Erika Beispiel', 'steward', 'success', null],
  ['training-started', 'Dr. Imre Nagy', 'investigator', 'success', null],
  ['training-finished', 'system', null, 'success', null],
  ['update-built', 'system', null, 'success', null],
  ['update-approved', 'Erika Beispiel', 'steward', 'success', null],
  ['sign-in-refused', 'Erika Beispiel', null, 'refused', 'WRONG_SECRET'],
  ['update-sent', 'system', null, 'success', null],
  ['send-failed', 'system', null, 'failed', 'CONNECTION_LOST'],
  ['global-model-verified', 'system', null, 'success', null],
  ['consent-withdrawn', 'Erika Beispiel', 'steward', 'success', null],
];

/** Entry number `seq` of the log, rising with time. */
export function auditEntryAt(seq: number): AuditEntry {
  const [action, actor, role, outcome, reason] = pick(acts, seq);
  const isRound = action.startsWith('update') || action.startsWith('training');
  return {
    seq,
    time: new Date(startMs - dayMs + seq * 4_000).toISOString(),
    actor,
    role,
    action,
    object: isRound ? `update:${digestOf(`update ${seq}`).slice(0, 10)}` : null,
    researchStudyId: isRound ? 'heart-disease' : null,
    round: isRound ? 4 : null,
    outcome,
    reason,
    detail: isRound ? JSON.stringify({ payloadBytes: 200, exampleCount: 199 }) : null,
    leafHash: digestOf(`leaf ${seq}`),
  };
}

export const storedOutcomes: StoredOutcome[] = [
  ['visit-2026-11-20.json', 'fhir-bundle', 'rejected', 'TRUNCATED', [0, 0, 0]],
  ['heart-patients.json', 'fhir-bundle', 'accepted', null, [4212, 0, 3]],
  [hostileTexts.override, null, 'rejected', 'NOT_RECOGNISED', [0, 0, 0]],
  [hostileTexts.html, null, 'quarantined', 'NOT_RECOGNISED', [0, 0, 0]],
  [hostileTexts.long, null, 'rejected', 'NOT_RECOGNISED', [0, 0, 0]],
  ['heart-patients.json', 'fhir-bundle', 'duplicate', null, [0, 4212, 0]],
].map(([name, format, outcome, code, rows], index) => {
  const [accepted, duplicate, rejected] = rows as [number, number, number];
  return {
    outcomeId: 100 - index,
    name: name as string,
    format: format as string | null,
    outcome: outcome as StoredOutcome['outcome'],
    code: code as string | null,
    reason: code === null ? null : 'The file ends inside a value.',
    rows: { accepted, duplicate, rejected, notNeeded: 0 },
    finishedAt: new Date(startMs - index * 3_600_000).toISOString(),
  };
});
