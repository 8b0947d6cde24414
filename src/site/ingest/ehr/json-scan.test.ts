// The depth of JSON is told the same by the quick look and by the one at each byte.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { isTooDeep, maxJsonDepth, mayBeTooDeep } from './json-scan.ts';

const nested = (depth: number, open = '[', close = ']'): string =>
  `${open.repeat(depth)}${close.repeat(depth)}`;

describe('the depth of a line', () => {
  it.each([
    ['at the limit', nested(maxJsonDepth), false],
    ['one beyond it', nested(maxJsonDepth + 1), true],
    ['of objects and arrays in turn', '[{"x":'.repeat(33), true],
    ['in a text only', JSON.stringify([nested(1_000), `\\"${nested(1_000)}`]), false],
    ['never, with a thousand brackets side by side', `[${'[],'.repeat(1_000)}1]`, false],
  ])('%s is told', (_, text, isDeep) => {
    expect(mayBeTooDeep(text) && isTooDeep(utf8(text))).toBe(isDeep);
  });

  it('is never missed by the quick look', () => {
    const piece = fc.constantFrom('[', '{', ']', '}', '"', '\\', 'é', '[{', '{"x":[');
    fc.assert(
      fc.property(fc.array(piece, { minLength: 60, maxLength: 400 }), (pieces) => {
        const text = pieces.join('');
        expect(!isTooDeep(utf8(text)) || mayBeTooDeep(text)).toBe(true);
      }),
    );
  });
});
