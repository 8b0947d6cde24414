import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '#base/bytes.ts';
import { openFrame, sealFrame } from './frame-seal.ts';

const key = new Uint8Array(32).fill(7);
const frame = { key, number: 3, aad: utf8('last') };
const sealed = () => Buffer.concat(sealFrame(frame, [utf8('ab'), utf8('c')]));
const refused = expect.objectContaining({ code: 'DECRYPT_FAILED' });

describe('a sealed frame', () => {
  it('opens with its key, its number and what it is', () => {
    expect(openFrame(frame, sealed())).toEqual(Buffer.from('abc'));
  });

  it('is the known answer of NIST for a zero key and nonce', () => {
    // McGrew and Viega, The Galois/Counter Mode of Operation, test case 14: 256-bit zero key, zero IV, 16 zero bytes.
    const zero = { key: new Uint8Array(32), number: 0, aad: new Uint8Array() };
    expect(toHex(Buffer.concat(sealFrame(zero, [new Uint8Array(16)])))).toBe(
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    );
    expect(
      openFrame(zero, fromHex('cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919')),
    ).toEqual(Buffer.alloc(16));
  });

  it.each([
    ['in another place', { ...frame, number: 4 }],
    ['as another thing', { ...frame, aad: utf8('first') }],
    ['under another key', { ...frame, key: new Uint8Array(32) }],
  ])('does not open %s', (_, other) => {
    expect(() => openFrame(other, sealed())).toThrow(refused);
  });

  it('does not open with a byte changed, or cut', () => {
    const changed = sealed();
    changed[0] = (changed[0] ?? 0) ^ 1;
    expect(() => openFrame(frame, changed)).toThrow(refused);
    expect(() => openFrame(frame, sealed().subarray(0, 18))).toThrow(refused);
    expect(() => openFrame(frame, new Uint8Array(3))).toThrow(refused);
  });
});
