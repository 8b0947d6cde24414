import { describe, expect, it } from 'vitest';
import { dataSet, element, mrSlice } from '#support/dicom-object.ts';
import { burnedInRisk, mayShowFace } from './burned-in.ts';

const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7.2';

describe('text in pixels, told by the header (D5)', () => {
  it.each([
    ['a plain MR slice', [], null],
    ['one that says YES', [element(0x00280301, 'YES')], 'BURNED_IN_TEXT'],
    ['an ultrasound', [element(0x00080060, 'US')], 'BURNED_IN_SUSPECTED'],
    ['an ultrasound that says NO', [element(0x00080060, 'US'), element(0x00280301, 'NO')], null],
    ['an angiography', [element(0x00080060, 'XA')], 'BURNED_IN_SUSPECTED'],
    ['a secondary capture', [element(0x00080016, secondaryCapture)], 'BURNED_IN_SUSPECTED'],
    ['a digitised film', [element(0x00080064, 'DF')], 'BURNED_IN_SUSPECTED'],
    ['a screen save', [element(0x00080008, 'DERIVED\\PRIMARY\\SCREEN SAVE')], 'BURNED_IN_SUSPECTED'],
    [
      'a dose report that says NO',
      [element(0x00080008, 'DERIVED\\PRIMARY\\DOSE_INFO'), element(0x00280301, 'NO')],
      'BURNED_IN_SUSPECTED',
    ],
    ['a derived and secondary image', [element(0x00080008, 'DERIVED\\SECONDARY')], 'BURNED_IN_SUSPECTED'],
    ['a derived but primary one', [element(0x00080008, 'DERIVED\\PRIMARY')], null],
  ])('%s', (_, elements, code) => {
    expect(burnedInRisk(mrSlice({}, ...elements))?.code ?? null).toBe(code);
  });

  it('is no matter of an object without pixels', () => {
    expect(burnedInRisk(dataSet(element(0x00080060, 'US'), element(0x00280301, 'YES')))).toBeNull();
  });
});

describe('a face', () => {
  it.each([
    ['a head', [element(0x00180015, 'HEAD')], true],
    ['a knee', [element(0x00180015, 'KNEE')], false],
    ['a head that was defaced', [element(0x00180015, 'HEAD'), element(0x00280302, 'NO')], false],
    ['a file that says so', [element(0x00280302, 'YES')], true],
  ])('%s', (_, elements, expected) => {
    expect(mayShowFace(mrSlice({}, ...elements))).toBe(expected);
  });
});
