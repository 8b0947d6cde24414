import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '#base/bytes.ts';
import { encodeSealedContent, parseSealedContent } from '#federation/records/sealed-bytes.ts';

const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

describe('the content of a sealed update', () => {
  it.each([0, 1, 16])('with %i approvals comes back part by part', (count) => {
    const content = {
      update: utf8('update'),
      approvals: Array.from({ length: count }, (_value, index) => utf8(`approval ${index}`)),
      payload: utf8('payload'),
    };
    expect(parseSealedContent(encodeSealedContent(content))).toEqual(content);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['half a length', Uint8Array.of(0, 0)],
    ['an update that runs past the end', concatBytes(u32(7), utf8('update'))],
    ['an update of 4 GiB', concatBytes(u32(0xffffffff), utf8('update'))],
    ['an update above its limit', concatBytes(u32(300_000), new Uint8Array(300_000))],
    ['no count', concatBytes(u32(6), utf8('update'))],
    ['17 approvals', concatBytes(u32(0), u32(17), ...Array.from({ length: 17 }, () => u32(0)))],
    ['an approval that runs past the end', concatBytes(u32(0), u32(1), u32(9), utf8('approval'))],
  ])('%s is BAD_BUNDLE', (_name, bytes) => {
    expect(() => parseSealedContent(bytes)).toThrow(expect.objectContaining({ code: 'BAD_BUNDLE' }));
  });

  it('is read from a view into a larger buffer', () => {
    const bytes = encodeSealedContent({ update: utf8('u'), approvals: [], payload: utf8('p') });
    const larger = concatBytes(new Uint8Array(5), bytes);
    expect(parseSealedContent(larger.subarray(5)).payload).toEqual(utf8('p'));
  });
});
