// The code lists that hospitals use most, by the names that people know them by.

/** Name and address (terminology.hl7.org). */
export const codeSystems = [
  ['LOINC', 'http://loinc.org'],
  ['SNOMED CT', 'http://snomed.info/sct'],
  ['ICD-10', 'http://hl7.org/fhir/sid/icd-10'],
  ['ICD-10-CM', 'http://hl7.org/fhir/sid/icd-10-cm'],
  ['ICD-10-GM', 'http://fhir.de/CodeSystem/bfarm/icd-10-gm'],
  ['RxNorm', 'http://www.nlm.nih.gov/research/umls/rxnorm'],
  ['ATC', 'http://www.whocc.no/atc'],
] as const;

/** The name of a code list, or its address where it has no name here. */
export function codeSystemName(system: string): string {
  return codeSystems.find(([, address]) => address === system)?.[0] ?? system;
}
