// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104).
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** 64 lower-case hexadecimal digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A digest over bytes that come in parts. */
export interface IncrementalDigest {
  update(bytes: Uint8Array): void;
  /** 32 bytes; ends the digest. */
  digest(): Uint8Array;
}

export function createSha256(): IncrementalDigest {
  const hash = createHash('sha256');
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
}

/** 32 bytes. */
export function hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(bytes).digest());
}

/** Compares secrets without telling by its time where they differ (timing attack). Lengths are not secret. */
export function constantTimeEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
