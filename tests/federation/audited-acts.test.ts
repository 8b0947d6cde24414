// Acts that no other test finds in the log (security.md A7): one site through a whole research study, with what a person does in it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { parseLeaf } from '#federation/log/leaf.ts';
import { openStore } from '#site/store/index.ts';
import {
  type AttackedFederation,
  researchStudyId,
  startAttackedFederation,
} from '#support/attacked-federation.ts';
import { sliceFile } from '#support/image-files.ts';

let federation: AttackedFederation;
let actions: ReadonlySet<string>;

beforeAll(async () => {
  federation = await startAttackedFederation();
  const { cleveland } = federation;
  await playRound();
  await playRound();
  await withdrawSomebody();
  await federation.consortium.operations.carryOutRemedy({ researchStudyId });
  await cleveland.sync();
  await playRound();
  await playRound();
  await importImage();
  actions = new Set(loggedActions());
});
afterAll(() => federation.close());

async function playRound(): Promise<void> {
  await federation.openRound();
  await federation.finishRound();
}

/** A patient whose record was in an update that left: withdraws, and the remedy is asked for; another one consents. */
async function withdrawSomebody(): Promise<void> {
  const { site, person } = federation.cleveland;
  const page = { researchStudyId, decision: null, search: '', offset: 0, limit: 500 } as const;
  const { rows } = site.consent.list(page, person);
  const isTaught = (subjectId: string) =>
    site.consent.rounds(subjectId, person).some(({ remedy }) => remedy !== null);
  const taught = rows.find(({ subjectId }) => isTaught(subjectId));
  const other = rows.find(({ subjectId }) => subjectId !== taught?.subjectId);
  if (taught === undefined || other === undefined) throw new Error('nobody was in a round of training');
  site.consent.grant({ subjectId: other.subjectId, researchStudyId, untilDate: null }, person);
  await site.consent.withdraw({ subjectId: taught.subjectId, researchStudyId: null }, person);
  site.consent.requestRemedy({ subjectId: taught.subjectId, researchStudyId }, person);
  await federation.cleveland.sync();
}

async function importImage(): Promise<void> {
  const { site, person } = federation.cleveland;
  const file = path.join(federation.directory, 'slice.dcm');
  writeFileSync(file, sliceFile({ patient: 'P-image', instance: 1 }));
  const order = { paths: [file], mapping: null, actor: person, signal: new AbortController().signal };
  for await (const _ of site.ingest.ingestPaths(order));
}

function loggedActions(): string[] {
  const { profile, keys } = federation.cleveland;
  const store = openStore({ file: path.join(profile, 'site.db'), key: keys.storeKey, clock: systemClock });
  try {
    const rows = store.all(store.query.selectFrom('audit_leaf').select('line'));
    return rows.map(({ line }) => parseLeaf(line)).map(({ action, outcome }) => `${action} ${outcome}`);
  } finally {
    store.close();
  }
}

it.each([
  'plan-accepted',
  'statistics-started',
  'statistics-computed',
  'evaluation-started',
  'evaluation-finished',
  'consent-granted',
  'consent-withdrawn',
  'subject-erased',
  'subject-rounds-shown',
  'remedy-requested',
  'remedy-request-sent',
  'remedy-accepted',
  'images-imported',
])('%s stands in the log of the site where it was done', (action) => {
  expect(actions).toContain(`${action} success`);
});
