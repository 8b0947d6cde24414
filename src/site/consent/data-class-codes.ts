// Which class of data a FHIR class or code of a consent is about. A code that is not here is not understood. One that is only part
// of its class can deny the class but permits it only together with all the others of it.
import type { DataClass } from './permitted-data.ts';

export interface CodeMeaning {
  /** Null: documents and notes, which nothing here reads. */
  readonly dataClass: DataClass | null;
  readonly isWhole: boolean;
}

const resourceTypes = 'http://hl7.org/fhir/resource-types';
const loinc = 'http://loinc.org';
/** The resources whose contents become facts. */
const clinicalTypes = ['Observation', 'Condition', 'Procedure', 'Encounter', 'MedicationRequest']
  .concat(['MedicationStatement', 'MedicationAdministration', 'Immunization'])
  .map((type) => `${resourceTypes}|${type}`);
const documentCodes = ['DocumentReference', 'Composition'].map((type) => `${resourceTypes}|${type}`);
// Progress note, discharge summary, history and physical note.
const noteCodes = ['11506-3', '18842-5', '34117-2'].map((code) => `${loinc}|${code}`);
// CDA documents, and the summary of an episode, as which a continuity of care document is coded: their entries become facts.
const summaryCodes = [`${loinc}|34133-9`, 'urn:ietf:bcp:13|application/hl7-cda+xml'];

const meanings = new Map<string, CodeMeaning>([
  ...[...clinicalTypes, ...summaryCodes].map(
    (code) => [code, { dataClass: 'clinical', isWhole: false }] as const,
  ),
  [`${resourceTypes}|ImagingStudy`, { dataClass: 'imaging', isWhole: true }],
  // Imaging study as a document type: the report, and what it reports on.
  [`${loinc}|18748-4`, { dataClass: 'imaging', isWhole: false }],
  ...[...documentCodes, ...noteCodes].map((code) => [code, { dataClass: null, isWhole: false }] as const),
]);
const sopClass = /^urn:ietf:rfc:3986\|(?:urn:oid:)?1\.2\.840\.10008\.5\.1\.4\.1\.1\./;

export function meaningOf(code: string): CodeMeaning | undefined {
  return meanings.get(code) ?? (sopClass.test(code) ? { dataClass: 'imaging', isWhole: false } : undefined);
}

/** Whether the codes, each understood, leave nothing of the class out. */
export function coversClass(codes: readonly string[], dataClass: DataClass): boolean {
  const hasWhole = codes.some((code) => {
    const meaning = meaningOf(code);
    return meaning?.dataClass === dataClass && meaning.isWhole;
  });
  return hasWhole || (dataClass === 'clinical' && clinicalTypes.every((code) => codes.includes(code)));
}
