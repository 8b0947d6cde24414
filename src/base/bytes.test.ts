import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  toBase64,
  toHex,
  utf8,
} from '#base/bytes.ts';

describe('bytes', () => {
  it('go to hexadecimal and base64 and back', () => {
    const bytes = Uint8Array.from([0, 1, 254, 255]);
    expect(toHex(bytes)).toBe('0001feff');
    expect(fromHex('0001feff')).toEqual(bytes);
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    expect(equalBytes(concatBytes(bytes, bytes).subarray(4), bytes)).toBe(true);
  });

  it.each(['0', '0G', 'FF', ' 00'])('refuse the hexadecimal %j', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });

  it.each(['AA', 'AAA=\n', 'A A=', '-_-_', 'AB=='])('refuse the base64 %j', (text) => {
    expect(() => fromBase64(text)).toThrow(RangeError);
  });

  it('refuse malformed UTF-8 instead of replacing it', () => {
    expect(() => fromUtf8(Uint8Array.from([0xc3, 0x28]))).toThrow(TypeError);
    expect(fromUtf8(utf8('Zürich'))).toBe('Zürich');
  });
});
