// Where the sealed bytes of an image lie now. What was erased since is not found any more: a withdrawal reaches a run that reads.
import type { ObjectPlace, Store } from '#site/store/index.ts';

interface PlaceRow {
  readonly segment: number;
  readonly position: number;
  readonly byte_count: number;
  readonly object_key: Uint8Array;
}

/** Gives the place by SOP instance number; undefined where the image or its pixels are not kept. */
export function openImagePlaces(store: Store): (sopInstanceNo: number) => ObjectPlace | undefined {
  const find = store.prepare(
    `SELECT segment, sealed_object.position AS position, byte_count, object_key
    FROM sop_instance JOIN sealed_object USING (object_no) WHERE sop_instance_no = ?`,
  );
  return (sopInstanceNo) => {
    const row = find.get(sopInstanceNo) as PlaceRow | undefined;
    if (row === undefined) return undefined;
    const { segment, position, byte_count: byteCount, object_key: objectKey } = row;
    return { segment, position, byteCount, objectKey };
  };
}
