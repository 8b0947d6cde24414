// The plain check never says yes where zod would say no, and says yes to what exports are made of.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { encounterSchema, medicationRequestSchema } from './fhir-event-resource.ts';
import { observationSchema } from './fhir-resource.ts';
import { createPlainCheck } from './plain-check.ts';

const observation = {
  resourceType: 'Observation',
  id: 'o1',
  meta: { tag: [{ code: 'x' }] },
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8302-2', display: 'Body Height' }], text: 'Height' },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2020-01-02T03:04:05+00:00',
  valueQuantity: { value: 170.5, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' },
  component: [{ code: { coding: [] }, valueBoolean: true }],
};
const medicationRequest = {
  resourceType: 'MedicationRequest',
  id: 'm1',
  status: 'active',
  intent: 'order',
  doNotPerform: false,
  contained: [{ resourceType: 'Medication', id: 'c1', code: { coding: [{ code: '1' }] } }],
  medicationReference: { reference: '#c1' },
  authoredOn: '2020-01-02',
};
const schemas: [string, z.ZodType, object][] = [
  ['Observation', observationSchema, observation],
  ['MedicationRequest', medicationRequestSchema, medicationRequest],
  ['Encounter', encounterSchema, { resourceType: 'Encounter', class: { code: 'AMB' }, type: [{}] }],
];

/** Paths to every place in a value. */
function placesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...path, name]))];
}

function withValue(value: unknown, [step, ...rest]: readonly string[], put: unknown): unknown {
  if (step === undefined) return put;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[step] = withValue(copy[step], rest, put);
  return copy;
}

describe('the plain check', () => {
  it.each(schemas)('says yes to a plain %s', (_, schema, resource) => {
    expect(createPlainCheck(schema)(resource)).toBe(true);
  });

  it.each(schemas)('agrees with zod on what any place of a %s may hold', (_, schema, resource) => {
    const isPlain = createPlainCheck(schema);
    const odd = fc.constantFrom<unknown>(
      ...[
        null,
        undefined,
        1,
        Number.POSITIVE_INFINITY,
        '',
        'x'.repeat(10_001),
        true,
        [],
        {},
        [null],
        [{}],
        new Array(1_001).fill({}),
      ],
    );
    const put = fc.oneof(odd, fc.jsonValue({ maxDepth: 2 }));
    const place = fc.constantFrom(
      ...placesOf(resource),
      ['valueInteger'],
      ['modifierExtension'],
      ['__proto__'],
    );
    fc.assert(
      fc.property(place, put, (path, value) => {
        const changed = withValue(resource, path, value);
        const parsed = schema.safeParse(changed);
        // Only of whole numbers, which zod looks at, does it say no to what is right.
        if (isPlain(changed)) expect(parsed.success).toBe(true);
        else if (path[0] !== 'valueInteger') expect(parsed.success).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a transformed text', z.string().transform((text) => text.length)],
    ['a text with a pattern', z.string().max(5).regex(/^a/)],
    ['a text of any length', z.string()],
    ['an object that is strict', z.strictObject({ a: z.boolean() })],
    ['a choice', z.union([z.boolean(), z.string()])],
    ['a number in a range', z.number().min(3)],
    ['a refined object', z.object({}).refine(() => false)],
    ['a refined truth', z.boolean().refine(() => false)],
    [
      'what is refined of what may be left out',
      z
        .boolean()
        .optional()
        .refine(() => false),
    ],
    ['a default', z.object({ a: z.boolean().default(true) })],
  ])('leaves %s to zod', (_, schema) => {
    const isPlain = createPlainCheck(schema);
    expect([undefined, 'a', true, 7, {}, { a: true }, { a: true, b: 1 }].filter(isPlain)).toEqual([]);
  });
});
