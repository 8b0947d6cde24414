import { describe, expect, it } from 'vitest';
import { isSignDependent, keywordOf, vrOf } from './dictionary.ts';

describe('the data dictionary', () => {
  it.each([
    [0x00020010, 'UI', 'TransferSyntaxUID'],
    [0x00100010, 'PN', 'PatientName'],
    [0x00280010, 'US', 'Rows'],
    [0x00281101, 'US', 'RedPaletteColorLookupTableDescriptor'],
    [0x00283006, 'OW', 'LUTData'],
    [0x00400555, 'SQ', 'AcquisitionContextSequence'],
    [0x60023000, 'OW', 'OverlayData'],
    [0x60004000, 'LT', 'OverlayComments'],
    [0x50103000, 'OW', 'CurveData'],
    [0x7fe00010, 'OW', 'PixelData'],
    [0xfffcfffc, 'OB', 'DataSetTrailingPadding'],
    [0xfffafffa, 'SQ', 'DigitalSignaturesSequence'],
    [0x00081150, 'UI', 'ReferencedSOPClassUID'],
  ])('knows the VR and keyword of %s', (tag, vr, keyword) => {
    expect(vrOf(tag)).toBe(vr);
    expect(keywordOf(tag)).toBe(keyword);
  });

  it.each([
    ['a private element', 0x00091001, 'UN'],
    ['a private creator', 0x00090010, 'LO'],
    ['a group length', 0x00100000, 'UL'],
    ['a public tag that nobody knows', 0x0008fff0, 'UN'],
    ['the odd neighbour of a repeating group', 0x60013000, 'UN'],
  ])('reads %s as %#', (_, tag, vr) => expect(vrOf(tag)).toBe(vr));

  it('says which tags take their sign from the pixels', () => {
    expect(isSignDependent(0x00280106)).toBe(true);
    expect(isSignDependent(0x00280010)).toBe(false);
  });
});
