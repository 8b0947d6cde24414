import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SegmentWriter, segmentFile } from '#base/segment-writer.ts';
import { openObjectStore, openStore, type Store } from '#site/store/index.ts';

let profile: string;
let store: Store;

const openDatabase = (): Store =>
  openStore({
    file: path.join(profile, 'site.db'),
    key: new Uint8Array(32).fill(1),
    clock: { nowMs: () => 0 },
  });
const open = () => openObjectStore({ store, profile });
const segments = (): string[] => readdirSync(path.join(profile, 'objects'));
const segmentPath = (): string => path.join(profile, 'objects', segments()[0] ?? '');

beforeEach(() => {
  profile = mkdtempSync(path.join(tmpdir(), 'consilium-objects-'));
  store = openDatabase();
});
afterEach(() => {
  store.close();
  rmSync(profile, { recursive: true, force: true });
});

const content = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * seed) & 0xff);
const keep = (objects: ReturnType<typeof open>, bytes: Uint8Array): number => {
  const place = objects.save(bytes);
  return store.transaction(() => objects.add(place));
};

describe('the object store', () => {
  it('gives back what was sealed, in order and after a restart, in one segment that only its owner may read', () => {
    const objects = open();
    const numbers = [content(10), content(0), content(2_500_000, 3)].map((bytes) => keep(objects, bytes));
    expect(segments()).toHaveLength(1);
    expect(statSync(segmentPath()).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
    store.close();
    store = openDatabase();
    const reopened = open();
    expect(numbers.map((number) => reopened.read(number))).toEqual([
      content(10),
      content(0),
      content(2_500_000, 3),
    ]);
    keep(reopened, content(5));
    expect(segments()).toHaveLength(1);
  });

  it('holds nothing readable', () => {
    const words = Buffer.from('planted words of a patient');
    keep(open(), words);
    expect(readFileSync(segmentPath()).includes('planted')).toBe(false);
  });

  it('destroys an object with its row, and its neighbours stay', () => {
    const objects = open();
    const [first, second] = [keep(objects, content(100)), keep(objects, content(200, 5))];
    store.transaction(() => objects.remove(first));
    expect(() => objects.read(first)).toThrow(expect.objectContaining({ code: 'OBJECT_UNREADABLE' }));
    expect(open().read(second)).toEqual(content(200, 5));
  });

  it('tells a changed object, a moved one and a missing file', () => {
    const objects = open();
    const number = keep(objects, content(100));
    const whole = readFileSync(segmentPath());
    for (const damaged of [
      whole.map((byte, at) => (at === 50 ? byte ^ 1 : byte)),
      whole.subarray(1),
      Buffer.alloc(0),
    ]) {
      writeFileSync(segmentPath(), damaged);
      expect(() => objects.read(number)).toThrow(expect.objectContaining({ code: 'OBJECT_UNREADABLE' }));
    }
    rmSync(segmentPath());
    expect(() => objects.read(number)).toThrow(expect.objectContaining({ code: 'OBJECT_UNREADABLE' }));
  });

  it('gives the disk back what a killed import left behind its last row, and files without a row', () => {
    const number = keep(open(), content(100));
    appendFileSync(segmentPath(), content(5_000));
    const orphan = new SegmentWriter(path.join(profile, 'objects'), null);
    orphan.append([content(300)]);
    orphan.flush();
    orphan.close();
    expect(segments()).toHaveLength(2);
    const objects = open();
    expect(segments()).toHaveLength(1);
    expect(statSync(segmentPath()).size).toBe(116);
    expect(objects.read(number)).toEqual(content(100));
  });

  it('never gives one segment to two writers', () => {
    const objects = open();
    keep(objects, content(10));
    expect(objects.takeSegment()).not.toBeNull();
    expect(objects.takeSegment()).toBeNull();
  });

  it('says that it cannot write where its folder is no folder', () => {
    writeFileSync(path.join(profile, 'objects'), 'a file');
    const writer = new SegmentWriter(path.join(profile, 'objects'), null);
    expect(() => writer.append([content(10)])).toThrow(
      expect.objectContaining({ code: 'OBJECT_STORE_UNAVAILABLE' }),
    );
  });

  it.runIf(process.platform === 'linux')('says that the disk is full, and begins anew where it ended', () => {
    const folder = path.join(profile, 'objects');
    const objects = open();
    keep(objects, content(10));
    const segment = objects.takeSegment();
    const writer = new SegmentWriter(folder, segment);
    // The device that is always full takes the segment's place.
    const file = segmentPath();
    rmSync(file);
    symlinkSync('/dev/full', file);
    expect(() => {
      writer.append([content(10)]);
      writer.flush();
    }).toThrow(expect.objectContaining({ code: 'OBJECT_STORE_FULL' }));
    const { segment: next, position } = writer.append([content(20)]);
    writer.flush();
    writer.close();
    expect(next).not.toBe(segment);
    expect(readFileSync(segmentFile(folder, next)).subarray(position)).toEqual(Buffer.from(content(20)));
  });
});
