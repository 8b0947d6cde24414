// Code systems as HL7 v3 (object identifiers) and v2 (table 0396) name them, as the URIs that FHIR has for them
// (terminology.hl7.org): one code has one name whatever the format.
import { RowRefusal } from '../clinical-record.ts';

export const loinc = 'http://loinc.org';
export const snomedCt = 'http://snomed.info/sct';
export const rxNorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
export const cvx = 'http://hl7.org/fhir/sid/cvx';
export const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** URI, object identifier, names in HL7 v2. */
const systems: readonly (readonly [string, string, readonly string[]])[] = [
  [loinc, '2.16.840.1.113883.6.1', ['LN', 'LOINC']],
  [snomedCt, '2.16.840.1.113883.6.96', ['SCT', 'SNM', 'SNOMED', 'SNOMED-CT', 'SNOMED CT']],
  [rxNorm, '2.16.840.1.113883.6.88', ['RXNORM']],
  [cvx, '2.16.840.1.113883.12.292', ['CVX']],
  ['http://hl7.org/fhir/sid/icd-10-cm', '2.16.840.1.113883.6.90', ['I10C', 'I10CM', 'ICD-10-CM', 'ICD10CM']],
  ['http://hl7.org/fhir/sid/icd-10', '2.16.840.1.113883.6.3', ['I10', 'ICD10', 'ICD-10']],
  ['http://www.cms.gov/Medicare/Coding/ICD10', '2.16.840.1.113883.6.4', ['I10P', 'ICD10PCS', 'ICD-10-PCS']],
  ['http://fhir.de/CodeSystem/bfarm/icd-10-gm', '1.2.276.0.76.5.409', ['I10G', 'ICD-10-GM']],
  ['http://fhir.de/CodeSystem/bfarm/ops', '1.2.276.0.76.5.387', ['OPS']],
  ['http://fhir.de/CodeSystem/bfarm/atc', '1.2.276.0.76.5.385', []],
  ['http://hl7.org/fhir/sid/icd-9-cm', '2.16.840.1.113883.6.103', ['I9', 'I9C', 'I9CDX', 'ICD-9-CM', 'ICD9']],
  ['http://hl7.org/fhir/sid/icd-9-cm', '2.16.840.1.113883.6.104', ['I9CP']],
  ['http://hl7.org/fhir/sid/icd-9-cm', '2.16.840.1.113883.6.42', []],
  ['http://www.ama-assn.org/go/cpt', '2.16.840.1.113883.6.12', ['C4', 'CPT', 'CPT4', 'CPT-4']],
  ['http://terminology.hl7.org/CodeSystem/HCPCS', '2.16.840.1.113883.6.285', ['HCPCS', 'HPC']],
  ['http://hl7.org/fhir/sid/ndc', '2.16.840.1.113883.6.69', ['NDC']],
  ['http://www.whocc.no/atc', '2.16.840.1.113883.6.73', ['ATC', 'WHO ATC']],
  ['http://fdasis.nlm.nih.gov', '2.16.840.1.113883.4.9', ['UNII', 'FDASIS']],
  ['http://ncimeta.nci.nih.gov', '2.16.840.1.113883.3.26.1.1', ['NCIT']],
  ['http://hl7.org/fhir/ndfrt', '2.16.840.1.113883.3.26.1.5', ['NDFRT']],
  ['http://unitsofmeasure.org', '2.16.840.1.113883.6.8', ['UCUM']],
  [actCode, '2.16.840.1.113883.5.4', ['ACTCODE']],
  ['http://terminology.hl7.org/CodeSystem/v3-NullFlavor', '2.16.840.1.113883.5.1008', ['NULLFL']],
  [
    'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
    '2.16.840.1.113883.5.83',
    ['HL70078'],
  ],
];

const byOid = new Map(systems.map(([uri, oid]) => [oid, uri]));
const byV2Name = new Map(systems.flatMap(([uri, , names]) => names.map((name) => [name, uri] as const)));

const oidPattern = /^[0-2](?:\.(?:0|[1-9]\d*)){1,40}$/;
const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `urn:oid:`, `urn:uuid:`, or undefined for what is neither. */
export function uriOfRoot(root: string): string | undefined {
  if (root.length <= 128 && oidPattern.test(root)) return `urn:oid:${root}`;
  return uuidPattern.test(root) ? `urn:uuid:${root.toLowerCase()}` : undefined;
}

/** @throws RowRefusal BAD_CODE for what is no object identifier. */
export function systemOfOid(oid: string, field: string): string {
  const uri = byOid.get(oid) ?? uriOfRoot(oid);
  if (uri === undefined) throw new RowRefusal('BAD_CODE', field);
  return uri;
}

/**
 * A coding system of HL7 v2 by its name in table 0396; a hospital's own (`L`, `99ABC`) keeps its name in a URI of ours, an object
 * identifier becomes one.
 * @throws RowRefusal BAD_CODE for a name that is none.
 */
export function systemOfV2Name(name: string, field: string): string {
  const known = byV2Name.get(name.toUpperCase()) ?? byOid.get(name) ?? uriOfRoot(name);
  if (known !== undefined) return known;
  const table = /^HL7(\d{4})$/.exec(name)?.[1];
  if (table !== undefined) return `http://terminology.hl7.org/CodeSystem/v2-${table}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(name)) throw new RowRefusal('BAD_CODE', field);
  return `urn:consilium:hl7v2:coding-system:${name}`;
}
