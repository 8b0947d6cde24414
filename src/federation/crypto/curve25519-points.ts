// Which 32-byte strings are honest points of Curve25519: canonical (below p) and of large order (security.md E18, RFC 8032
// section 5.1, RFC 7748 section 6.1).

/** p = 2^255 - 19, the size of the field. */
const FIELD = 2n ** 255n - 19n;
const SIGN_BIT = 2n ** 255n;
/** Order of the base point, the modulus of S in a signature. */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** y coordinates of the eight points of Ed25519 whose order divides 8. A signature under such a key fits any message. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);

/** u coordinates of X25519 points of small order. They force the shared secret to zero. */
const SMALL_ORDER_U: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

/** Whether `point` is the canonical encoding of a y coordinate and its point is not of small order. */
export function isHonestEd25519Point(point: Uint8Array): boolean {
  const y = littleEndian(point) % SIGN_BIT;
  return point.length === 32 && y < FIELD && !SMALL_ORDER_Y.has(y);
}

/** Whether `point` is the canonical encoding of a u coordinate and its point is not of small order. */
export function isHonestX25519Point(point: Uint8Array): boolean {
  const u = littleEndian(point);
  return point.length === 32 && u < FIELD && !SMALL_ORDER_U.has(u);
}

/** Whether `scalar` is below the group's order: S and S + L would both verify (signature malleability). */
export function isCanonicalScalar(scalar: Uint8Array): boolean {
  return scalar.length === 32 && littleEndian(scalar) < GROUP_ORDER;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
