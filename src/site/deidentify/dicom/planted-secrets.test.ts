import { describe, expect, it } from 'vitest';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import { dataSet, dicomFile, element, mrSlice, nativeSyntaxes, writeDicom } from '#support/dicom-object.ts';
import type { DicomElement } from './data-set.ts';
import { deidentifyDicom } from './deidentify-dicom.ts';
import { encodeDicom } from './encode-dicom.ts';
import { profileRows } from './profile.ts';
import { createUidMapper } from './uid-mapper.ts';

const secrets = {
  family: 'Zylberszpic',
  given: 'Ödönné',
  mrn: 'MRN-77104-QX',
  accession: 'ACC99812X',
  birthDate: '19530417',
  examDate: '20190812',
  instance: '1.2.840.99999.7.41231',
  imagingStudy: '1.2.840.99999.7.51231',
  phone: '0047-55-119',
  device: 'SER-8841-K',
  place: 'Klinikum Wasserburg',
  station: 'STATIONQX7',
} as const;

/** Every way in which a text may stand in bytes. */
function spellings(secret: string): Buffer[] {
  const cases = [secret, secret.toUpperCase(), secret.toLowerCase()];
  return cases.flatMap((text) => [
    Buffer.from(text, 'utf8'),
    Buffer.from(text, 'latin1'),
    Buffer.from(text, 'utf16le'),
    Buffer.from(text, 'utf16le').swap16(),
  ]);
}

function foundSecrets(bytes: Uint8Array): string[] {
  const output = Buffer.from(bytes);
  return Object.entries(secrets).flatMap(([name, secret]) =>
    spellings(secret).some((spelling) => output.includes(spelling)) ? [name] : [],
  );
}

const utf16 = (text: string) => new Uint8Array(Buffer.from(text, 'utf16le'));
const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const everything = Object.values(secrets).join(' ');
const name = `${secrets.family}^${secrets.given}^^Dr.`;

/** Identifiers where hospitals, devices and careless software leave them. */
function planted(): DicomElement[] {
  const person = dataSet(
    element(0x00100010, name),
    element(0x00100020, secrets.mrn),
    element(0x00100030, secrets.birthDate),
    element(0x00080050, secrets.accession),
  );
  const privateSet = [
    element(0x00190010, secrets.place, 'LO'),
    element(0x00191001, everything, 'UN'),
    element(0x00191002, utf16(everything), 'OB'),
    element(0x00191003, [person], 'SQ'),
  ];
  return [
    ...person.elements,
    element(0x00080005, 'ISO_IR 192'),
    element(0x00080018, secrets.instance),
    element(0x00080020, secrets.examDate),
    element(0x0008002a, `${secrets.examDate}101112`),
    element(0x00080080, latin1(secrets.place)),
    element(0x00080081, utf16(everything)),
    element(0x00081010, secrets.station),
    element(0x0008103e, `MR of ${secrets.family.toUpperCase()}, ${secrets.given.toLowerCase()}`),
    element(0x00081050, `=${secrets.family}=${secrets.given}`),
    element(0x00081140, [dataSet(element(0x00081155, secrets.instance), ...privateSet)]),
    element(0x00100021, secrets.place),
    element(0x00101002, [person]),
    element(0x00102154, secrets.phone),
    element(0x00102160, secrets.family),
    element(0x00181000, secrets.device),
    element(0x0020000d, secrets.imagingStudy),
    element(0x00200052, `${secrets.instance}\\${secrets.imagingStudy}`),
    element(0x00204000, everything),
    element(0x00321032, name),
    element(0x00400275, [dataSet(element(0x00401001, secrets.accession), element(0x00321060, everything))]),
    element(0x0040a730, [dataSet(element(0x0040a160, everything), element(0x0040a123, name))]),
    element(0x00420011, everything, 'OB'),
    element(0x04000561, [dataSet(element(0x04000550, [person]))]),
    element(0x50040110, everything, 'LO'),
    element(0x60004000, everything),
    element(0x60003000, everything, 'OW'),
    element(0x0008fff0, everything, 'UN'),
    element(0x00081078, name, 'PN'),
    element(0xfffafffa, [person]),
    element(0xfffcfffc, everything, 'OB'),
    ...privateSet,
  ];
}

const options = {
  subjectId: 'aaaabbbbccccddddeeeeffff22',
  dateOffsetDays: 77,
  mapUid: createUidMapper(new Uint8Array(32).fill(9)),
};
const preamble = Buffer.alloc(128, everything);
const file = dicomFile(mrSlice({}, ...planted()), {
  meta: dataSet(
    element(0x00020003, secrets.instance),
    element(0x00020016, secrets.station),
    element(0x00020018, secrets.station),
    element(0x00020100, '1.2.3'),
    element(0x00020102, everything, 'OB'),
  ),
});

describe('planted secrets (D7)', () => {
  it.each(nativeSyntaxes)('are in no byte of what comes out of a %s file', (syntax) => {
    const input = writeDicom(file, syntax, preamble);
    if (syntax !== 'deflated') expect(foundSecrets(input)).toEqual(Object.keys(secrets));
    const output = encodeDicom(deidentifyDicom(parseDicom(input), options));
    expect(foundSecrets(output)).toEqual([]);
  });

  it('are in no byte whatever option a plan chooses but the identity that it retains', () => {
    const profile = { options: new Set(['113105', '113107', '113108'] as const), safePrivate: [] };
    expect(foundSecrets(encodeDicom(deidentifyDicom(file, { ...options, profile })))).toEqual([]);
  });

  it('are in no byte when every attribute of the table holds all of them as text', () => {
    const rows = profileRows.filter(({ pattern }) => /^[0-9a-f]{8}$/.test(pattern));
    const elements = rows.map(({ pattern, vr }) =>
      element(
        Number.parseInt(pattern, 16),
        vr === 'SQ' ? [dataSet(element(0x00100010, everything))] : everything,
      ),
    );
    const deep = dataSet(element(0x00081115, [dataSet(...elements)]), ...elements);
    const content = dataSet(...mrSlice().elements, ...deep.elements);
    expect(foundSecrets(encodeDicom(deidentifyDicom(dicomFile(content), options)))).toEqual([]);
  });

  it('and everything else that two keys give for one patient has no value in common', () => {
    const valuesUnder = (fill: number, subjectId: string) => {
      const mapUid = createUidMapper(new Uint8Array(32).fill(fill));
      const { elements } = deidentifyDicom(file, { subjectId, dateOffsetDays: fill, mapUid }).dataSet;
      const identifying = new Set([
        0x00080018, 0x0020000d, 0x0020000e, 0x00200052, 0x00100010, 0x00100020, 0x00080020,
      ]);
      return elements.flatMap((each) =>
        identifying.has(each.tag) && 'bytes' in each ? [Buffer.from(each.bytes).toString('latin1')] : [],
      );
    };
    const [one, other] = [valuesUnder(1, 'aaaa'), valuesUnder(2, 'bbbb')];
    expect(one).toHaveLength(7);
    expect(one.filter((value) => other.includes(value))).toEqual([]);
  });
});
