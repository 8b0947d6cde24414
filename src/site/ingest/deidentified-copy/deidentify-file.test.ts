import { describe, expect, it } from 'vitest';
import {
  createUidMapper,
  type DicomElement,
  defaultDicomProfile,
  encodeDicom,
} from '#site/deidentify/index.ts';
import { dataSet, dicomFile, element, mrSlice, nativeSyntaxes, writeDicom } from '#support/dicom-object.ts';
import { fastRandom, noisySlice } from '#support/drawn-text.ts';
import { parseDicom } from '../dicom/parse-dicom.ts';
import { deidentifyFile } from './deidentify-file.ts';

const key = new Uint8Array(32).fill(1);
const order = { key, mapUid: createUidMapper(key), profile: defaultDicomProfile, writesSuspected: false };
const secret = 'Quillfeather';
const person = dataSet(element(0x00100010, secret), element(0x00100020, secret));
const content = mrSlice(
  { rows: 16, columns: 16, pixels: noisySlice(1, 16, 16) },
  element(0x00081115, [person, dataSet(element(0x00081140, [person]))]),
  element(0x00100010, secret),
  element(0x00204000, secret),
);

describe('a file that is de-identified', () => {
  it('has one pseudonym for one patient and another for the same number of another issuer', async () => {
    const nameOf = async (...elements: readonly DicomElement[]) => {
      const result = await deidentifyFile(
        Buffer.from(encodeDicom(dicomFile(mrSlice({}, ...elements)))),
        order,
      );
      if (result.outcome !== 'ready') throw new Error('not written');
      const read = parseDicom(Buffer.from(result.bytes));
      const id = read.dataSet.elements.find(({ tag }) => tag === 0x00100020);
      return id !== undefined && 'bytes' in id ? Buffer.from(id.bytes).toString('latin1').trim() : '';
    };
    const plain = await nameOf(element(0x00100020, '0042'));
    expect(plain).toMatch(/^[a-z2-7]{26}$/);
    expect(await nameOf(element(0x00100020, ' 0042 '), element(0x00080018, '1.2.9'))).toBe(plain);
    expect(await nameOf(element(0x00100020, '0042'), element(0x00100021, 'Ward B'))).not.toBe(plain);
    // Without a number the imaging study tells whose the object is.
    const unnamed = await nameOf(element(0x00100020, ''), element(0x0020000d, '1.2.77'));
    expect(
      await nameOf(element(0x00100020, ''), element(0x0020000d, '1.2.77'), element(0x00080018, '1.2.8')),
    ).toBe(unnamed);
    // Bytes that are no character, and what stands behind a backslash, tell patients apart too.
    const utf8 = element(0x00080005, 'ISO_IR 192');
    const umlauts = [0xc4, 0xd6].map((byte) =>
      nameOf(utf8, element(0x00100020, Uint8Array.of(byte, 0x31), 'LO'), element(0x0020000d, `1.2.${byte}`)),
    );
    const parted = ['A\\1', 'A\\2'].map((id) => nameOf(element(0x00100020, id)));
    expect(new Set(await Promise.all([...umlauts, ...parted])).size).toBe(4);
  });

  it.each(nativeSyntaxes)('ends with an outcome however its bytes were changed (%s)', async (syntax) => {
    const whole = writeDicom(dicomFile(content), syntax);
    for (let seed = 1; seed <= 250; seed += 1) {
      const random = fastRandom(seed);
      const changed = Buffer.from(whole);
      // Structure, not pixels: the header is what a reader can be led astray by.
      for (let change = 0; change < 4; change += 1)
        changed[132 + Math.floor(random() * (changed.length - 132))] = Math.floor(random() * 256);
      const cut = seed % 5 === 0 ? changed.subarray(0, Math.floor(random() * changed.length)) : changed;
      const result = await deidentifyFile(cut, order);
      expect(['ready', 'quarantined', 'rejected', 'skipped']).toContain(result.outcome);
      // What is written can be read.
      if (result.outcome === 'ready') parseDicom(Buffer.from(result.bytes));
    }
  });
});
