// Small exports of every EHR format that is read, to be mutated: FHIR bundle and NDJSON, OMOP, CSV with its mapping, Synthea CSV,
// C-CDA, HL7 v2. Made here, so that a failing input is the same on every machine.
import path from 'node:path';
import { hospitals } from '../../../scripts/heart-exports/hospital.ts';
import { readPatients } from '../../../scripts/heart-exports/patient.ts';
import { csvMapping, encodeCsv } from '../../../scripts/heart-exports/write-csv.ts';
import {
  encodeBundle,
  encodeNdjson,
  toConsent,
  toObservations,
  toPatient,
} from '../../../scripts/heart-exports/write-fhir.ts';
import { encodeOmop } from '../../../scripts/heart-exports/write-omop.ts';

export interface RecordBase {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface RecordBases {
  readonly files: readonly RecordBase[];
  /** The mapping of the CSV file. */
  readonly mapping: string;
  /** The concept table of the OMOP files. */
  readonly concepts: string;
}

const assets = path.resolve(import.meta.dirname, '../../../assets/research-studies/heart');

const ccda = `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="9.9" extension="d1"/>
<recordTarget><patientRole><id root="1.2.3.4" extension="77"/><patient><name use="L"><given>Ada</given><family>Byron</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19500501"/></patient></patientRole></recordTarget>
<component><structuredBody><component><section><templateId root="2.16.840.1.113883.10.20.22.2.3.1"/><text>&#60;5 &amp; more</text>
<entry><organizer classCode="BATTERY" moodCode="EVN"><statusCode code="completed"/><component><observation classCode="OBS" moodCode="EVN">
<id root="9.2" extension="r"/><code code="2951-2" codeSystem="2.16.840.1.113883.6.1"/><statusCode code="completed"/>
<effectiveTime value="20200304101500-0500"/><value xsi:type="PQ" value="141" unit="mmol/L"/></observation></component></organizer></entry>
</section></component><component><section><templateId root="2.16.840.1.113883.10.20.22.2.5.1"/><entry><act classCode="ACT" moodCode="EVN">
<statusCode code="active"/><entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN"><id root="9.1" extension="p"/>
<statusCode code="completed"/><effectiveTime><low value="20190203"/></effectiveTime><value xsi:type="CD" code="44054006"
codeSystem="2.16.840.1.113883.6.96"/></observation></entryRelationship></act></entry></section></component></structuredBody></component>
</ClinicalDocument>`;

const hl7v2 = [
  'MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304101500||ORU^R01|m1|P|2.5.1||||||UNICODE UTF-8',
  'PID|1||77^^^WARD&1.2.3.4&ISO^MR||Byron^Ada^^^^^L||19500501|F',
  'OBR|1|P1^CPOE|F1^LAB|24321-2^BMP^LN|||20200304101500',
  'OBX|1|NM|2951-2^Sodium^LN||141|mmol/L|||||F',
  'OBX|2|CWE|8661-1^Complaint^LN||29857009^Chest \\T\\ pain^SCT||||||F',
  'MSH|^~\\&|ADT|HOSP|SITE|SITE|20200305||ADT^A01|m2|P|2.5.1',
  'EVN|A01|20200305',
  'PID|1||78^^^WARD&1.2.3.4&ISO^MR||Doe^J||19600501|M',
  'PV1|1|I|||||||||||||||||V1|||||||||||||||||||||||||20200305101500',
  'DG1|1||E11.9^Diabetes^I10|||F',
  'MSH|^~\\&|ADT|HOSP|SITE|SITE|20200306||ADT^A40|m3|P|2.5.1',
  'PID|1||77^^^WARD&1.2.3.4&ISO^MR',
  'MRG|78^^^WARD&1.2.3.4&ISO^MR',
].join('\r');

const synthea = `Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,MIDDLE,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER
b58731cc,1950-05-01,,999-76-1,,,Mr.,Ada,,Byron,,,M,white,nonhispanic,F
`;

export function recordBases(): RecordBases {
  const [csv, bundle, omop, ndjson] = hospitals;
  if (csv === undefined || bundle === undefined || omop === undefined || ndjson === undefined) {
    throw new Error('there are four hospitals');
  }
  const some = (hospital: typeof csv) => readPatients(hospital, assets).slice(0, 4);
  const fhir = { hospital: ndjson, cholesterolInGrams: false };
  const patients = some(ndjson);
  const resources = [
    ...patients.map((patient) => toPatient(patient, fhir)),
    ...patients.flatMap((patient) => toObservations(patient, fhir)),
    ...patients.map(toConsent),
  ];
  const tables = encodeOmop(some(omop));
  const mapping = `${JSON.stringify(csvMapping(csv))}\n`;
  const files = [
    ['csv', encodeCsv(some(csv))],
    ['csv-mapping', mapping],
    ['fhir-bundle', encodeBundle(some(bundle), { hospital: bundle, cholesterolInGrams: true })],
    ['fhir-ndjson', encodeNdjson(resources)],
    ['ccda', ccda],
    ['hl7v2', hl7v2],
    ['synthea', synthea],
    ...[...tables].map(([name, text]): [string, string] => [`omop ${name}`, text]),
  ] as const;
  return {
    files: files.map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
    mapping,
    concepts: tables.get('concept.csv') ?? '',
  };
}
