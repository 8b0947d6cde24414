// Which class of data a FHIR class or code of a consent is about. A code that is not here is not understood. One that is only part
// of its class can deny the class but permits it only together with all the others of it.
import type { DataClass } from './permitted-data.ts';

export interface CodeMeaning {
  /** Null: documents as such, which nothing here reads. */
  readonly dataClass: DataClass | null;
  readonly isWhole: boolean;
}

const resourceTypes = 'http://hl7.org/fhir/resource-types';
const loinc = 'http://loinc.org';
/** The resources whose contents become facts. */
const clinicalTypes = ['Observation', 'Condition', 'Procedure', 'Encounter', 'MedicationRequest']
  .concat(['MedicationStatement', 'MedicationAdministration', 'MedicationDispense', 'Immunization'])
  .map((type) => `${resourceTypes}|${type}`);
const documentCodes = ['DocumentReference', 'Composition'].map((type) => `${resourceTypes}|${type}`);
/** Whoever refuses reports refuses the results in them, and age and sex are read from the patient's own record. */
const clinicalParts = ['DiagnosticReport', 'Patient'].map((type) => `${resourceTypes}|${type}`);
// CDA documents of whatever type: their entries become facts. Summary of an episode (a continuity of care document), progress note, discharge
// summary, history and physical note. Other types are not understood, so that a deny of one counts too.
const cdaCodes = ['34133-9', '11506-3', '18842-5', '34117-2']
  .map((code) => `${loinc}|${code}`)
  .concat('urn:ietf:bcp:13|application/hl7-cda+xml');

const meanings = new Map<string, CodeMeaning>([
  ...[...clinicalTypes, ...clinicalParts, ...cdaCodes].map(
    (code) => [code, { dataClass: 'clinical', isWhole: false }] as const,
  ),
  [`${resourceTypes}|ImagingStudy`, { dataClass: 'imaging', isWhole: true }],
  // Imaging study as a document type: the report, and what it reports on.
  [`${loinc}|18748-4`, { dataClass: 'imaging', isWhole: false }],
  [`${resourceTypes}|Media`, { dataClass: 'imaging', isWhole: false }],
  ...documentCodes.map((code) => [code, { dataClass: null, isWhole: false }] as const),
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
