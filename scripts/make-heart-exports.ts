// Writes what four hospitals would export from their own systems, out of UCI's raw files and FLamby's split. The same bytes each
// time. Usage: npm run make:heart-exports -- --out DIR
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Hospital, hospitals } from './heart-exports/hospital.ts';
import { type ExportedPatient, readPatients } from './heart-exports/patient.ts';
import { csvMapping, encodeCsv } from './heart-exports/write-csv.ts';
import {
  encodeBundle,
  encodeNdjson,
  type FhirOptions,
  toConsent,
  toObservations,
  toPatient,
} from './heart-exports/write-fhir.ts';
import { encodeOmop } from './heart-exports/write-omop.ts';

const assets = fileURLToPath(new URL('../assets/research-studies/heart/', import.meta.url));

/** What was written, so that a test can follow a patient through the pipeline. */
export interface HeartExport {
  readonly siteId: Hospital['siteId'];
  readonly folder: string;
  readonly authority: string;
  readonly patients: readonly ExportedPatient[];
}

/** Writes one folder for each hospital below `outDir`, which is made where needed. */
export function makeHeartExports(outDir: string): HeartExport[] {
  return hospitals.map((hospital) => {
    const patients = readPatients(hospital, assets);
    const folder = path.join(outDir, hospital.siteId);
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of encode(hospital, patients)) writeFileSync(path.join(folder, name), content);
    return { siteId: hospital.siteId, folder, authority: hospital.authority, patients };
  });
}

function encode(hospital: Hospital, patients: readonly ExportedPatient[]): ReadonlyMap<string, string> {
  const fhir: FhirOptions = { hospital, cholesterolInGrams: hospital.siteId === 'hungary' };
  switch (hospital.siteId) {
    case 'cleveland':
      return new Map([
        ['patients.csv', encodeCsv(patients)],
        ['mapping.json', `${JSON.stringify(csvMapping(hospital), null, 2)}\n`],
      ]);
    case 'hungary':
      return new Map([['bundle.json', encodeBundle(patients, fhir)]]);
    case 'switzerland':
      return encodeOmop(patients);
    case 'long-beach':
      return new Map([
        ['Patient.ndjson', encodeNdjson(patients.map((patient) => toPatient(patient, fhir)))],
        ['Observation.ndjson', encodeNdjson(patients.flatMap((patient) => toObservations(patient, fhir)))],
        ['Consent.ndjson', encodeNdjson(patients.map(toConsent))],
      ]);
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  if (values.out === undefined) {
    console.error('USAGE: npm run make:heart-exports -- --out DIR');
    process.exitCode = 2;
  } else {
    for (const { siteId, patients } of makeHeartExports(values.out))
      console.log(`${siteId}: ${patients.length} patients`);
  }
}
