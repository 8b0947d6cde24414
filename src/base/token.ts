// Bearer tokens of a loopback endpoint: 256 bits of the system's randomness, compared without telling where they differ.
import { toHex, utf8 } from '#base/bytes.ts';

/** What a token looks like. */
export const tokenPattern = /^[0-9a-f]{64}$/;

/** A new token, lower-case hexadecimal. Web Crypto's generator is the system's CSPRNG. */
export function createToken(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(32)));
}

/** Whether `given` is `expected`, in a time that depends on the length alone (stops guessing a token byte by byte). */
export function isToken(given: string | undefined, expected: string): boolean {
  const left = utf8(given ?? '');
  const right = utf8(expected);
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < right.length; index += 1)
    difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}

/** Whether an Authorization header field carries the token (RFC 6750 section 2.1). */
export function isBearer(authorization: string | undefined, expected: string): boolean {
  return isToken(authorization?.replace(/^Bearer /, ''), expected);
}
