// Consent.verification of FHIR R4: that somebody confirmed the consent with the patient or the family, and when.
import { z } from 'zod';
import { RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { readDaySpan } from './fhir-date-span.ts';
import { text } from './fhir-element.ts';

const verifications = z.array(z.object({ verified: z.boolean(), verificationDate: text })).max(1_000);

/**
 * The real day from which on it is verified, of a month or a year the last; null where nobody says so with a date, where a later or
 * undated entry says that it is not, and where the element cannot be read: what only a plan asks for refuses no consent.
 */
export function readVerifiedDay(element: unknown, zone: TimeZone): number | null {
  const entries = verifications.safeParse(element).data ?? [];
  const daysOf = (isVerified: boolean): number[] =>
    entries
      .filter(({ verified }) => verified === isVerified)
      .map(({ verificationDate }) => lastDayOf(verificationDate, zone) ?? Number.POSITIVE_INFINITY);
  const lastDoubt = Math.max(Number.NEGATIVE_INFINITY, ...daysOf(false));
  const verifiedDay = Math.min(...daysOf(true).filter((day) => day > lastDoubt));
  return Number.isFinite(verifiedDay) ? verifiedDay : null;
}

function lastDayOf(date: string | undefined, zone: TimeZone): number | null {
  if (date === undefined) return null;
  try {
    return readDaySpan(date, 'verification.verificationDate', zone).last;
  } catch (error) {
    if (error instanceof RowRefusal) return null;
    throw error;
  }
}
