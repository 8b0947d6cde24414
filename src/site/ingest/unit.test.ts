import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertUnit, normaliseUnit } from '#site/ingest/index.ts';

describe('a unit', () => {
  it.each([
    ['mg/dL', 'mg/dL'],
    ['mm[Hg]', 'mm[Hg]'],
    ['{beats}/min', '/min'],
    ['/min', '/min'],
    ['{score}', '1'],
    ['{ratio}', '1'],
    ['%{blood}', '%'],
    ['mL/min/{1.73_m2}', 'mL/min/1'],
    ['10*3/uL', '10*3/uL'],
    ['1', '1'],
    ['Cel', 'Cel'],
  ])('%s is spelt %s', (text, expected) => expect(normaliseUnit(text)).toBe(expected));

  it.each([
    ...[
      '',
      ' ',
      'mmHg',
      'MG/DL',
      'bpm',
      'years',
      'beats/min',
      'mg dL',
      'mg/dL\n',
      '%{of blood}',
      '\0',
      'µg/xyz',
      'x'.repeat(65),
      '/',
      '{',
      '}',
    ],
    ...['__proto__', 'constructor', 'mg/constructor', 'toString', 'hasOwnProperty', 'valueOf.mg', '='],
  ])('%j is none', (text) => expect(normaliseUnit(text)).toBeUndefined());

  it('is never a text of the source with blanks, whatever the source says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const unit = normaliseUnit(text);
        expect(unit === undefined || /^[!-~]+$/.test(unit)).toBe(true);
        expect(unit?.includes('{') ?? false).toBe(false);
      }),
    );
  });
});

describe('a conversion', () => {
  it.each([
    [2.33, 'g/L', 'mg/dL', 233],
    [16, 'kPa', 'mm[Hg]', 120.0098],
    [1, 'cm', 'mm', 10],
    [72, '{beats}/min', '/min', 72],
    [98.6, '[degF]', 'Cel', 37],
  ])('takes %d %s to %s', (value, from, to, expected) => {
    expect(convertUnit(value, from, to)).toBeCloseTo(expected, 3);
  });

  it('leaves a value of the same unit as it is, bit by bit', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(convertUnit(value, 'mg/dL', 'mg/dL')).toBe(value);
      }),
    );
  });

  it.each([
    ['mg/dL', 'mm[Hg]'],
    ['mmol/L', 'mg/dL'],
    ['nonsense', 'mg/dL'],
    ['mg/dL', 'nonsense'],
    ['1', 'mm'],
  ])('from %s to %s is refused by name', (from, to) => {
    expect(() => convertUnit(1, from, to)).toThrow(
      expect.objectContaining({ code: 'UNIT_NOT_CONVERTIBLE', details: { expected: to, found: from } }),
    );
  });
});
