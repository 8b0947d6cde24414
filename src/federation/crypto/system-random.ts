// The one impure file of the federation: randomness of the operating system.
import { randomBytes } from 'node:crypto';

/** `length` bytes of cryptographic strength. */
export function systemRandom(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
