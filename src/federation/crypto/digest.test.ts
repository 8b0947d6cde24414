import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { hmacSha256, KeyedDigest } from './digest.ts';

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
