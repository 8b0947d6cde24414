// Whether a stored report tells of exactly this update: the binding between what a steward reads and what leaves (21 CFR 11.70).

export interface ReportedUpdate {
  /** sha256 of the update statement's bytes. */
  readonly digest: string;
  /** sha256 of the payload, as the statement names it. */
  readonly subjectDigest: string;
}

/** Stops an update from being approved, or sealed, on a report that was put into its row from another one. */
export function isReportOf(report: string, update: ReportedUpdate): boolean {
  const { updateDigest, payloadDigest } = readDigests(report);
  return updateDigest === update.digest && payloadDigest === update.subjectDigest;
}

function readDigests(report: string): { readonly updateDigest?: unknown; readonly payloadDigest?: unknown } {
  try {
    const read: unknown = JSON.parse(report);
    return typeof read === 'object' && read !== null ? read : {};
  } catch {
    return {}; // no report at all
  }
}
