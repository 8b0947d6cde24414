// An independent count of what a FHIR export holds: plain JSON, nothing shared with the readers. By the table of
// docs/formats/clinical-vocabulary.md.
import { readFileSync } from 'node:fs';

export interface Expected {
  /** Rows by what becomes of them. */
  taken: number;
  notNeeded: number;
  /** Facts by kind, as `kind`. */
  readonly facts: Record<string, number>;
}

type Json = Record<string, unknown>;

const kinds: Readonly<Record<string, string>> = {
  Encounter: 'encounter',
  Condition: 'condition',
  Procedure: 'procedure',
  Immunization: 'medication',
  MedicationRequest: 'medication',
};

/** The resources of a bundle or of NDJSON. */
export function resourcesOf(file: string): Json[] {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.ndjson'))
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line));
  const json = JSON.parse(text);
  return json.resourceType === 'Bundle' ? json.entry.map((entry: Json) => entry.resource) : [json];
}

export function countFhir(resources: readonly Json[]): Expected {
  const expected: Expected = { taken: 0, notNeeded: 0, facts: {} };
  const add = (kind: string, count: number): void => {
    expected.facts[kind] = (expected.facts[kind] ?? 0) + count;
  };
  for (const resource of resources) {
    const type = String(resource.resourceType);
    const kind = kinds[type];
    if (kind !== undefined) add(kind, 1);
    else if (type === 'Observation') add('measurement', valuesOf(resource));
    else if (type === 'Patient') {
      if (resource.deceasedDateTime !== undefined) add('condition', 1);
    } else {
      expected.notNeeded += 1;
      continue;
    }
    expected.taken += 1;
  }
  return expected;
}

/** Values of an Observation and of its components that are not free text. */
function valuesOf(resource: Json): number {
  const parts = [resource, ...((resource.component ?? []) as Json[])];
  return parts.filter((part) =>
    Object.keys(part).some((name) => name.startsWith('value') && name !== 'valueString'),
  ).length;
}
