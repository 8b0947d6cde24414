// The OMOP concept table as a dictionary: concept id -> code system and code. Vocabularies that name no fact are left out.
import type { CodedValue } from '../clinical-record.ts';
import {
  atcSystem,
  cptSystem,
  cvxSystem,
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

/** OMOP vocabulary id -> code system. */
const vocabularySystems = new Map<string, string>([
  ['LOINC', loincSystem],
  ['SNOMED', snomedSystem],
  ['UCUM', ucumSystem],
  ['RxNorm', rxNormSystem],
  ['RxNorm Extension', 'urn:consilium:omop:rxnorm-extension'],
  ['CVX', cvxSystem],
  ['NDC', ndcSystem],
  ['ATC', atcSystem],
  ['ICD10', icd10System],
  ['ICD10CM', icd10CmSystem],
  ['ICD10GM', icd10GmSystem],
  ['ICD10PCS', icd10PcsSystem],
  ['ICD9CM', icd9CmSystem],
  ['ICD9Proc', icd9CmSystem],
  ['CPT4', cptSystem],
  ['HCPCS', hcpcsSystem],
  ['Visit', 'urn:consilium:omop:visit'],
  ['Gender', 'urn:consilium:omop:gender'],
  ['Race', 'urn:consilium:omop:race'],
  ['Ethnicity', 'urn:consilium:omop:ethnicity'],
]);
/** `CSL:heart-disease` is the code system of that research study (vocabulary ids have at most 20 characters). */
const researchStudyVocabulary = /^CSL:([a-z0-9][a-z0-9_-]{0,14}[a-z0-9])$/;
export const researchStudySystems = 'https://consilium.example/fhir/CodeSystem/';
const maxConcepts = 2_000_000;

export class OmopConcepts {
  readonly #codes = new Map<number, CodedValue>();
  #isLoaded = false;

  /** Whether a concept table was read to its end. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  finish(): void {
    this.#isLoaded = true;
  }

  /** Takes a concept; whether there was room for it. */
  add(conceptId: number, vocabulary: string, code: string): boolean {
    const system = systemOf(vocabulary);
    if (system === undefined) return true;
    if (this.#codes.size >= maxConcepts && !this.#codes.has(conceptId)) return false;
    this.#codes.set(conceptId, { system, code });
    return true;
  }

  find(conceptId: number): CodedValue | undefined {
    return this.#codes.get(conceptId);
  }
}

function systemOf(vocabulary: string): string | undefined {
  const researchStudyId = researchStudyVocabulary.exec(vocabulary)?.[1];
  return researchStudyId === undefined
    ? vocabularySystems.get(vocabulary)
    : `${researchStudySystems}${researchStudyId}`;
}
