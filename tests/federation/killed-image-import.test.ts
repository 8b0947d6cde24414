// kill -9 of a site while it imports images: every row has its object and every image is there once, and importing again ends where an
// import in peace ends.
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoSiteProfile, reachAsSteward, serveSite } from '#bench/demo/demo-federation.ts';
import { demoHospitals } from '#bench/demo/demo-hospitals.ts';
import { createDemoProcesses, type DemoProcesses } from '#bench/demo/demo-processes.ts';
import type { IngestSummary } from '#ipc/schema.ts';
import { openObjectStore } from '#site/store/index.ts';
import { sliceFile } from '#support/image-files.ts';
import { readSiteStore } from '#support/stored-profiles.ts';

const secret = 'a secret for this test';
const patientCount = 12;
const slicesOfPatient = 60;

let directory: string;
let logFile: number;
let processes: DemoProcesses;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-images-'));
  mkdirSync(path.join(directory, 'keys'), { mode: 0o700 });
  logFile = openSync(path.join(directory, 'processes.log'), 'a', 0o600);
  processes = createDemoProcesses(logFile);
  for (let patient = 0; patient < patientCount; patient += 1) {
    const folder = path.join(directory, 'export', `${patient}`);
    mkdirSync(folder, { recursive: true });
    for (let instance = 0; instance < slicesOfPatient; instance += 1)
      writeFileSync(path.join(folder, `${instance}.dcm`), sliceFile({ patient: `P${patient}`, instance }));
  }
});
afterAll(async () => {
  await processes.stop();
  closeSync(logFile);
  rmSync(directory, { recursive: true, force: true });
});

const [hospital] = demoHospitals;

function profileOf(name: string): DemoSiteProfile {
  if (hospital === undefined) throw new Error('there is no hospital');
  const profile = path.join(directory, name);
  const keyFile = path.join(directory, 'keys', `${name}.json`);
  return { hospital, profile, keyFile, words: ['--profile', profile, '--keys', keyFile], secret };
}

/** Imports the export; kills the site after so many reports of progress where a number is given. */
async function importExport(
  site: DemoSiteProfile,
  killAfter = Number.POSITIVE_INFINITY,
): Promise<IngestSummary | 'killed'> {
  const server = await serveSite(processes, site);
  const reached = await reachAsSteward(site);
  try {
    const request = { paths: [path.join(directory, 'export')], mapping: null };
    let reports = 0;
    for await (const event of await reached.client.ingest.paths(request)) {
      if (event.kind === 'summary') return event.summary;
      if (event.kind === 'progress') reports += 1;
      if (reports >= killAfter) break;
    }
    await server.kill();
    return 'killed';
  } finally {
    await reached.close();
    await server.kill();
  }
}

/** What is stored, without numbers that depend on the order; every sealed object is opened. */
const contentOf = (site: DemoSiteProfile) =>
  readSiteStore(site, (store) => {
    const objects = openObjectStore({ store, profile: site.profile });
    const instances = store
      .prepare(
        `SELECT sop_instance_uid, imaging_series_uid, imaging_study_uid, subject_id, sop_instance.day AS day, source_digest, object_no
         FROM sop_instance JOIN imaging_series USING (imaging_series_no) JOIN imaging_study USING (imaging_study_no)
         JOIN subject USING (subject_no) ORDER BY sop_instance_uid`,
      )
      .all() as { object_no: number }[];
    const sizes = instances.map(({ object_no }) => objects.read(object_no).length);
    const loose = store.prepare('SELECT count(*) AS count FROM sealed_object').get() as { count: number };
    return {
      instances: instances.map(({ object_no: _, ...instance }) => instance),
      sizes,
      looseObjects: loose.count - instances.length,
    };
  });

describe('an import of images that is killed', () => {
  it('leaves whole images, and the next import goes on to the same end', async () => {
    const [killed, peaceful] = [profileOf('killed'), profileOf('peaceful')];
    await processes.run(['site', 'init', '--name', 'A hospital', ...killed.words]);
    const { steward } = killed.hospital;
    await processes.run(['site', 'people', 'add', steward, '--role', 'steward', ...killed.words], {
      CONSILIUM_SECRET: secret,
    });
    // The same keys and therefore the same pseudonyms in both.
    cpSync(killed.profile, peaceful.profile, { recursive: true });
    cpSync(killed.keyFile, peaceful.keyFile);
    const counts: number[] = [];
    for (const killAfter of [1, 2, 4]) {
      expect(await importExport(killed, killAfter)).toBe('killed');
      const { instances, looseObjects } = contentOf(killed);
      expect(looseObjects).toBe(0);
      counts.push(instances.length);
    }
    expect(counts.some((count) => count > 0 && count < patientCount * slicesOfPatient)).toBe(true);
    expect(counts).toEqual([...counts].sort((left, right) => left - right));
    const summary = await importExport(killed);
    expect(summary).toMatchObject({ rejected: 0, quarantined: 0 });
    await importExport(peaceful);
    const expected = contentOf(peaceful);
    expect(expected.instances).toHaveLength(patientCount * slicesOfPatient);
    expect(contentOf(killed)).toEqual(expected);
  });
});
