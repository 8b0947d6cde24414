// What was decided of each subject of a research study, in columns: of a million subjects most share their rule, path and data, and only
// the consent that decided is each one's own.
import { ShortTexts } from '#site/store/index.ts';
import type { ConsentDecision } from './evaluate-consent.ts';
import type { PermittedData } from './permitted-data.ts';

type SharedDecision = Omit<ConsentDecision, 'consentId' | 'version'>;

export class ConsentDecisions {
  /** By subject_no: a place in `#shared`; 0 for one that has no consent and is on no opt-out list. */
  readonly #sharedPlaces: Uint32Array;
  /** By subject_no. */
  readonly #consentIds: ShortTexts;
  /** By subject_no, from 1; 0: none decided. */
  readonly #versions: Uint32Array;
  readonly #shared: (SharedDecision | undefined)[] = [undefined];
  /** By data, then by rule and path. */
  readonly #known = new Map<PermittedData, Map<string, number>>();

  /** @param highestNo the highest subject_no of the store */
  constructor(highestNo: number) {
    this.#sharedPlaces = new Uint32Array(highestNo + 1);
    this.#consentIds = new ShortTexts(highestNo + 1);
    this.#versions = new Uint32Array(highestNo + 1);
  }

  /** Takes the place of what was decided of the subject before. */
  set(subjectNo: number, decision: ConsentDecision): void {
    this.#sharedPlaces[subjectNo] = this.#placeOf(decision);
    this.#versions[subjectNo] = decision.version ?? 0;
    if (decision.consentId !== null) this.#consentIds.set(subjectNo, decision.consentId);
  }

  /** undefined for whoever has no consent and is on no opt-out list: out (opt-in). */
  get(subjectNo: number): ConsentDecision | undefined {
    const shared = this.#shared[this.#sharedPlaces[subjectNo] ?? 0];
    if (shared === undefined) return undefined;
    const version = this.#versions[subjectNo] ?? 0;
    return {
      ...shared,
      consentId: version === 0 ? null : (this.#consentIds.get(subjectNo) ?? null),
      version: version === 0 ? null : version,
    };
  }

  has(subjectNo: number): boolean {
    return (this.#sharedPlaces[subjectNo] ?? 0) !== 0;
  }

  isPermitted(subjectNo: number): boolean {
    return this.#shared[this.#sharedPlaces[subjectNo] ?? 0]?.decision === 'permit';
  }

  /** What may be read of a subject; undefined where nothing may. */
  permittedData(subjectNo: number): PermittedData | undefined {
    const shared = this.#shared[this.#sharedPlaces[subjectNo] ?? 0];
    return shared?.decision === 'permit' ? shared.data : undefined;
  }

  #placeOf({ decision, rule, path, data }: ConsentDecision): number {
    const ofData = this.#known.get(data) ?? new Map<string, number>();
    this.#known.set(data, ofData);
    const [first = '', ...others] = path;
    const key = others.length === 0 ? `${rule}\n${first}` : [rule, ...path].join('\n');
    const known = ofData.get(key);
    if (known !== undefined) return known;
    const place = this.#shared.push({ decision, rule, path, data }) - 1;
    ofData.set(key, place);
    return place;
  }
}
