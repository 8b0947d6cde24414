import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { openBytes, sealBytes } from '#federation/crypto/seal.ts';

const key = new Uint8Array(32).fill(4);
const aad = utf8('patient_link');
const plaintext = utf8('Wilhelmina Planted');

describe('sealed bytes', () => {
  it('open with key and associated data, and differ each time', () => {
    const sealed = sealBytes(key, plaintext, aad);
    expect(openBytes(key, sealed, aad)).toEqual(plaintext);
    expect(sealed).toHaveLength(12 + plaintext.length + 16);
    expect(sealBytes(key, plaintext, aad)).not.toEqual(sealed);
    expect(openBytes(key, sealBytes(key, new Uint8Array(), aad), aad)).toHaveLength(0);
  });

  it('do not open when any one byte is changed', () => {
    const sealed = sealBytes(key, plaintext, aad);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x80;
      expect(() => openBytes(key, changed, aad)).toThrow(expect.objectContaining({ code: 'DECRYPT_FAILED' }));
    }
  });

  it('do not open elsewhere, with another key, or cut', () => {
    const sealed = sealBytes(key, plaintext, aad);
    const refused = expect.objectContaining({ code: 'DECRYPT_FAILED' });
    expect(() => openBytes(key, sealed, utf8('ingest_outcome'))).toThrow(refused);
    expect(() => openBytes(new Uint8Array(32), sealed, aad)).toThrow(refused);
    for (const length of [0, 12, 27, sealed.length - 1]) {
      expect(() => openBytes(key, sealed.slice(0, length), aad)).toThrow(refused);
    }
  });
});
