import { describe, expect, it } from 'vitest';
import {
  parseAuthority,
  parseChance,
  parseDate,
  parseNumber,
  parsePort,
  parseTimeZone,
  parseWholeNumber,
} from '#cli/option-parsers.ts';

const refused = expect.objectContaining({ code: 'commander.invalidArgument' });

describe('a whole number of an option', () => {
  it.each([
    ['1', 1],
    ['500', 500],
    ['007', 7],
  ])('reads %s', (text, value) => {
    expect(parseWholeNumber(1, 500)(text)).toBe(value);
  });

  it.each(['abc', '-1', '0', '501', '1.5', '1e2', '0x10', '', ' 5', 'NaN', 'Infinity', '9'.repeat(400)])(
    'refuses %j',
    (text) => {
      expect(() => parseWholeNumber(1, 500)(text)).toThrow(refused);
    },
  );

  it('says what a port may be', () => {
    expect(parsePort('0')).toBe(0);
    expect(() => parsePort('65536')).toThrow('It takes a whole number from 0 to 65535.');
  });
});

describe('a number of an option', () => {
  it.each([
    ['1', 1],
    ['0.25', 0.25],
    ['.5', 0.5],
    ['1e-1', 0.1],
    ['1.5E+0', 1.5],
    ['2', 2],
  ])('reads %s', (text, value) => {
    expect(parseNumber(0, 2)(text)).toBe(value);
  });

  it.each([
    '',
    ' 1',
    '-1',
    '+1',
    '2.1',
    '0x1',
    '1_0',
    'NaN',
    'Infinity',
    '1e',
    'e5',
    '.',
    '1e9999',
    '9'.repeat(400),
  ])('refuses %j', (text) => {
    expect(() => parseNumber(0, 2)(text)).toThrow(refused);
  });

  it('that is a chance is neither 0 nor 1', () => {
    expect(parseChance('1e-5')).toBe(1e-5);
    for (const text of ['0', '1', '1e-400', '2', 'x']) expect(() => parseChance(text)).toThrow(refused);
  });
});

describe('an authority of an option', () => {
  it('is a name and a URI, once or several times', () => {
    const first = parseAuthority('urn:oid:1.2.3=https://hospital.example/number');
    expect([...parseAuthority('a=b=urn:x:y', first)]).toEqual([
      ['urn:oid:1.2.3', 'https://hospital.example/number'],
      ['a=b', 'urn:x:y'],
    ]);
  });

  it.each(['', 'name', '=urn:x:y', 'name=', 'name=number', 'name=urn:x y'])('refuses %j', (text) => {
    expect(() => parseAuthority(text)).toThrow(refused);
  });
});

describe('a date of an option', () => {
  it.each(['2030-02-28', '2028-02-29', '1999-12-31'])('takes %s', (text) => {
    expect(parseDate(text)).toBe(text);
  });

  it.each([
    'tomorrow',
    '2030-02-31',
    '2030-02-29',
    '2030-13-01',
    '30-01-01',
    '2030-1-1',
    '2030-01-01T00:00',
    '',
  ])('refuses %j', (text) => {
    expect(() => parseDate(text)).toThrow(refused);
  });
});

describe('a time zone of an option', () => {
  it.each(['Europe/Berlin', 'America/Los_Angeles', 'UTC'])('takes %s', (text) => {
    expect(parseTimeZone(text)).toBe(text);
  });

  it.each(['', 'Berlin', 'Europe/Nowhere', '../etc'])('refuses %j', (text) => {
    expect(() => parseTimeZone(text)).toThrow(refused);
  });
});
