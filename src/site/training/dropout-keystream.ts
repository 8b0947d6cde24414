// What a run's dropout layers drop comes from its seed, beside the order of its batches.
import { concatBytes, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream, type Keystream } from '#federation/crypto/keystream.ts';

export function dropoutKeystream(seed: Uint8Array): Keystream {
  return createKeystream(sha256(concatBytes(utf8('dropout'), seed)));
}
