import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '#base/logger.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { openAuditLog, systemActor } from '#site/audit/index.ts';
import { openSubjectRegistry, patientOf, subjectIdOf } from '#site/deidentify/index.ts';
import {
  convertUnit,
  type FileOutcome,
  type IngestSummary,
  openIngest,
  openTimeZone,
} from '#site/ingest/index.ts';
import { openObjectStore, openStore, type Store } from '#site/store/index.ts';
import { heartSystem, loinc } from './heart-exports/code-system.ts';
import { type HeartExport, makeHeartExports } from './make-heart-exports.ts';

const assets = fileURLToPath(new URL('../assets/research-studies/heart/', import.meta.url));
const keys = { subjectKey: new Uint8Array(32).fill(3), linkageKey: new Uint8Array(32).fill(4) };
const splitHospitals = {
  cleveland: 'cleveland',
  hungary: 'hungarian',
  switzerland: 'switzerland',
  'long-beach': 'va',
};

interface Site {
  readonly made: HeartExport;
  readonly store: Store;
  readonly summary: IngestSummary;
  readonly again: IngestSummary;
}

let folder = '';
let sites: Site[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-heart-'));
  const opened: Site[] = [];
  for (const made of makeHeartExports(folder)) {
    const clock = { nowMs: () => Date.UTC(2026, 10, 21) };
    const file = path.join(folder, `${made.siteId}.db`);
    const store = openStore({ file, key: new Uint8Array(32).fill(2), clock });
    const signer = createSigningKey(new Uint8Array(32).fill(5));
    const auditLog = openAuditLog({ store, signer, origin: 'test', bootId: 'boot', softwareVersion: '0' });
    const objects = openObjectStore({ store, profile: folder });
    const ingest = openIngest({
      store,
      objects,
      auditLog,
      keys,
      zone: openTimeZone('UTC'),
      logger: silentLogger,
    });
    const run = async (): Promise<IngestSummary> => {
      const signal = new AbortController().signal;
      for await (const event of ingest.ingestPaths({
        paths: [made.folder],
        mapping: null,
        actor: systemActor,
        signal,
      })) {
        if (event.kind === 'summary') return event.summary;
      }
      throw new Error('no summary');
    };
    opened.push({ made, store, summary: await run(), again: await run() });
  }
  sites = opened;
});
afterAll(() => {
  for (const { store } of sites) store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A row as text: fold, 13 features in float32, label. */
function rowText(fold: string, numbers: readonly number[], label: number): string {
  return [fold, ...numbers.map((value) => Math.fround(value)), label].join(' ');
}

function expectedRows(siteId: keyof typeof splitHospitals): Map<number, string> {
  const [header = '', ...lines] = readFileSync(path.join(assets, 'heart_flamby_split.csv'), 'utf8')
    .trim()
    .split('\n');
  expect(header.trim()).toBe(
    'center,hospital,source_line,split,age,sex,trestbps,chol,fbs,thalach,exang,oldpeak,cp_2,cp_3,cp_4,restecg_1,restecg_2,y',
  );
  const rows = lines
    .map((line) => line.trim().split(','))
    .filter((cells) => cells[1] === splitHospitals[siteId]);
  return new Map(
    rows.map((cells) => [
      Number(cells[2]),
      rowText(cells[3] ?? '', cells.slice(4, 17).map(Number), Number(cells[17])),
    ]),
  );
}

/** A subject's row from the store alone, by the table of docs/heart-disease.md. */
function storedRow(store: Store, subjectId: string): string | undefined {
  const { query } = store;
  const facts = store.all(query.selectFrom('subject_fact').selectAll().where('subject_id', '=', subjectId));
  const subject = store.get(query.selectFrom('subject').selectAll().where('subject_id', '=', subjectId));
  const find = (system: string, code: string) =>
    facts.find((fact) => fact.code_system === system && fact.code === code);
  const split = find(heartSystem, 'split')?.value_code;
  if (split === undefined || split === null) return undefined;
  const quantity = (system: string, code: string, unit: string): number => {
    const fact = find(system, code);
    return convertUnit(fact?.value_number ?? Number.NaN, fact?.unit ?? '', unit);
  };
  const boolean = (code: string): number => find(heartSystem, code)?.value_number ?? Number.NaN;
  const isCode = (code: string, value: string): number =>
    find(heartSystem, code)?.value_code === value ? 1 : 0;
  const features = [
    openSubjectRegistry({ store, keys }).ageOn(subjectId, facts[0]?.day ?? 0) ?? Number.NaN,
    subject?.sex === 'male' ? 1 : 0,
    quantity(loinc, '8480-6', 'mm[Hg]'),
    quantity(loinc, '2093-3', 'mg/dL'),
    boolean('fasting-blood-sugar-above-120'),
    quantity(heartSystem, 'maximum-heart-rate', '/min'),
    boolean('exercise-angina'),
    quantity(heartSystem, 'st-depression', 'mm'),
    ...['2', '3', '4'].map((value) => isCode('chest-pain-type', value)),
    ...['1', '2'].map((value) => isCode('resting-ecg', value)),
  ];
  return rowText(split, features, quantity(heartSystem, 'disease-grade', '1') > 0 ? 1 : 0);
}

function subjectsOf({ made }: Site): { subjectId: string; sourceLine: number | null }[] {
  return made.patients.map(({ number, sourceLine }) => ({
    subjectId: subjectIdOf(keys.subjectKey, { authority: made.authority, identifier: number }),
    sourceLine,
  }));
}

describe('the exports of the four hospitals', () => {
  it('are the same bytes each time', () => {
    const again = mkdtempSync(path.join(tmpdir(), 'consilium-heart-again-'));
    for (const { folder: made, siteId } of makeHeartExports(again)) {
      for (const name of readdirSync(made)) {
        const first = readFileSync(path.join(folder, siteId, name));
        expect(readFileSync(path.join(made, name)).equals(first), `${siteId}/${name}`).toBe(true);
      }
    }
    rmSync(again, { recursive: true, force: true });
  });

  it('are taken whole: no file and no row is refused', () => {
    const refused = sites
      .flatMap(({ summary }) => summary.files)
      .filter(({ outcome, code }) => outcome !== 'accepted' || code !== null);
    expect(refused).toEqual([]);
    expect(sites.map(({ summary }) => summary.rows.patient)).toEqual([309, 300, 129, 206]);
    expect(sites.map(({ summary }) => summary.rows.consent)).toEqual([309, 300, 129, 206]);
    const formats = sites.map(({ summary }) => new Set(summary.files.map(({ format }) => format)));
    expect(formats).toEqual([
      new Set(['csv-mapping', 'csv']),
      new Set(['fhir-bundle']),
      new Set(['omop-csv']),
      new Set(['fhir-ndjson']),
    ]);
  });

  it('change nothing when they are imported a second time', () => {
    for (const { again, summary } of sites) {
      expect(again.rows).toEqual({});
      expect(again.files.map(({ outcome }: FileOutcome) => outcome)).toEqual(
        summary.files.map(() => 'duplicate'),
      );
    }
  });

  it.each([
    ['cleveland', 199, 104],
    ['hungary', 172, 89],
    ['switzerland', 30, 16],
    ['long-beach', 85, 45],
  ] as const)(
    'give back every row of FLamby’s split at %s, equal in float32 (%i train, %i test)',
    (siteId, train, test) => {
      const site = sites.find(({ made }) => made.siteId === siteId);
      if (site === undefined) throw new Error('no such site');
      const expected = expectedRows(siteId);
      const real = subjectsOf(site).filter(({ sourceLine }) => sourceLine !== null);
      const found = new Map<number, string>();
      for (const { subjectId, sourceLine } of real) {
        const row = storedRow(site.store, subjectId);
        if (row !== undefined) found.set(sourceLine ?? 0, row);
      }
      expect(found).toEqual(expected);
      const folds = [...found.values()].map((row) => row.split(' ')[0]);
      expect([
        folds.filter((fold) => fold === 'train').length,
        folds.filter((fold) => fold === 'test').length,
      ]).toEqual([train, test]);
    },
  );

  it('keep the Swiss cholesterol of 0', () => {
    const site = sites.find(({ made }) => made.siteId === 'switzerland');
    const facts = site?.store.all(
      site.store.query
        .selectFrom('subject_fact')
        .select(['value_number', 'unit'])
        .where('code', '=', '2093-3'),
    );
    expect(facts?.length).toBeGreaterThan(120);
    expect(new Set(facts?.map(({ value_number, unit }) => `${value_number} ${unit}`))).toEqual(
      new Set(['0 mg/dL']),
    );
  });

  it('have Hungarian cholesterol in another unit than the plan', () => {
    const site = sites.find(({ made }) => made.siteId === 'hungary');
    const units = site?.store.all(
      site.store.query.selectFrom('subject_fact').select('unit').distinct().where('code', '=', '2093-3'),
    );
    expect(units).toContainEqual({ unit: 'g/L' });
  });

  it('carry a permit for every real patient and none that holds for the six made-up ones, who are complete', () => {
    for (const site of sites) {
      const { store, made } = site;
      const today = Date.UTC(2026, 10, 21) / 86_400_000;
      for (const { subjectId, sourceLine } of subjectsOf(site)) {
        const consents = store.all(
          store.query.selectFrom('consent').selectAll().where('subject_id', '=', subjectId),
        );
        expect(consents.map(({ version, research_study_id }) => [version, research_study_id])).toEqual([
          [1, 'heart-disease'],
        ]);
        // Even the largest offset does not bring an expired consent back, nor end an open one.
        const holds = consents.some(
          ({ status, decision, until_day }) =>
            status === 'active' && decision === 'permit' && (until_day ?? 0) > today + 400,
        );
        expect(holds, `${made.siteId} ${sourceLine}`).toBe(sourceLine !== null);
        if (sourceLine === null) expect(storedRow(store, subjectId)).not.toMatch(/undefined|NaN/);
      }
      expect(made.patients.filter(({ sourceLine }) => sourceLine === null)).toHaveLength(6);
    }
  });

  it('bring names only into sealed links', () => {
    for (const site of sites) {
      const [first] = site.made.patients;
      const subjectId = subjectsOf(site)[0]?.subjectId ?? '';
      const found = patientOf(site.store, keys.linkageKey, subjectId);
      expect(found?.identifier === first?.number || found?.name?.includes(first?.family ?? '-')).toBe(true);
      const rows = [
        ...site.store.all(site.store.query.selectFrom('subject_fact').selectAll()),
        ...site.store.all(site.store.query.selectFrom('subject').selectAll()),
        ...site.store.all(site.store.query.selectFrom('audit_leaf').select('line')),
        ...site.store.all(site.store.query.selectFrom('audit_detail').select('detail')),
      ];
      const text = JSON.stringify(rows);
      for (const { family, number } of site.made.patients) {
        expect(text.includes(family)).toBe(false);
        expect(text.includes(number)).toBe(false);
      }
    }
  });
});
