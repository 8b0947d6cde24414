import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockSplitter } from './block-splitter.ts';

/** Texts of what decides where a cut may be, in chunks. */
const chunks = fc.array(fc.string({ unit: fc.constantFrom('"', '\n', 'a', ','), maxLength: 30 }), {
  maxLength: 30,
});

const allocate = (byteCount: number) => new Uint8Array(Math.max(byteCount, 24));

function split(parts: readonly string[], delimiter: ',' | null) {
  const splitter = new BlockSplitter({ blockBytes: 16, maxRowBytes: 64, delimiter, allocate });
  const blocks = parts.flatMap((part) => {
    const block = splitter.write(Buffer.from(part));
    return block === null ? [] : [Buffer.from(block).toString()];
  });
  return { blocks, rest: Buffer.from(splitter.rest()).toString() };
}

/** Character by character: a quote opens a cell at its begin, or goes on in one that another quote has just closed. */
function isInQuotes(text: string): boolean {
  let state = 'begin' as 'begin' | 'plain' | 'quoted' | 'closed';
  for (const character of text) {
    if (state === 'quoted') state = character === '"' ? 'closed' : 'quoted';
    else if (character === ',' || character === '\n') state = 'begin';
    else state = character === '"' && state !== 'plain' ? 'quoted' : 'plain';
  }
  return state === 'quoted';
}

describe('a file cut into blocks', () => {
  it('is the same bytes in the same order', () => {
    fc.assert(
      fc.property(chunks, fc.constantFrom(',' as const, null), (parts, delimiter) => {
        const { blocks, rest } = split(parts, delimiter);
        expect(blocks.join('') + rest).toBe(parts.join(''));
      }),
    );
  });

  it('is cut behind line ends only, and never in a quoted cell', () => {
    fc.assert(
      fc.property(chunks, fc.constantFrom(',' as const, null), (parts, delimiter) => {
        for (const block of split(parts, delimiter).blocks) {
          expect(block.endsWith('\n')).toBe(true);
        }
        if (delimiter !== null) {
          const blocks = split(parts, delimiter).blocks;
          for (const [index] of blocks.entries())
            expect(isInQuotes(blocks.slice(0, index + 1).join(''))).toBe(false);
        }
      }),
    );
  });

  it('is cut at all where it can be', () => {
    expect(split(['a\n'.repeat(20), 'b'], null)).toEqual({ blocks: ['a\n'.repeat(20)], rest: 'b' });
  });

  it('is not led astray by a quote within a cell', () => {
    const row = 'a,"b\nb"\n';
    const text = `3" pipe,c\n${row.repeat(10)}`;
    expect(split([text, row], ',').blocks).toEqual([text]);
  });

  it('says when no cut comes', () => {
    const splitter = new BlockSplitter({ blockBytes: 16, maxRowBytes: 64, delimiter: ',', allocate });
    splitter.write(Buffer.from('"'));
    for (let count = 0; count < 10; count += 1) splitter.write(Buffer.from('a\na\na\na\n'));
    expect(splitter.isStuck).toBe(true);
  });
});
