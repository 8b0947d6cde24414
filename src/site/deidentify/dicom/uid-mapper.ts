// UIDs by rule D3: one new UID for one old UID under one key, and nothing that tells which; two keys share none.
import { utf8 } from '#base/bytes.ts';
import { hmacSha256 } from '#federation/crypto/digest.ts';

/** Old UID -> new UID; well-known UIDs of the standard stay. */
export type UidMapper = (uid: string) => string;

const rememberedUids = 20_000;

/** Well-known frames of reference, SOP instances and palettes (PS3.6 Annex A). Bounded: no room for an identifier behind the root. */
const wellKnown =
  /^1\.2\.840\.10008\.(1\.4\.\d\.\d{1,2}|1\.5\.\d|1\.20\.1|1\.40\.1|1\.42(\.1)?|5\.1\.1\.(16|17)(\.376)?|5\.1\.1\.2[57]|5\.1\.1\.40\.1)$/;

/** @param key 32 bytes; the UIDs of different keys cannot be linked. */
export function createUidMapper(key: Uint8Array): UidMapper {
  const known = new Map<string, string>();
  return (uid) => {
    const found = known.get(uid);
    if (found !== undefined) return found;
    const mapped = wellKnown.test(uid) ? uid : deriveUid(key, uid);
    if (known.size >= rememberedUids) known.clear();
    known.set(uid, mapped);
    return mapped;
  };
}

/** `2.25.` and a 128-bit integer: a version 8 UUID (RFC 9562) whose free bits are an HMAC of the old UID (PS3.5 B.2). */
function deriveUid(key: Uint8Array, uid: string): string {
  const bits = Buffer.from(hmacSha256(key, utf8(`uid\0${uid}`)).subarray(0, 16));
  bits[6] = ((bits[6] ?? 0) & 0x0f) | 0x80;
  bits[8] = ((bits[8] ?? 0) & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${bits.toString('hex')}`)}`;
}
