import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '#base/bytes.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';

const parse = (bytes: Uint8Array): unknown => parseStrictJson(bytes, { maxBytes: 1_000_000 });
const badStatement = expect.objectContaining({ code: 'BAD_STATEMENT' });

describe('E15: JSON that two readers could understand differently', () => {
  it.each([
    ['a duplicate member', '{"round":1,"round":2}'],
    ['a duplicate member, once escaped', '{"round":1,"\\u0072ound":2}'],
    ['a duplicate member deep inside', '[{"a":{"b":1,"c":2,"b":3}}]'],
    ['__proto__', '{"__proto__":{"isAdmin":true}}'],
    ['__proto__, escaped', '{"\\u005f_proto__":1}'],
    ['an infinite number', '{"count":1e999}'],
    ['a negative infinite number', '-1e999'],
    ['NaN', '{"count":NaN}'],
    ['Infinity', 'Infinity'],
    ['2^53 + 1', '{"count":9007199254740993}'],
    ['-2^53', '-9007199254740992'],
    ['a lone high surrogate', '"\\ud800"'],
    ['a lone low surrogate in a name', '{"\\udc00":1}'],
    ['surrogates in the wrong order', '"\\udc00\\ud800"'],
    ['a leading zero', '01'],
    ['a plus sign', '+1'],
    ['a bare decimal point', '1.'],
    ['hexadecimal', '0x10'],
    ['a trailing comma in an object', '{"a":1,}'],
    ['a trailing comma in an array', '[1,]'],
    ['a comma alone', '[,]'],
    ['single quotes', "{'a':1}"],
    ['a name without quotes', '{a:1}'],
    ['a comment', '1 /* one */'],
    ['a second value', '{} {}'],
    ['a control character in a string', '"a\nb"'],
    ['an unknown escape', '"\\x41"'],
    ['a short escape', '"\\u12"'],
    ['a string without end', '"abc'],
    ['a string that ends in a backslash', '"abc\\'],
    ['an object without end', '{"a":1'],
    ['a member without value', '{"a"}'],
    ['a word cut short', 'tru'],
    ['white space that JSON does not know', '\u00a01'],
    ['nothing', ''],
    ['only white space', ' \n'],
  ])('%s is refused', (_name, text) => {
    expect(() => parse(utf8(text))).toThrow(badStatement);
  });

  it('a byte order mark, malformed UTF-8 and an encoded surrogate are refused', () => {
    expect(() => parse(concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), utf8('{}')))).toThrow(badStatement);
    expect(() => parse(Uint8Array.of(0x22, 0xc3, 0x28, 0x22))).toThrow(badStatement);
    expect(() => parse(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toThrow(badStatement);
  });

  it('a nest of 65 is refused and 100,000 levels do not overflow the stack', () => {
    expect(parse(utf8(`${'['.repeat(64)}1${']'.repeat(64)}`))).toBeTruthy();
    expect(() => parse(utf8(`${'['.repeat(65)}1${']'.repeat(65)}`))).toThrow(badStatement);
    expect(() => parse(utf8('['.repeat(100_000)))).toThrow(badStatement);
    expect(() => parse(utf8('{"a":'.repeat(100_000)))).toThrow(badStatement);
  });

  it('a 100 MB header is refused before it is read', () => {
    expect(() => parse(new Uint8Array(100_000_000))).toThrow(badStatement);
  });
});

describe('strict JSON', () => {
  it('reads what JSON.parse reads, of everything that is written canonically', () => {
    const values = fc
      .jsonValue({ maxDepth: 6 })
      .filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(values, (value) => {
        const text = JSON.stringify(value);
        const isExact = !/[0-9]{16,}/.test(text);
        fc.pre(isExact);
        expect(parse(utf8(text))).toEqual(JSON.parse(text));
        expect(parse(utf8(JSON.stringify(value, null, 2)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('takes whole strings of a megabyte, escapes and all numbers of JSON', () => {
    const long = 'ü"\\\n'.repeat(100_000);
    expect(parse(utf8(JSON.stringify(long)))).toBe(long);
    expect(parse(utf8('[-0.5, 1E+2, 0, -7, 1e-7, 9007199254740991]'))).toEqual([
      -0.5, 100, 0, -7, 1e-7, 9007199254740991,
    ]);
    expect(parse(utf8('{"toString":1,"constructor":2}'))).toEqual({ toString: 1, constructor: 2 });
    expect(parse(utf8('"\\ud83d\\ude00"'))).toBe('😀');
  });
});
