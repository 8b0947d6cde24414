// kill -9 of a site while it imports: whole rows are in or not, and importing again ends where an import in peace ends.
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoSiteProfile, reachAsSteward, serveSite } from '#bench/demo/demo-federation.ts';
import { demoHospitals } from '#bench/demo/demo-hospitals.ts';
import { createDemoProcesses, type DemoProcesses, type ServerProcess } from '#bench/demo/demo-processes.ts';
import type { ReachedSite } from '#headless/reach-site.ts';
import type { IngestSummary } from '#ipc/schema.ts';
import { ndjson } from '#support/fhir-resources.ts';
import { readSiteStore } from '#support/stored-profiles.ts';

const secret = 'a secret for this test';
const patientCount = 1_500;
const observationsPerPatient = 24;
/** Makes the observations a file that workers read. */
const remark = 'x'.repeat(150);

let directory: string;
let logFile: number;
let processes: DemoProcesses;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-import-'));
  mkdirSync(path.join(directory, 'keys'), { mode: 0o700 });
  mkdirSync(path.join(directory, 'export'));
  logFile = openSync(path.join(directory, 'processes.log'), 'a', 0o600);
  processes = createDemoProcesses(logFile);
  writeExport(path.join(directory, 'export'));
});
afterAll(async () => {
  await processes.stop();
  closeSync(logFile);
  rmSync(directory, { recursive: true, force: true });
});

/** A FHIR export of some megabytes: a small file that one thread reads, and a large one that workers read, in several transactions. */
function writeExport(folder: string): void {
  const ids = Array.from({ length: patientCount }, (_, index) => `patient-${index}`);
  const patients = ids.map((id, index) => ({
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'https://import.example/patient-number', value: `N${100_000 + index}` }],
    name: [{ family: `Family${index}`, given: [`Given${index}`] }],
    gender: index % 2 === 0 ? 'male' : 'female',
    birthDate: `19${30 + (index % 40)}-0${1 + (index % 9)}-1${index % 10}`,
  }));
  const observations = ids.flatMap((id, patient) =>
    Array.from({ length: observationsPerPatient }, (_, index) => ({
      resourceType: 'Observation',
      id: `observation-${patient}-${index}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: index % 2 === 0 ? '8480-6' : '2093-3' }] },
      subject: { reference: `Patient/${id}` },
      note: [{ text: remark }],
      effectiveDateTime: `1985-0${1 + (index % 9)}-1${patient % 10}`,
      valueQuantity: {
        value: 100 + ((patient * 7 + index) % 90),
        unit: index % 2 === 0 ? 'mm[Hg]' : 'mg/dL',
        system: 'http://unitsofmeasure.org',
        code: index % 2 === 0 ? 'mm[Hg]' : 'mg/dL',
      },
    })),
  );
  writeFileSync(path.join(folder, 'Patient.ndjson'), ndjson(...patients));
  writeFileSync(path.join(folder, 'Observation.ndjson'), ndjson(...observations));
}

const [hospital] = demoHospitals;

function profileOf(name: string): DemoSiteProfile {
  if (hospital === undefined) throw new Error('there is no hospital');
  const profile = path.join(directory, name);
  const keyFile = path.join(directory, 'keys', `${name}.json`);
  return { hospital, profile, keyFile, words: ['--profile', profile, '--keys', keyFile], secret };
}

interface RunningSite {
  readonly server: ServerProcess;
  readonly reached: ReachedSite;
}

async function serve(site: DemoSiteProfile): Promise<RunningSite> {
  const server = await serveSite(processes, site);
  return { server, reached: await reachAsSteward(site) };
}

/** Imports the export; kills the site when a file has had so many rows read where a number is given. */
async function importExport(
  { server, reached }: RunningSite,
  killAtRow = Number.POSITIVE_INFINITY,
): Promise<IngestSummary | 'killed'> {
  const events = await reached.client.ingest.paths({
    paths: [path.join(directory, 'export')],
    mapping: null,
  });
  for (;;) {
    const next = await events.next();
    if (next.done === true) throw new Error('an import ended without a summary');
    if (next.value.kind === 'summary') return next.value.summary;
    if (next.value.kind !== 'progress' || next.value.rowCount < killAtRow) continue;
    await server.kill();
    await reached.close();
    return 'killed';
  }
}

/** All that an import leaves, without the numbers that count files. */
const contentOf = (site: DemoSiteProfile) =>
  readSiteStore(site, (store) => ({
    facts: store.all(
      store.query
        .selectFrom('subject_fact')
        .select([
          'subject_id',
          'code_system',
          'code',
          'value_number',
          'unit',
          'value_system',
          'value_code',
          'day',
          'record_key',
          'record_check',
          'row',
        ])
        .orderBy('record_check'),
    ),
    subjects: store.all(
      store.query.selectFrom('subject').select(['subject_id', 'sex']).orderBy('subject_id'),
    ),
    links: store.all(
      store.query
        .selectFrom('patient_link')
        .innerJoin('subject', 'subject.subject_no', 'patient_link.subject_no')
        .select(['link_key', 'subject_id'])
        .orderBy('link_key'),
    ),
  }));

describe('an import that is killed', () => {
  let killed: DemoSiteProfile;
  let peaceful: DemoSiteProfile;
  beforeAll(() => {
    killed = profileOf('killed');
    peaceful = profileOf('peaceful');
  });
  // How many rows of a file were read when the site is killed: in the first file, then again and again in the second one.
  const kills = [1, 9_000, 12_000, 18_000];

  it('leaves whole rows, and the next import goes on', async () => {
    await processes.run(['site', 'init', '--name', 'A hospital', ...killed.words]);
    const { steward } = killed.hospital;
    await processes.run(['site', 'people', 'add', steward, '--role', 'steward', ...killed.words], {
      CONSILIUM_SECRET: secret,
    });
    // The same keys and therefore the same pseudonyms in both.
    cpSync(killed.profile, peaceful.profile, { recursive: true });
    cpSync(killed.keyFile, peaceful.keyFile);
    const counts: number[] = [];
    for (const killAtRow of kills) {
      expect(await importExport(await serve(killed), killAtRow)).toBe('killed');
      counts.push(contentOf(killed).facts.length);
    }
    // Killed in the middle of the observations at least once, and no fact was lost by a later kill.
    expect(counts.some((count) => count > 0 && count < patientCount * observationsPerPatient)).toBe(true);
    expect(counts).toEqual([...counts].sort((left, right) => left - right));
  });

  it('is finished by a second one, as if everything had been imported once', async () => {
    const [finished, unkilled] = [await serve(killed), await serve(peaceful)];
    const summary = await importExport(finished);
    expect(summary).toMatchObject({ rejected: 0, quarantined: 0 });
    await importExport(unkilled);
    const expected = contentOf(peaceful);
    expect(expected.facts).toHaveLength(patientCount * observationsPerPatient);
    expect(expected.subjects).toHaveLength(patientCount);
    expect(contentOf(killed)).toEqual(expected);
    expect(await finished.reached.client.records()).toEqual(await unkilled.reached.client.records());
    const { verified } = await finished.reached.client.audit.verify();
    expect(verified).toBe(true);
    const query = { search: '', action: 'import-interrupted', offset: 0, limit: 10 };
    expect((await finished.reached.client.audit.list(query)).total).toBe(kills.length);
  });
});
