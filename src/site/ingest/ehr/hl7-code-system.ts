// Code systems as HL7 v3 (object identifiers) and v2 (table 0396) name them, as the URIs that FHIR has for them
// (terminology.hl7.org): one code has one name whatever the format.
import { RowRefusal } from '../clinical-record.ts';
import {
  atcSystem,
  cptSystem,
  cvxSystem,
  encounterClassSystem,
  hcpcsSystem,
  icd9CmSystem,
  icd10CmSystem,
  icd10GmSystem,
  icd10PcsSystem,
  icd10System,
  loincSystem,
  ndcSystem,
  rxNormSystem,
  snomedSystem,
  ucumSystem,
} from './code-system.ts';

/** URI, object identifier, names in HL7 v2. */
const systems: readonly (readonly [string, string, readonly string[]])[] = [
  [loincSystem, '2.16.840.1.113883.6.1', ['LN', 'LOINC']],
  [snomedSystem, '2.16.840.1.113883.6.96', ['SCT', 'SNM', 'SNOMED', 'SNOMED-CT', 'SNOMED CT']],
  [rxNormSystem, '2.16.840.1.113883.6.88', ['RXNORM']],
  [cvxSystem, '2.16.840.1.113883.12.292', ['CVX']],
  [icd10CmSystem, '2.16.840.1.113883.6.90', ['I10C', 'I10CM', 'ICD-10-CM', 'ICD10CM']],
  [icd10System, '2.16.840.1.113883.6.3', ['I10', 'ICD10', 'ICD-10']],
  [icd10PcsSystem, '2.16.840.1.113883.6.4', ['I10P', 'ICD10PCS', 'ICD-10-PCS']],
  [icd10GmSystem, '1.2.276.0.76.5.409', ['I10G', 'ICD-10-GM']],
  ['http://fhir.de/CodeSystem/bfarm/ops', '1.2.276.0.76.5.387', ['OPS']],
  ['http://fhir.de/CodeSystem/bfarm/atc', '1.2.276.0.76.5.385', []],
  [icd9CmSystem, '2.16.840.1.113883.6.103', ['I9', 'I9C', 'I9CDX', 'ICD-9-CM', 'ICD9']],
  [icd9CmSystem, '2.16.840.1.113883.6.104', ['I9CP']],
  [icd9CmSystem, '2.16.840.1.113883.6.42', []],
  [cptSystem, '2.16.840.1.113883.6.12', ['C4', 'CPT', 'CPT4', 'CPT-4']],
  [hcpcsSystem, '2.16.840.1.113883.6.285', ['HCPCS', 'HPC']],
  [ndcSystem, '2.16.840.1.113883.6.69', ['NDC']],
  [atcSystem, '2.16.840.1.113883.6.73', ['ATC', 'WHO ATC']],
  ['http://fdasis.nlm.nih.gov', '2.16.840.1.113883.4.9', ['UNII', 'FDASIS']],
  ['http://ncimeta.nci.nih.gov', '2.16.840.1.113883.3.26.1.1', ['NCIT']],
  ['http://hl7.org/fhir/ndfrt', '2.16.840.1.113883.3.26.1.5', ['NDFRT']],
  [ucumSystem, '2.16.840.1.113883.6.8', ['UCUM']],
  [encounterClassSystem, '2.16.840.1.113883.5.4', ['ACTCODE']],
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
