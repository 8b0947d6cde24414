// What a file's rows add up to: one outcome, and the code that says why it is not wholly accepted.
import type { FileRefusalCode, RowRefusalCode } from './ingest-error.ts';
import type { OutcomeKind, RowCounts } from './ingest-outcome.ts';

export interface FileFindings {
  readonly rows: RowCounts;
  /** Why the file is refused as a whole, or was broken off. */
  readonly refusal: FileRefusalCode | null;
  /** Codes of its refused rows. */
  readonly rowCodes: readonly RowRefusalCode[];
  /** The same bytes were taken before. */
  readonly isKnown: boolean;
}

export interface FileVerdict {
  readonly outcome: OutcomeKind;
  readonly code: FileRefusalCode | RowRefusalCode | null;
}

/** Accepted when a row added something, else duplicate when one was known, else rejected when one was refused. */
export function judgeFile({ rows, refusal, rowCodes, isKnown }: FileFindings): FileVerdict {
  const code = refusal ?? (rowCodes.length > 1 ? 'SEVERAL_REASONS' : (rowCodes[0] ?? null));
  if (rows.accepted > 0) return { outcome: 'accepted', code };
  if (rows.duplicate > 0) return { outcome: 'duplicate', code };
  if (refusal !== null || rows.rejected > 0) return { outcome: 'rejected', code };
  // A table with a header and no rows is a whole table.
  return { outcome: isKnown ? 'duplicate' : 'accepted', code };
}
