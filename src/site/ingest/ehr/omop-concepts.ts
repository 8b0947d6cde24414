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

/** A dictionary in memory that several threads read at once. */
export interface SharedConcepts {
  /** Sorted. */
  readonly ids: Float64Array<SharedArrayBuffer>;
  /** For each id: index into `systems`, and where its code ends in `codes`. */
  readonly systemIndexes: Uint16Array<SharedArrayBuffer>;
  readonly codeEnds: Uint32Array<SharedArrayBuffer>;
  /** UTF-8. */
  readonly codes: Uint8Array<SharedArrayBuffer>;
  readonly systems: readonly string[];
}

export class OmopConcepts {
  #codes = new Map<number, CodedValue>();
  #shared: SharedConcepts | undefined;
  #isLoaded = false;

  /** A dictionary of another thread. */
  static fromShared(shared: SharedConcepts): OmopConcepts {
    const concepts = new OmopConcepts();
    concepts.#shared = shared;
    concepts.#isLoaded = true;
    return concepts;
  }

  /** The dictionary for other threads; null before a concept table was read. */
  share(): SharedConcepts | null {
    if (!this.#isLoaded) return null;
    this.#shared ??= packConcepts(this.#codes);
    return this.#shared;
  }

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
    this.#shared = undefined;
    return true;
  }

  find(conceptId: number): CodedValue | undefined {
    const known = this.#codes.get(conceptId);
    if (known !== undefined || this.#shared === undefined) return known;
    const found = findShared(this.#shared, conceptId);
    // Few of a vocabulary's concepts are in use.
    if (found !== undefined) this.#codes.set(conceptId, found);
    return found;
  }
}

function packConcepts(concepts: ReadonlyMap<number, CodedValue>): SharedConcepts {
  const sorted = [...concepts].sort(([left], [right]) => left - right);
  const systems = [...new Set(sorted.map(([, { system }]) => system))];
  const systemIndex = new Map(systems.map((system, index) => [system, index]));
  const codeBytes = sorted.reduce((total, [, { code }]) => total + Buffer.byteLength(code), 0);
  const shared: SharedConcepts = {
    ids: new Float64Array(new SharedArrayBuffer(sorted.length * 8)),
    systemIndexes: new Uint16Array(new SharedArrayBuffer(sorted.length * 2)),
    codeEnds: new Uint32Array(new SharedArrayBuffer(sorted.length * 4)),
    codes: new Uint8Array(new SharedArrayBuffer(codeBytes)),
    systems,
  };
  let end = 0;
  for (const [index, [id, { system, code }]] of sorted.entries()) {
    const bytes = Buffer.from(code, 'utf8');
    shared.ids[index] = id;
    shared.systemIndexes[index] = systemIndex.get(system) ?? 0;
    shared.codes.set(bytes, end);
    end += bytes.length;
    shared.codeEnds[index] = end;
  }
  return shared;
}

function findShared(
  { ids, systemIndexes, codeEnds, codes, systems }: SharedConcepts,
  id: number,
): CodedValue | undefined {
  let [first, last] = [0, ids.length - 1];
  while (first <= last) {
    const middle = (first + last) >>> 1;
    const found = ids[middle] ?? 0;
    if (found === id) {
      const begin = middle === 0 ? 0 : (codeEnds[middle - 1] ?? 0);
      const code = Buffer.from(codes.subarray(begin, codeEnds[middle])).toString('utf8');
      return { system: systems[systemIndexes[middle] ?? 0] ?? '', code };
    }
    if (found < id) first = middle + 1;
    else last = middle - 1;
  }
  return undefined;
}

function systemOf(vocabulary: string): string | undefined {
  const researchStudyId = researchStudyVocabulary.exec(vocabulary)?.[1];
  return researchStudyId === undefined
    ? vocabularySystems.get(vocabulary)
    : `${researchStudySystems}${researchStudyId}`;
}
