// Date rule D4: one offset for each subject, from an HMAC, so that intervals stay and dates do not.
import { hmacSha256Text } from '#federation/crypto/digest.ts';
import { joinParts } from './subject-id.ts';

export const longestOffsetDays = 365;

/** Whole days in ±[1, 365], never 0. `real day + offset` is the day that is stored. */
export function dateOffsetDays(subjectKey: Uint8Array, subjectId: string): number {
  const mac = hmacSha256Text(subjectKey, joinParts(['date', subjectId]));
  // 48 bits over 730 values: the most likely value is 3e-12 more likely than the least.
  const draw = Buffer.from(mac.buffer, mac.byteOffset, 6).readUIntBE(0, 6) % (2 * longestOffsetDays);
  return draw < longestOffsetDays ? draw + 1 : longestOffsetDays - 1 - draw;
}
