import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockSplitter } from './block-splitter.ts';

/** Texts of what decides where a cut may be, in chunks. */
const chunks = fc.array(fc.string({ unit: fc.constantFrom('"', '\n', 'a', ','), maxLength: 30 }), {
  maxLength: 30,
});

const allocate = (byteCount: number) => new Uint8Array(Math.max(byteCount, 24));

function split(parts: readonly string[], quotes: boolean) {
  const splitter = new BlockSplitter({ blockBytes: 16, maxRowBytes: 64, quotes, allocate });
  const blocks = parts.flatMap((part) => {
    const block = splitter.write(Buffer.from(part));
    return block === null ? [] : [Buffer.from(block).toString()];
  });
  return { blocks, rest: Buffer.from(splitter.rest()).toString() };
}

describe('a file cut into blocks', () => {
  it('is the same bytes in the same order', () => {
    fc.assert(
      fc.property(chunks, fc.boolean(), (parts, quotes) => {
        const { blocks, rest } = split(parts, quotes);
        expect(blocks.join('') + rest).toBe(parts.join(''));
      }),
    );
  });

  it('is cut behind line ends only, and never between two quotes', () => {
    fc.assert(
      fc.property(chunks, fc.boolean(), (parts, quotes) => {
        for (const block of split(parts, quotes).blocks) {
          expect(block.endsWith('\n')).toBe(true);
          if (quotes) expect((block.split('"').length - 1) % 2).toBe(0);
        }
      }),
    );
  });

  it('is cut at all where it can be', () => {
    expect(split(['a\n'.repeat(20), 'b'], false)).toEqual({ blocks: ['a\n'.repeat(20)], rest: 'b' });
  });

  it('says when no cut comes', () => {
    const splitter = new BlockSplitter({ blockBytes: 16, maxRowBytes: 64, quotes: true, allocate });
    splitter.write(Buffer.from('"'));
    for (let count = 0; count < 10; count += 1) splitter.write(Buffer.from('a\na\na\na\n'));
    expect(splitter.isStuck).toBe(true);
  });
});
