// Writes the confidentiality profile that the product carries, from a machine-readable copy of PS3.15 Table E.1-1.
// Usage: npm run make:deidentify-profile -- basic-profile.json
import { readFileSync, writeFileSync } from 'node:fs';

const target = new URL('../src/site/deidentify/dicom/profile-table.json', import.meta.url);

/** Column of the table -> code of the option in CID 7050. */
const optionCodes: Readonly<Record<string, string>> = {
  CleanGraphics: '113103',
  CleanStructuredContent: '113104',
  CleanDescriptors: '113105',
  RetainLongitudinalFullDates: '113106',
  RetainLongitudinalModifiedDates: '113107',
  RetainPatientCharacteristics: '113108',
  RetainDeviceIdentity: '113109',
  RetainUIDs: '113110',
  RetainSafePrivate: '113111',
  RetainInstitutionIdentity: '113112',
};

type Row = readonly [
  tag: string,
  keyword: string | null,
  vr: string | null,
  name: string,
  basic: string,
  options: Readonly<Record<string, string>>,
];

function tagText(tag: string): string {
  if (tag.includes('ODD')) return 'oddxxxxx';
  return tag.replaceAll(/[(),]/g, '').toLowerCase();
}

function rowText([tag, , vr, , basic, options]: Row): string {
  const stated = Object.entries(options).map(([column, action]) => `${optionCodes[column]}=${action}`);
  return [tagText(tag), vr ?? '--', basic, ...stated.sort()].join(' ');
}

const file = process.argv[2];
if (file === undefined) throw new Error('Name the JSON file with the rows of Table E.1-1.');
const { all } = JSON.parse(readFileSync(file, 'utf8')) as { readonly all: readonly Row[] };
const document = {
  source: 'DICOM PS3.15 2024e, Annex E, Table E.1-1: Application Level Confidentiality Profile Attributes',
  columns:
    'tag (x: any digit; odd: any odd group), VR (--: several), action of the Basic Profile 113100, then option=action by code of CID 7050',
  rows: all.map(rowText).sort(),
};
writeFileSync(target, `${JSON.stringify(document, null, 2)}\n`);
