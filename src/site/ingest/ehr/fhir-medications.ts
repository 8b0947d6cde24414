// Codes of the Medication resources of a batch: Bulk Data keeps them in a file of their own, which is read first.
import type { CodeableConcept } from './fhir-coding.ts';

/** More are more than a hospital's formulary; what refers to one beyond is refused by name. */
const maxMedications = 500_000;

export class FhirMedications {
  readonly #codes: Map<string, CodeableConcept>;

  /** @param shared what another thread's dictionary holds */
  constructor(shared: ReadonlyMap<string, CodeableConcept> = new Map()) {
    this.#codes = new Map(shared);
  }

  /** What it holds, as it may be sent to a thread that reads the files after it. */
  get shared(): ReadonlyMap<string, CodeableConcept> {
    return this.#codes;
  }

  /** @param reference as other resources name it: `Medication/id`, or the entry's URL in a bundle */
  add(reference: string, code: CodeableConcept): void {
    if (this.#codes.size < maxMedications || this.#codes.has(reference)) this.#codes.set(reference, code);
  }

  find(reference: string): CodeableConcept | undefined {
    return (
      this.#codes.get(reference) ??
      this.#codes.get(/Medication\/[A-Za-z0-9.-]{1,64}$/.exec(reference)?.[0] ?? '')
    );
  }
}
