// The one table of what can go wrong between site and consortium. Retry reads it: transient and ambiguous are tried again
// (intake knows an update by its digest, so a second try counts once), permanent waits for a person.
import { z } from 'zod';
import { utf8 } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import { plainText } from '#federation/records/fields.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';

export type SyncCode =
  | 'ALREADY_RECEIVED'
  | 'ANSWER_TOO_LARGE'
  | 'BAD_ANSWER'
  | 'BAD_BUNDLE'
  | 'BAD_CHECKPOINT'
  | 'BAD_KEY'
  | 'BAD_REQUEST'
  | 'BAD_REQUEST_SIGNATURE'
  | 'BAD_SIGNATURE'
  | 'BAD_STATEMENT'
  | 'BAD_TENSORS'
  | 'BODY_TOO_LARGE'
  | 'BROKEN_CHAIN'
  | 'CERTIFICATE_MISMATCH'
  | 'CONNECTION_FAILED'
  | 'DECRYPT_FAILED'
  | 'EXPIRED'
  | 'INTERNAL'
  | 'INVITATION_EXPIRED'
  | 'INVITATION_UNKNOWN'
  | 'INVITATION_USED'
  | 'KEYS_INCOMPLETE'
  | 'KEY_ALREADY_ENROLLED'
  | 'KEY_NOT_TRUSTED'
  | 'LOG_KEY_NOT_TRUSTED'
  | 'LOG_ROLLBACK'
  | 'MIXUP'
  | 'NOT_APPROVED'
  | 'NOT_A_PARTICIPANT'
  | 'NOT_FOUND'
  | 'NOT_INITIALISED'
  | 'NO_PROOF_OF_POSSESSION'
  | 'OTHER_SITE'
  | 'OUT_OF_POLICY'
  | 'REPLAYED_REQUEST'
  | 'RESEARCH_STUDY_UNKNOWN'
  | 'SITE_ALREADY_ENROLLED'
  | 'STALE_CHECKPOINT'
  | 'STALE_REQUEST'
  | 'STALE_ROUND'
  | 'SUBSTITUTED'
  | 'TIMED_OUT'
  | 'TOO_MANY_REQUESTS'
  | 'UNAVAILABLE'
  | 'WRONG_BASE'
  | 'WRONG_PLAN'
  | 'WRONG_RECIPIENT'
  | 'WRONG_TYPE';

/** What a failed exchange was, or what the consortium answered. */
export class SyncError extends CodedError<SyncCode> {}

export interface SyncCodeMeaning {
  /**
   * `transient`: nothing was done, try again. `ambiguous`: it may have been done, try again and learn. `permanent`: the same
   * request fails again.
   */
  readonly retry: 'transient' | 'ambiguous' | 'permanent';
  /** HTTP status of the consortium's answer; null for what only the site itself sees. */
  readonly status: number | null;
}

/** The content of a record or update was refused. */
const refused = { retry: 'permanent', status: 422 } as const;
/** The request does not fit the state of things. */
const conflict = { retry: 'permanent', status: 409 } as const;
const forbidden = { retry: 'permanent', status: 403 } as const;

