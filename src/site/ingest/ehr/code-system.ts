// The code systems of the clinical vocabulary by their FHIR names (terminology.hl7.org), and which is taken where a source states
// a thing in several.
import type { CodedValue, FactKind } from '../clinical-record.ts';

export const loincSystem = 'http://loinc.org';
export const snomedSystem = 'http://snomed.info/sct';
export const rxNormSystem = 'http://www.nlm.nih.gov/research/umls/rxnorm';
export const cvxSystem = 'http://hl7.org/fhir/sid/cvx';
export const ucumSystem = 'http://unitsofmeasure.org';
export const encounterClassSystem = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
export const icd10System = 'http://hl7.org/fhir/sid/icd-10';
export const icd10CmSystem = 'http://hl7.org/fhir/sid/icd-10-cm';
export const icd10GmSystem = 'http://fhir.de/CodeSystem/bfarm/icd-10-gm';
export const icd9CmSystem = 'http://hl7.org/fhir/sid/icd-9-cm';
export const ndcSystem = 'http://hl7.org/fhir/sid/ndc';
export const atcSystem = 'http://www.whocc.no/atc';
export const cptSystem = 'http://www.ama-assn.org/go/cpt';
export const hcpcsSystem = 'http://terminology.hl7.org/CodeSystem/HCPCS';
export const icd10PcsSystem = 'http://www.cms.gov/Medicare/Coding/ICD10';

/** A fact has one code: that of the first of these systems, else the first that is stated. */
export const preferredSystems: Readonly<Record<FactKind, readonly string[]>> = {
  encounter: [encounterClassSystem, snomedSystem],
  condition: [snomedSystem, icd10CmSystem, icd10System, icd10GmSystem, icd9CmSystem],
  measurement: [loincSystem, snomedSystem],
  medication: [rxNormSystem, cvxSystem, snomedSystem, ndcSystem, atcSystem],
  procedure: [snomedSystem, loincSystem, cptSystem, hcpcsSystem, icd10PcsSystem],
};

/** Of several codings of one concept the preferred one, else the first. */
export function preferCoding(codings: readonly CodedValue[], kind: FactKind): CodedValue | undefined {
  const preferred = preferredSystems[kind].map((wanted) => codings.find(({ system }) => system === wanted));
  return preferred.find(Boolean) ?? codings[0];
}

/** SNOMED CT `Dead (finding)`: the fact of a death, a condition that begins on its day. */
export const deathCode = { system: snomedSystem, code: '419099009' } as const;
