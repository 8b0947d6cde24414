// Analyses in a thread: the same as the site's own reading, in one state of the store while the site writes on, cancelled at once.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { readCandidates, readPreview } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { readQualityReport } from '#site/quality/index.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';
import { addConsent, addSubject, createTestPlan } from '#support/stored-subjects.ts';
import { type Analyses, openAnalyses, type QualityEvent } from './analyses.ts';

const profile = mkdtempSync(path.join(tmpdir(), 'consilium-analyses-'));
const actor = { name: 'Ina Vest', role: 'investigator' } as const;
const keys = { subjectKey: new Uint8Array(32).fill(1), linkageKey: new Uint8Array(32).fill(2) };
const pseudonymKey = () => new Uint8Array(32).fill(7);
const plan = createTestPlan();
const subjectCount = 60;
let site: SiteFoundation;
let analyses: Analyses;
const file = path.join(profile, 'site.db');
const open = (entry?: URL, key = site.keyStore.load()?.storeKey ?? new Uint8Array(32)): Analyses =>
  openAnalyses({
    ...site,
    keys,
    pseudonymKey,
    door: { file, key },
    ...(entry === undefined ? {} : { entry }),
  });

beforeAll(() => {
  site = createSiteFoundation('analyses', file);
  for (let at = 0; at < subjectCount; at += 1) {
    addSubject(site.store, `s${at}`, {
      part: at % 3 === 0 ? 'test' : 'train',
      sex: 'female',
      age: 50,
      cholesterol: 150 + at,
      angina: at % 2 === 0 ? 1 : 0,
      pain: '2',
      grade: at % 2,
      consent: { researchStudyId: null },
    });
  }
  analyses = open();
});
afterEach(() => analyses.close());
afterAll(async () => {
  await analyses.close();
  site.close();
  rmSync(profile, { recursive: true });
});

const asking = (signal = new AbortController().signal) => ({ actor, signal });

/** A thread that says it has begun, and goes on. */
const endless = new URL(
  `data:text/javascript,import { parentPort } from 'node:worker_threads';
  parentPort.postMessage({ kind: 'progress', progress: { done: 0, total: 1 } });
  setInterval(() => {}, 1000);`,
);

/** The site's own reading, on its thread. */
function ownSource() {
  const { store, auditLog } = site;
  const registry = openSubjectRegistry({ store, keys });
  const consents = openConsents({ store, auditLog, days: registry, linkageKey: keys.linkageKey });
  return { store, consents, registry, ages: registry, pseudonymKey };
}

function ownReport() {
  const source = ownSource();
  const candidates = (other: ResearchStudyPlan) => readCandidates(source, other);
  return readQualityReport({ ...source, candidates }, plan);
}

async function all(events: AsyncIterable<QualityEvent>): Promise<QualityEvent[]> {
  const read: QualityEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

describe('an analysis in a thread', () => {
  it('previews what the site would, and leaves an audit event', async () => {
    analyses = open();
    const preview = await analyses.preview(plan, asking());
    expect(preview).toEqual(readPreview(ownSource(), plan));
    expect(preview.selection.subjectCount).toBe(subjectCount);
    expect(site.events()).toContain('cohort-previewed success');
  });

  it('says how far a report is, and ends with it', async () => {
    analyses = open();
    const events = await all(analyses.quality(plan, asking()));
    const last = events.at(-1);
    expect(last).toEqual({ kind: 'report', report: ownReport() });
    const progress = events.filter((event) => event.kind === 'progress');
    expect(progress.map(({ done }) => done)).toEqual(progress.map((_, index) => index));
    expect(progress.every(({ total }) => total === progress.length)).toBe(true);
    expect(site.events()).toContain('quality-report-made success');
  });

  it('holds up nobody: the site answers and writes meanwhile', async () => {
    analyses = open();
    let written = 0;
    const preview = analyses.preview(plan, asking());
    const timer = setInterval(() => {
      site.store.transaction(() => addConsent(site.store, 's1', { consentId: `w${written}` }));
      written += 1;
    }, 5);
    await preview;
    clearInterval(timer);
    expect(written).toBeGreaterThan(3);
  });

  it('is cancelled: at once, with nothing in the log', async () => {
    analyses = open(new URL('../../tests/support/stuck-thread.mjs', import.meta.url));
    const before = site.events().length;
    const abort = new AbortController();
    const preview = refusalCodeOf(analyses.preview(plan, asking(abort.signal)));
    const report = refusalCodeOf(all(analyses.quality(plan, asking(abort.signal))));
    void setTimeout(50).then(() => abort.abort());
    expect([await preview, await report]).toEqual(['ANALYSIS_CANCELLED', 'ANALYSIS_CANCELLED']);
    expect(await refusalCodeOf(analyses.preview(plan, asking(abort.signal)))).toBe('ANALYSIS_CANCELLED');
    expect(site.events()).toHaveLength(before);
  });

  it('ends when somebody withdraws, and may be asked for again', async () => {
    analyses = open(new URL('../../tests/support/stuck-thread.mjs', import.meta.url));
    const preview = refusalCodeOf(analyses.preview(plan, asking()));
    analyses.outdate();
    expect(await preview).toBe('ANALYSIS_CANCELLED');
    await analyses.close();
    analyses = open();
    analyses.outdate();
    expect((await analyses.preview(plan, asking())).selection.subjectCount).toBe(subjectCount);
  });

  it('ends with the site', async () => {
    analyses = open(new URL('../../tests/support/stuck-thread.mjs', import.meta.url));
    const preview = refusalCodeOf(analyses.preview(plan, asking()));
    await analyses.close();
    expect(await preview).toBe('ANALYSIS_CANCELLED');
  });

  it('waits where two are at work already, and begins when one of them ends', async () => {
    analyses = open(endless);
    const aborts = Array.from({ length: 4 }, () => new AbortController());
    const begun: number[] = [];
    const streams = aborts.map(({ signal }) => analyses.quality(plan, asking(signal)));
    const firsts = streams.map((stream, number) =>
      stream.next().then(
        () => begun.push(number),
        () => undefined,
      ),
    );
    await Promise.all(firsts.slice(0, 2));
    await setTimeout(300);
    expect(begun.sort()).toEqual([0, 1]);
    // Who waits can go.
    aborts[2]?.abort();
    await firsts[2];
    expect(begun).toEqual([0, 1]);
    aborts[0]?.abort();
    await firsts[3];
    expect(begun).toEqual([0, 1, 3]);
  });

  it('ends when who reads it leaves', async () => {
    analyses = open(endless);
    for (let reader = 0; reader < 3; reader += 1) {
      const stream = analyses.quality(plan, asking());
      expect(await stream.next()).toMatchObject({ value: { kind: 'progress' } });
      await stream.return();
    }
  });

  it('says when its thread ended without an answer', async () => {
    analyses = open(new URL('data:text/javascript,process.exit(3)'));
    expect(await refusalCodeOf(analyses.preview(plan, asking()))).toBe('ANALYSIS_FAILED');
  });

  it('says when the store does not open', async () => {
    analyses = open(undefined, new Uint8Array(32));
    expect(await refusalCodeOf(analyses.preview(plan, asking()))).toBe('ANALYSIS_FAILED');
  });
});
