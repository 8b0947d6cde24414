// DSSE v1.0.2: what is signed is the payload together with its type (cross-protocol attack).
import { concatBytes, utf8 } from '#base/bytes.ts';

/** PAE(type, payload) = "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload; lengths in bytes, decimal. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concatBytes(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}
