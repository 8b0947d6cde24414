// What travels over the site contract about opt-out lists.
import { z } from 'zod';

/** A CSV file on the site's machine. */
export const optOutImport = z.strictObject({
  path: z.string().min(1).max(4096),
  /** Who gave the identifiers on it, as in imports. */
  authority: z.string().min(1).max(200),
  /** Header of the identifiers' column; null: the first column, without a header. */
  column: z.string().min(1).max(200).nullable(),
  /** The day up to which it is complete. */
  statedDate: z.iso.date(),
});
export const optOutSummary = z.strictObject({
  authority: z.string(),
  entryCount: z.int().min(0),
  /** Patients of this site whom it excludes. */
  matchedCount: z.int().min(0),
});
