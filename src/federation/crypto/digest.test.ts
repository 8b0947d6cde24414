import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { hmacSha256, KeyedDigest } from './digest.ts';

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

describe('HMAC-SHA-256', () => {
  // RFC 4231, sections 4.2 to 4.4 and 4.7 (a key of more than a block).
  it.each([
    ['0b'.repeat(20), utf8('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      Buffer.from('Jefe').toString('hex'),
      utf8('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      'aa'.repeat(20),
      new Uint8Array(50).fill(0xdd),
      '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
    ],
    [
      'aa'.repeat(131),
      utf8('Test Using Larger Than Block-Size Key - Hash Key First'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('is as RFC 4231 has it for key %s', (key, bytes, expected) => {
    expect(Buffer.from(hmacSha256(fromHex(key), bytes)).toString('hex')).toBe(expected);
  });
});

describe('a keyed digest', () => {
  it('is HMAC-SHA-256 of the text, whatever came before it', () => {
    const key = fc.uint8Array({ minLength: 0, maxLength: 64 });
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 2_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(key, texts, (bytes, all) => {
        const digest = new KeyedDigest(bytes);
        for (const text of all) {
          expect(Buffer.from(digest.of(text))).toEqual(Buffer.from(hmacSha256(bytes, utf8(text))));
        }
      }),
    );
  });

  it('has no key of more than a block', () => {
    expect(() => new KeyedDigest(new Uint8Array(65))).toThrow(RangeError);
  });
});
