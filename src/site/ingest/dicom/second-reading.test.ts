import { describe, expect, it } from 'vitest';
import {
  createUidMapper,
  type DicomElement,
  type DicomFile,
  deidentifyDicom,
  encodeDicom,
} from '#site/deidentify/index.ts';
import { dataSet, dicomFile, element, mrSlice } from '#support/dicom-object.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { verifyDeidentified } from './second-reading.ts';

const file = deidentifyDicom(dicomFile(mrSlice()), {
  subjectId: 'abcdefghijklmnopqrstuvwxyz',
  dateOffsetDays: 30,
  mapUid: createUidMapper(new Uint8Array(32).fill(1)),
});

function withElements(...added: readonly DicomElement[]): DicomFile {
  return { ...file, dataSet: dataSet(...file.dataSet.elements, ...added) };
}

function refusalOf(bytes: Uint8Array): [string, string | null] {
  try {
    verifyDeidentified(bytes);
    return ['proven', null];
  } catch (error) {
    if (error instanceof DicomRefusal) return [error.code, error.field];
    throw error;
  }
}

describe('the second reading of a de-identified object', () => {
  it('passes what de-identification made', () =>
    expect(refusalOf(encodeDicom(file))).toEqual(['proven', null]));

  const secret = element(0x00100021, 'Ward 7');
  it.each<[string, DicomFile, string | null]>([
    ['an attribute that the profile removes', withElements(secret), 'IssuerOfPatientID'],
    [
      'the same inside a nested item',
      withElements(element(0x00081140, [dataSet(element(0x00081199, [dataSet(secret)]))])),
      'IssuerOfPatientID',
    ],
    ['a private element', withElements(element(0x00091001, 'X', 'LO')), null],
    ['an overlay', withElements(element(0x60003000, new Uint8Array(8), 'OW')), 'OverlayData'],
    [
      'an object that does not say it is de-identified',
      withElements(element(0x00120062, 'NO')),
      'PatientIdentityRemoved',
    ],
  ])('refuses %s', (_, leaking, field) => {
    expect(refusalOf(encodeDicom(leaking))).toEqual(['DICOM_NOT_DEIDENTIFIED', field]);
  });

  it('refuses bytes that the second reader cannot read', () => {
    expect(refusalOf(encodeDicom(file).subarray(0, 200))).toEqual(['DICOM_NOT_DEIDENTIFIED', null]);
  });
});
