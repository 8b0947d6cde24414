// The consortium's log: every act and every refusal, in one Merkle tree whose checkpoints sites can verify (security.md A1-A4).
import { BugError } from '#base/coded-error.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { Outcome } from '#federation/log/leaf.ts';
import { createLeafProof, type LeafProof } from '#federation/log/leaf-proof.ts';
import { LogError } from '#federation/log/log-error.ts';
import type { LogStorage } from '#federation/log/log-storage.ts';
import { createLogWriter, type SignedCheckpoint } from '#federation/log/log-writer.ts';
import { consistencyProof } from '#federation/log/merkle-tree.ts';
import { type LogVerification, verifyLog } from '#federation/log/verify-log.ts';
import type { MODEL_PUBLISHED_ACTION } from '#federation/records/published-model.ts';
import type { ConsortiumStore } from './index.ts';
import { createLogStorage } from './log-storage.ts';

export type ConsortiumAction =
  | 'consortium-initialised'
  | 'consortium-started'
  | 'site-invited'
  | 'site-enrolled'
  | 'trust-list-signed'
  | 'plan-published'
  | 'round-opened'
  | 'round-abandoned'
  | 'remedy-requested'
  | 'remedy-carried-out'
  | 'remedy-dismissed'
  | 'round-closed'
  | 'update-received'
  | 'site-checkpoint-received'
  | 'bundle-written'
  | 'bundle-read'
  | 'log-verified'
  | typeof MODEL_PUBLISHED_ACTION;

export interface ConsortiumEvent {
  /** `operator`, `system`, or the id of a site as `site:cleveland`. */
  readonly actor: string;
  readonly action: ConsortiumAction;
  readonly outcome: Outcome;
  readonly object?: string | undefined;
  readonly researchStudyId?: string | undefined;
  readonly round?: number | undefined;
  /** A code. */
  readonly reason?: string | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

export interface ConsortiumLog {
  /** Appends inside the caller's transaction and gives the entry's place. @throws BugError outside of one. */
  append(event: ConsortiumEvent): number;
  /** The signed checkpoint over all entries. Call inside a transaction. */
  checkpoint(): SignedCheckpoint;
  /** Proof that entry `seq` stands under the latest checkpoint. */
  prove(seq: number): LeafProof;
  /** RFC 6962 proof that the log of `size` entries continues that of `oldSize`. @throws LogError BAD_LOG_PROOF. */
  proveConsistency(oldSize: number, size: number): Uint8Array[];
  /** Reads the whole log and checks it against its key. */
  verify(): LogVerification;
}

export interface ConsortiumLogOptions {
  readonly store: ConsortiumStore;
  readonly signer: SigningKey;
  readonly origin: string;
  readonly bootId: string;
  readonly softwareVersion: string;
}

export function openConsortiumLog(options: ConsortiumLogOptions): ConsortiumLog {
  const { store, signer, origin } = options;
  const storage = createLogStorage(store);
  const writer = createLogWriter({ ...options, storage, clock: store.clock, random: systemRandom });
  return {
    append: ({ detail, ...event }) => {
      if (!store.inTransaction) throw new BugError('an act is logged in the transaction that does it');
      return writer.append({
        ...event,
        role: null,
        detail: detail === undefined ? undefined : JSON.stringify(detail),
      }).seq;
    },
    checkpoint: () => writer.checkpoint(),
    prove: (seq) => proveLeaf(store, storage, seq),
    proveConsistency: (oldSize, size) => {
      const last = storage.lastLeaf();
      if (size > (last === undefined ? 0 : last.seq + 1))
        throw new LogError('BAD_LOG_PROOF', 'The log has fewer entries.');
      return consistencyProof(oldSize, size, storage);
    },
    verify: () =>
      verifyLog({
        leaves: store
          .all(store.query.selectFrom('log_leaf').selectAll().orderBy('seq'))
          .map((row) => ({ line: row.line, leafHash: row.leaf_hash })),
        details: store.all(store.query.selectFrom('log_detail').selectAll().orderBy('seq')),
        checkpoints: store
          .all(store.query.selectFrom('log_checkpoint').select('note').orderBy('size'))
          .map(({ note }) => note),
        trust: { origin, publicKeys: [signer.publicKey], witnessed: [] },
        isRunning: true,
      }),
  };
}

function proveLeaf(store: ConsortiumStore, storage: LogStorage, seq: number): LeafProof {
  const leaf = store.get(store.query.selectFrom('log_leaf').select('line').where('seq', '=', seq));
  const checkpoint = storage.latestCheckpoint();
  if (leaf === undefined || checkpoint === undefined || checkpoint.size <= seq) {
    throw new BugError('a published entry has no checkpoint over it');
  }
  return createLeafProof({ line: leaf.line, index: seq }, checkpoint.note, storage);
}
