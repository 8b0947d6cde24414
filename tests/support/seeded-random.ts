// Random bytes that a test can repeat. Not for anything but tests.
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';

/** The same bytes for the same seed. */
export function seededRandom(seed: string): (length: number) => Uint8Array {
  const keystream = createKeystream(sha256(utf8(seed)));
  return (length) => Uint8Array.from({ length }, () => keystream.nextBelow(256));
}
