// What can be wrong with a log, and what a verifier trusts beforehand.

export type LogProblemCode =
  | 'LEAF_MALFORMED'
  | 'LEAF_SEQUENCE'
  | 'LEAF_CHANGED'
  | 'LEAVES_MISSING'
  | 'ROOT_MISMATCH'
  | 'FORKED'
  | 'CHECKPOINT_MALFORMED'
  | 'LOG_KEY_REPLACED'
  | 'NO_CHECKPOINT'
  | 'UNSIGNED_TAIL'
  | 'DETAIL_CHANGED'
  | 'DETAIL_UNKNOWN'
  | 'DETAIL_MALFORMED'
  | 'CLOCK_SET_BACK'
  /** Of a site's own store alone. */
  | 'RECORD_MISSING'
  | 'RECORD_NOT_LOGGED';

export interface LogProblem {
  /** The first entry concerned; null where no entry can be named. */
  readonly seq: number | null;
  readonly code: LogProblemCode;
  readonly message: string;
}

export interface LogTrust {
  /** The log's origin. */
  readonly origin: string;
  /** Ed25519 SubjectPublicKeyInfo (DER) of the keys that may sign its checkpoints; got from elsewhere than from the log. */
  readonly publicKeys: readonly Uint8Array[];
  /** Sizes and roots that others hold of this log: the consortium's copies, the last update statement's `auditCheckpoint`. */
  readonly witnessed: readonly { readonly size: number; readonly rootHash: Uint8Array }[];
}
