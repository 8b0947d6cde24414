import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { encodeLogExtension, parseLogExtension } from '#federation/log/log-extension.ts';

const hash = sha256(utf8('hash'));
const line = Buffer.from(hash).toString('base64');
const note = 'origin\n9\nroot\n\n\u2014 origin signature\n';

describe('a checkpoint with its proof', () => {
  it('has the form of C2SP tlog-witness', () => {
    expect(encodeLogExtension({ oldSize: 5, proof: [hash, hash], note })).toBe(
      `old 5\n${line}\n${line}\n\n${note}`,
    );
  });

  it.each([0, 1, 63])('is read as it was written, with %d hashes', (count) => {
    const extension = { oldSize: 5, proof: Array.from({ length: count }, () => hash), note };
    expect(parseLogExtension(encodeLogExtension(extension))).toEqual(extension);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a note alone', note],
    ['no empty line', 'old 5\n'],
    ['a negative size', `old -5\n\n${note}`],
    ['a size with a leading zero', `old 05\n\n${note}`],
    ['a size that is not exact', `old 99999999999999999\n\n${note}`],
    ['a hash that is too short', `old 5\nAAAA\n\n${note}`],
    ['a hash with stray bits', `old 5\n${'/'.repeat(43)}=\n\n${note}`],
    ['more hashes than any tree needs', `old 5\n${`${line}\n`.repeat(64)}\n${note}`],
  ])('is refused for %s', (_what, text) => {
    expect(() => parseLogExtension(text)).toThrow(expect.objectContaining({ code: 'BAD_CHECKPOINT' }));
  });
});
