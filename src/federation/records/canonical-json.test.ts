import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromUtf8 } from '#base/bytes.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';

describe('canonical JSON', () => {
  it('does not depend on the order in which an object was made', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(encodeCanonicalJson(reversed)).toEqual(encodeCanonicalJson(value));
      }),
    );
  });

  it('leaves out what is undefined', () => {
    expect(fromUtf8(encodeCanonicalJson({ b: undefined, a: 1 }))).toBe('{"a":1}');
  });

  const circular: { self?: unknown } = {};
  circular.self = circular;
  it.each([
    ['NaN', Number.NaN],
    ['infinity', { a: [Number.POSITIVE_INFINITY] }],
    ['a lone surrogate', '\ud800'],
    ['a cycle', circular],
    ['undefined', undefined],
    ['a big integer', 1n],
  ])('refuses %s', (_name, value) => {
    expect(() => encodeCanonicalJson(value)).toThrow(expect.objectContaining({ code: 'BAD_STATEMENT' }));
  });
});
