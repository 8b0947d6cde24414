import { describe, expect, it } from 'vitest';
import type { ImportFile } from './import-run.ts';
import { headBytes, mappingFileName, readHead, splitByColumns } from './mapping-files.ts';

const file = (name: string, text: string): ImportFile => {
  const blob = new Blob([text]);
  return { name, size: blob.size, slice: (start, end) => blob.slice(start, end) };
};

describe('files that wait for a mapping', () => {
  it('go together where their first line is the same, whatever ends it', async () => {
    const files = [file('a', 'x,y\n1,2\n'), file('b', 'x,y\r\n3,4'), file('c', 'y,x\n1,2'), file('d', 'x,y')];
    const { same, others } = await splitByColumns(files, files[0] as ImportFile);
    expect([same, others].map((group) => group.map(({ name }) => name))).toEqual([['a', 'b', 'd'], ['c']]);
  });

  it('are shown to the site by no more than their first 256 KiB', async () => {
    expect(atob(await readHead(file('a', 'z'.repeat(headBytes + 9)))).length).toBe(headBytes);
    expect(atob(await readHead(file('a', 'xyz')))).toBe('xyz');
  });

  it.each([
    ['export/lab values.CSV', 'lab values.mapping.json'],
    ['C:\\exports\\lab', 'lab.mapping.json'],
  ])('%s: its mapping is saved as %s', (table, name) => expect(mappingFileName(table)).toBe(name));
});
