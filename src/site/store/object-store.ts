// The site's sealed objects (docs/formats/object-store.md): bytes in append-only segment files, each object under a key of its own that
// lies in its row of the encrypted store. Whoever deletes the row has destroyed the object (security.md C10).
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import {
  fullSegmentBytes,
  ObjectStoreError,
  objectStoreFailure,
  type SegmentPlace,
  SegmentWriter,
  segmentFile,
} from '#base/segment-writer.ts';
import { openPieces, sealedPiecesSize, sealPieces } from '#federation/crypto/piece-seal.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { Store } from '#site/store/index.ts';

/** Where a sealed object lies, and the key that opens it and nothing else. */
export interface ObjectPlace extends SegmentPlace {
  /** Before sealing. */
  readonly byteCount: number;
  readonly objectKey: Uint8Array;
}

export interface ObjectStore {
  /** Folder of the segment files. */
  readonly folder: string;
  /** A segment that a new writer may go on with, or null; nobody else gets it until it is given back. */
  takeSegment(): number | null;
  giveBack(segment: number | null): void;
  /** Keeps one object: sealed, durable, read back. @throws ObjectStoreError. */
  save(bytes: Uint8Array): ObjectPlace;
  /** Writes the row of an object that is durable; its number. Belongs into the caller's transaction. */
  add(place: ObjectPlace): number;
  /** @throws ObjectStoreError OBJECT_UNREADABLE when there is no such object, or its bytes were changed. */
  read(objectNo: number): Uint8Array;
  /** Destroys the object's key, and with it the object. Belongs into the caller's transaction. */
  remove(objectNo: number): void;
}

export interface ObjectStoreOptions {
  readonly store: Store;
  /** The profile folder. */
  readonly profile: string;
}

/** Opens the objects of a store and gives the disk back what no row names: bytes that a killed import left, and removed objects at the end. */
export function openObjectStore({ store, profile }: ObjectStoreOptions): ObjectStore {
  const folder = path.join(profile, 'objects');
  const unfinished = reclaimSegments(store, folder);
  const statements = {
    insert: store.prepare(
      'INSERT INTO sealed_object (segment, position, byte_count, object_key) VALUES (?, ?, ?, ?) RETURNING object_no',
    ),
    find: store.prepare(
      'SELECT segment, position, byte_count, object_key FROM sealed_object WHERE object_no = ?',
    ),
    remove: store.prepare('DELETE FROM sealed_object WHERE object_no = ?'),
  };
  const objects: ObjectStore = {
    folder,
    takeSegment: () => unfinished.pop() ?? null,
    giveBack: (segment) => {
      if (segment !== null) unfinished.push(segment);
    },
    save: (bytes) => {
      const writer = new SegmentWriter(folder, objects.takeSegment());
      try {
        const objectKey = systemRandom(32);
        const appended = writer.append(sealPieces(objectKey, bytes));
        const place = { ...appended, byteCount: bytes.length, objectKey };
        writer.flush();
        readObject(folder, place);
        return place;
      } finally {
        objects.giveBack(writer.segment);
        writer.close();
      }
    },
    add: ({ segment, position, byteCount, objectKey }) =>
      (statements.insert.get(segment, position, byteCount, objectKey) as { object_no: number }).object_no,
    read: (objectNo) => {
      const row = statements.find.get(objectNo) as ObjectRow | undefined;
      if (row === undefined)
        throw new ObjectStoreError('OBJECT_UNREADABLE', 'There is no such sealed object.');
      const { segment, position, byte_count: byteCount, object_key: objectKey } = row;
      return readObject(folder, { segment, position, byteCount, objectKey });
    },
    remove: (objectNo) => void statements.remove.run(objectNo),
  };
  return objects;
}

interface ObjectRow {
  readonly segment: number;
  readonly position: number;
  readonly byte_count: number;
  readonly object_key: Uint8Array;
}

/**
 * Reads an object by its place, on any thread.
 * @param folder of the segment files
 * @throws ObjectStoreError OBJECT_UNREADABLE.
 */
export function readObject(
  folder: string,
  { segment, position, byteCount, objectKey }: ObjectPlace,
): Uint8Array {
  try {
    const sealed = readBytes(segmentFile(folder, segment), position, sealedPiecesSize(byteCount));
    return openPieces(objectKey, sealed, byteCount);
  } catch {
    // Neither the path nor how far it opened is told.
    throw new ObjectStoreError('OBJECT_UNREADABLE', 'A sealed object is not there or was changed.');
  }
}

function readBytes(file: string, position: number, length: number): Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = new Uint8Array(length);
    let done = 0;
    for (let count = 1; count > 0 && done < length; done += count)
      count = readSync(descriptor, bytes, done, length - done, position + done);
    return bytes.subarray(0, done);
  } finally {
    closeSync(descriptor);
  }
}

/** Cuts each segment behind its last object and removes the empty ones; gives those that have room left. */
function reclaimSegments(store: Store, folder: string): number[] {
  const ends = segmentEnds(store);
  const unfinished: number[] = [];
  for (const name of listNames(folder)) {
    const segment = /^([0-9a-f]{12})\.segment$/.exec(name)?.[1];
    if (segment === undefined) continue;
    const number = Number.parseInt(segment, 16);
    const end = ends.get(number);
    const file = path.join(folder, name);
    try {
      if (end === undefined) rmSync(file, { force: true });
      else if (statSync(file).size > end) truncateSync(file, end);
    } catch (error) {
      throw objectStoreFailure(error);
    }
    if (end !== undefined && end < fullSegmentBytes) unfinished.push(number);
  }
  return unfinished;
}

/** Where each segment's last object ends. Skips from segment to segment in the index: the number of objects does not count. */
function segmentEnds(store: Store): Map<number, number> {
  const nextOf = store.prepare('SELECT min(segment) AS segment FROM sealed_object WHERE segment > ?');
  const lastOf = store.prepare(
    'SELECT position, byte_count FROM sealed_object WHERE segment = ? ORDER BY position DESC LIMIT 1',
  );
  const ends = new Map<number, number>();
  for (let before = -1; ; ) {
    const { segment } = nextOf.get(before) as { segment: number | null };
    if (segment === null) return ends;
    const last = lastOf.get(segment) as { position: number; byte_count: number };
    ends.set(segment, last.position + sealedPiecesSize(last.byte_count));
    before = segment;
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // No object was ever sealed.
    return [];
  }
}
