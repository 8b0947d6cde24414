// The OMOP concept table as a dictionary: concept id -> code system and code. Vocabularies that name no fact are left out.
import type { CodedValue } from '../clinical-record.ts';

const vocabularySystems = new Map<string, string>([
  ['LOINC', 'http://loinc.org'],
  ['SNOMED', 'http://snomed.info/sct'],
  ['UCUM', 'http://unitsofmeasure.org'],
  ['Gender', 'urn:consilium:omop:gender'],
]);
/** `CSL:heart-disease` is the code system of that research study (vocabulary ids have at most 20 characters). */
const researchStudyVocabulary = /^CSL:([a-z0-9][a-z0-9_-]{0,14}[a-z0-9])$/;
export const researchStudySystems = 'https://consilium.example/fhir/CodeSystem/';
const maxConcepts = 2_000_000;

export const ucumSystem = 'http://unitsofmeasure.org';
export const genderSystem = 'urn:consilium:omop:gender';

export class OmopConcepts {
  readonly #codes = new Map<number, string>();
  readonly #systems = new Map<number, string>();
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
    this.#codes.set(conceptId, code);
    this.#systems.set(conceptId, system);
    return true;
  }

  find(conceptId: number): CodedValue | undefined {
    const system = this.#systems.get(conceptId);
    const code = this.#codes.get(conceptId);
    return system === undefined || code === undefined ? undefined : { system, code };
  }
}

function systemOf(vocabulary: string): string | undefined {
  const researchStudyId = researchStudyVocabulary.exec(vocabulary)?.[1];
  return researchStudyId === undefined
    ? vocabularySystems.get(vocabulary)
    : `${researchStudySystems}${researchStudyId}`;
}
