import { describe, expect, it } from 'vitest';
import { pageSize, pagesFor } from './paged-rows.ts';

describe('the pages of a long list', () => {
  it.each([
    [0, 0, [0]],
    [0, pageSize - 1, [0]],
    [pageSize - 1, pageSize, [0, 1]],
    [pageSize, pageSize + 30, [0, 1]],
    [99_990, 99_999, [0, 499]],
    [5 * pageSize - 1, 5 * pageSize, [0, 4, 5]],
  ])('for rows %i to %i are %j', (first, last, pages) => {
    expect(pagesFor(first, last)).toEqual(pages);
  });
});