export const syncCodes: Readonly<Record<SyncCode, SyncCodeMeaning>> = {
  ALREADY_RECEIVED: conflict,
  ANSWER_TOO_LARGE: { retry: 'permanent', status: null },
  BAD_ANSWER: { retry: 'ambiguous', status: null },
  BAD_BUNDLE: refused,
  BAD_CHECKPOINT: refused,
  BAD_KEY: refused,
  BAD_REQUEST: { retry: 'permanent', status: 400 },
  BAD_REQUEST_SIGNATURE: { retry: 'permanent', status: 401 },
  BAD_SIGNATURE: refused,
  BAD_STATEMENT: refused,
  BAD_TENSORS: refused,
  BODY_TOO_LARGE: { retry: 'permanent', status: 413 },
  BROKEN_CHAIN: conflict,
  CERTIFICATE_MISMATCH: { retry: 'permanent', status: null },
  CONNECTION_FAILED: { retry: 'ambiguous', status: null },
  DECRYPT_FAILED: refused,
  EXPIRED: refused,
  INTERNAL: { retry: 'ambiguous', status: 500 },
  INVITATION_EXPIRED: { retry: 'permanent', status: 410 },
  INVITATION_UNKNOWN: forbidden,
  INVITATION_USED: conflict,
  KEYS_INCOMPLETE: refused,
  KEY_ALREADY_ENROLLED: conflict,
  KEY_NOT_TRUSTED: forbidden,
  LOG_KEY_NOT_TRUSTED: forbidden,
  LOG_ROLLBACK: conflict,
  MIXUP: refused,
  NOT_APPROVED: refused,
  NOT_A_PARTICIPANT: forbidden,
  NOT_FOUND: { retry: 'permanent', status: 404 },
  NOT_INITIALISED: { retry: 'transient', status: 503 },
  NO_PROOF_OF_POSSESSION: refused,
  OTHER_SITE: forbidden,
  OUT_OF_POLICY: refused,
  // The first request with this nonce may have been carried out. Each try is signed anew.
  REPLAYED_REQUEST: { retry: 'ambiguous', status: 409 },
  RESEARCH_STUDY_UNKNOWN: { retry: 'permanent', status: 404 },
  SITE_ALREADY_ENROLLED: conflict,
  // The site proves from another size than the one held, and is told which.
  STALE_CHECKPOINT: { retry: 'transient', status: 409 },
  STALE_REQUEST: { retry: 'transient', status: 401 },
  STALE_ROUND: conflict,
  SUBSTITUTED: refused,
  TIMED_OUT: { retry: 'ambiguous', status: null },
  TOO_MANY_REQUESTS: { retry: 'transient', status: 429 },
  UNAVAILABLE: { retry: 'transient', status: 503 },
  WRONG_BASE: conflict,
  WRONG_PLAN: conflict,
  WRONG_RECIPIENT: refused,
  WRONG_TYPE: refused,
};

export function isSyncCode(code: string): code is SyncCode {
  return Object.hasOwn(syncCodes, code);
}

/** Whether the same exchange may succeed later without a person's help. */
export function isRetryable(code: SyncCode): boolean {
  return syncCodes[code].retry !== 'permanent';
}

const MAX_ERROR_BODY_BYTES = 16 * 1024;
const errorBody = z.strictObject({
  ok: z.literal(false),
  error: z.strictObject({
    code: z.string().regex(/^[A-Z0-9_]{1,64}$/),
    message: plainText(1000),
    details: z.record(z.string().max(64), z.unknown()),
  }),
});

/** Status and body of an answer. An error outside of the table is INTERNAL and shows nothing of itself. */
export function encodeSyncError(error: unknown): { readonly status: number; readonly body: Uint8Array } {
  const known = error instanceof CodedError && isSyncCode(error.code) ? error : undefined;
  const status = known === undefined ? null : syncCodes[known.code as SyncCode].status;
  const shown =
    known === undefined || status === null
      ? { code: 'INTERNAL', message: 'The consortium could not handle the request.', details: {} }
      : { code: known.code, message: known.message, details: known.details };
  return { status: status ?? 500, body: utf8(JSON.stringify({ ok: false, error: shown })) };
}

/** The error in the consortium's answer. What is no answer of ours (a proxy's page, an unknown code) is BAD_ANSWER. */
export function parseSyncError(status: number, body: Uint8Array): SyncError {
  try {
    const { code, message, details } = errorBody.parse(
      parseStrictJson(body, { maxBytes: MAX_ERROR_BODY_BYTES }),
    ).error;
    if (isSyncCode(code)) return new SyncError(code, message, { details });
  } catch (error) {
    if (!(error instanceof CodedError || error instanceof z.ZodError)) throw error;
  }
  return new SyncError('BAD_ANSWER', 'The answer is not one of the consortium.', { details: { status } });
}
