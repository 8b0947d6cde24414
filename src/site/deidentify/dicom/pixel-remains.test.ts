import { describe, expect, it } from 'vitest';
import { dataSet, dicomFile, element, mrSlice } from '#support/dicom-object.ts';
import { withoutComments } from './codestream-comments.ts';
import type { DataSet, DicomElement } from './data-set.ts';
import { findElement } from './data-set.ts';
import { deidentifyDicom } from './deidentify-dicom.ts';
import { encodeDicom } from './encode-dicom.ts';
import { createUidMapper } from './uid-mapper.ts';

const secret = Buffer.from('DOE JANE 1980');
const segment = (marker: number, content: Uint8Array) =>
  Buffer.concat([Buffer.from([0xff, marker, 0, content.length + 2]), content]);
const jfif = segment(0xe0, Buffer.from('JFIF\0'));
const tables = segment(0xdb, Buffer.from([0, 1, 2]));
const scan = Buffer.concat([segment(0xda, Buffer.from([1])), Buffer.from([0xff, 0x00, 7]), secret]);
const jpeg = (...segments: Buffer[]) => Buffer.concat([Buffer.from([0xff, 0xd8]), ...segments, scan]);
const size = segment(0x51, Buffer.from([0, 0, 1]));
const tile = Buffer.concat([segment(0x90, Buffer.from([0])), secret]);
const jpeg2000 = (...segments: Buffer[]) =>
  Buffer.concat([Buffer.from([0xff, 0x4f]), size, ...segments, tile]);
const zeros = Buffer.alloc(secret.length);
const endOfImage = Buffer.from([0xff, 0xd9]);
const secondScan = [scan, endOfImage];
/** Two tiles, each with a comment, and bytes behind the end. */
function tiled(text: Buffer): Buffer {
  const comment = segment(0x64, Buffer.concat([Buffer.from([0, 1]), text]));
  const data = Buffer.concat([Buffer.from([0xff, 0x93]), Buffer.from('samples')]);
  const place = Buffer.from([0, 0, 0, 0, 0, 12 + comment.length + data.length, 0, 1]);
  const part = Buffer.concat([segment(0x90, place), comment, data]);
  return Buffer.concat([Buffer.from([0xff, 0x4f]), size, part, part, endOfImage, text]);
}

describe('comments in compressed images', () => {
  it.each([
    ['a JPEG comment', jpeg(jfif, segment(0xfe, secret), tables), jpeg(jfif, segment(0xfe, zeros), tables)],
    ['an Exif segment', jpeg(segment(0xe1, secret)), jpeg(segment(0xe1, zeros))],
    [
      'fill bytes before one',
      jpeg(Buffer.from([0xff]), segment(0xfe, secret)),
      jpeg(Buffer.from([0xff]), segment(0xfe, zeros)),
    ],
    [
      'a JPEG 2000 comment',
      jpeg2000(segment(0x64, Buffer.concat([Buffer.from([0, 1]), secret]))),
      jpeg2000(segment(0x64, Buffer.concat([Buffer.from([0, 1]), zeros]))),
    ],
    [
      'a comment between two scans',
      Buffer.concat([jpeg(), segment(0xfe, secret), ...secondScan]),
      Buffer.concat([jpeg(), segment(0xfe, zeros), ...secondScan]),
    ],
    [
      'what stands behind the end',
      Buffer.concat([jpeg(), endOfImage, secret]),
      Buffer.concat([jpeg(), endOfImage, zeros]),
    ],
    ['a comment of a tile', tiled(secret), tiled(zeros)],
  ])('%s is blanked, and nothing else, however it is cut into fragments', (_, before, after) => {
    expect(Buffer.concat(withoutComments([before])).equals(after)).toBe(true);
    for (let cut = 3; cut < before.length; cut += 1) {
      const fragments = withoutComments([before.subarray(0, cut), before.subarray(cut), before]);
      expect(fragments.map(({ length }) => length)).toEqual([cut, before.length - cut, before.length]);
      expect(Buffer.concat(fragments).equals(Buffer.concat([after, after])), String(cut)).toBe(true);
    }
  });

  it.each([
    ['an image without any', jpeg(jfif, tables)],
    ['what is no codestream', secret],
    ['a segment that runs over', Buffer.from([0xff, 0xd8, 0xff, 0xdb, 0xff, 0xff])],
    ['a segment of impossible length', Buffer.from([0xff, 0xd8, 0xff, 0xfe, 0, 1, 2, 3])],
    ['an empty fragment', Buffer.alloc(0)],
  ])('%s stays the very same bytes', (_, fragment) => expect(withoutComments([fragment])[0]).toBe(fragment));
});

function pixelsAfter(content: DataSet): DicomElement | undefined {
  const options = { subjectId: 's', dateOffsetDays: 1, mapUid: createUidMapper(new Uint8Array(32)) };
  return findElement(deidentifyDicom(dicomFile(content), options).dataSet, 0x7fe00010);
}

describe('remains beside the pixels', () => {
  it('behind the last frame are cut', () => {
    const bytes = Buffer.concat([Buffer.alloc(8 * 8 * 2, 1), secret]);
    const found = pixelsAfter(mrSlice({}, element(0x7fe00010, new Uint8Array(bytes), 'OW')));
    expect(found !== undefined && 'bytes' in found && found.bytes).toEqual(new Uint8Array(128).fill(1));
  });

  it('are none where there are fewer bytes than the frames need', () => {
    const found = pixelsAfter(mrSlice({}, element(0x7fe00010, new Uint8Array(100), 'OW')));
    expect(found !== undefined && 'bytes' in found && found.bytes.length).toBe(100);
  });

  it('of an overlay in the unused bits are masked', () => {
    const pixels = new Uint16Array(64).fill(0xf123);
    const words = element(0x7fe00010, Buffer.from(pixels.buffer), 'OW');
    const overlay = [element(0x60000100, [16]), element(0x60000102, [12])];
    const found = pixelsAfter(mrSlice({}, words, ...overlay));
    const bytes = found !== undefined && 'bytes' in found ? found.bytes : new Uint8Array();
    expect(new Uint16Array(bytes.slice().buffer)).toEqual(new Uint16Array(64).fill(0x0123));
    expect(pixels[0]).toBe(0xf123);
  });

  it('of a small picture in a sequence go with it', () => {
    const small = dataSet(element(0x7fe00010, new Uint8Array(secret), 'OW'), element(0x00280010, [2]));
    const content = mrSlice({}, element(0x00082112, [small]));
    const options = { subjectId: 's', dateOffsetDays: 1, mapUid: createUidMapper(new Uint8Array(32)) };
    const found = encodeDicom(deidentifyDicom(dicomFile(content), options));
    expect(Buffer.from(found).includes(secret)).toBe(false);
    expect(pixelsAfter(content)).toBeDefined();
  });

  it('in comments of a fragment go with the object', () => {
    const fragment = jpeg(segment(0xfe, secret));
    const before = Buffer.from(fragment);
    const pixels: DicomElement = { tag: 0x7fe00010, vr: 'OB', offsets: [0], fragments: [fragment] };
    const found = pixelsAfter(dataSet(...mrSlice().elements, pixels));
    expect(found !== undefined && 'fragments' in found && found.fragments[0]).toEqual(
      new Uint8Array(jpeg(segment(0xfe, zeros))),
    );
    expect(fragment.equals(before)).toBe(true);
  });
});
