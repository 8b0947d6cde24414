import { describe, expect, it } from 'vitest';
import { readSettings, settingsOf, sourceKinds } from './source-kinds.ts';

describe('the settings of a source', () => {
  it('are read from what was typed, without what was left empty', () => {
    expect(readSettings('dicomweb', { url: ' https://pacs.example ', user: '' })).toEqual({
      url: 'https://pacs.example',
    });
    expect(readSettings('mllp', { port: '2575' })).toEqual({ port: 2575 });
  });

  it.each([
    ['bulk-export', {}],
    ['mllp', { port: 'x' }],
    ['dicom-receiver', { aeTitle: 'A', port: '104' }],
    ['folder', { path: '  ' }],
  ] as const)('of %s are not complete with %j', (kind, values) => {
    expect(readSettings(kind, values)).toBeNull();
  });

  it.each(sourceKinds)('of %s are known to the form', (kind) => {
    expect(settingsOf[kind].length).toBeGreaterThan(0);
  });
});
