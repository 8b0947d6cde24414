// The consortium's log as this site has seen it: each newer checkpoint must continue the one before (fork, rollback; E12, E13).
import { z } from 'zod';
import { fromBase64, fromHex, toBase64, toHex } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { Checkpoint } from '#federation/log/checkpoint.ts';
import type { Leaf } from '#federation/log/leaf.ts';
import { verifyLeafProof } from '#federation/log/leaf-proof.ts';
import { verifyConsistency } from '#federation/log/merkle-tree.ts';
import {
  consortiumLogOrigin,
  MODEL_PUBLISHED_ACTION,
  type PublishedDigests,
  publishedModelObject,
} from '#federation/records/published-model.ts';
import type { TrustedKeys } from '#federation/records/record.ts';
import { isKeyValid } from '#federation/records/trusted-keys.ts';
import { consistencyProof } from '#federation/sync-contract/routes.ts';
import type { Store } from '#site/store/index.ts';
import { PublishedError } from './published-error.ts';

const seenCheckpoint = z.strictObject({ size: z.int().min(0), rootHash: z.string() });

/** Size and root of the newest checkpoint that this site has verified. */
export interface SeenCheckpoint {
  readonly size: number;
  readonly rootHash: Uint8Array;
}

const SETTING = 'consortium-checkpoint';

export function loadSeenCheckpoint(store: Store): SeenCheckpoint | undefined {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', SETTING));
  if (row === undefined) return undefined;
  const { size, rootHash } = seenCheckpoint.parse(JSON.parse(row.value));
  return { size, rootHash: fromHex(rootHash) };
}

/** In the caller's transaction. */
export function saveSeenCheckpoint(store: Store, { size, rootHash }: SeenCheckpoint): void {
  const value = JSON.stringify({ size, rootHash: toHex(rootHash) });
  store.run(
    store.query
      .insertInto('setting')
      .values({ name: SETTING, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  );
}

export interface PublishedModel extends PublishedDigests {
  readonly researchStudyId: string;
  readonly round: number;
}

export interface LogTrustSource {
  readonly trust: TrustedKeys;
  /** Ed25519 SubjectPublicKeyInfo (DER) of the root key, base64. */
  readonly rootPublicKey: string;
  readonly nowMs: number;
}

/**
 * Checks that exactly this model, by its tensors and its statement, stands in the consortium's log and gives the checkpoint that says so.
 * @throws LogError for a false proof; PublishedError NOT_LOGGED, MODEL_FORK.
 */
export function verifyPublished(proof: unknown, model: PublishedModel, source: LogTrustSource): Checkpoint {
  const { leaf, checkpoint } = verifyWithAnyKey(proof, source);
  const isModel = leaf.action === MODEL_PUBLISHED_ACTION && leaf.outcome === 'success';
  if (!isModel || leaf.researchStudyId !== model.researchStudyId || leaf.round !== model.round) {
    throw new PublishedError('NOT_LOGGED', 'The proven log entry is not the publication of this model.', {
      details: { expected: MODEL_PUBLISHED_ACTION, found: leaf.action },
    });
  }
  // Other tensors, or the same ones under another list of what they were made from, shown to this site alone (E13, E14).
  const expected = publishedModelObject(model);
  if (leaf.object !== expected) {
    throw new PublishedError(
      'MODEL_FORK',
      'The log names another model for this round than the one that was sent.',
      {
        details: { expected, found: leaf.object },
      },
    );
  }
  return checkpoint;
}

/**
 * Checks that the receipt of an update stands in the consortium's log and gives the checkpoint that says so.
 * @throws LogError for a false proof; PublishedError NOT_LOGGED.
 */
export function verifyReceipted(proof: unknown, updateDigest: string, source: LogTrustSource): Checkpoint {
  const { leaf, checkpoint } = verifyWithAnyKey(proof, source);
  const expected = `update:${updateDigest}`;
  const isReceipt = leaf.action === 'update-received' && leaf.outcome === 'success';
  if (isReceipt && leaf.object === expected) return checkpoint;
  throw new PublishedError('NOT_LOGGED', 'The proven log entry is not the receipt of this update.', {
    details: { expected, found: leaf.object },
  });
}

function verifyWithAnyKey(
  proof: unknown,
  { trust, rootPublicKey, nowMs }: LogTrustSource,
): { leaf: Leaf; checkpoint: Checkpoint } {
  const name = consortiumLogOrigin(sha256Hex(fromBase64(rootPublicKey)));
  const keys = trust.withRole('consortium-log').filter((key) => isKeyValid(key, nowMs));
  for (const { publicKey } of keys) {
    try {
      return verifyLeafProof(proof, { name, publicKey: fromBase64(publicKey) });
    } catch (error) {
      if (!isCodedError(error, 'LOG_KEY_NOT_TRUSTED')) throw error;
    }
  }
  throw new PublishedError('NOT_LOGGED', 'No trusted log key signed the checkpoint.', {
    details: { expected: keys.map(({ keyId }) => keyId) },
  });
}

/** Whether a consistency proof must be asked for. @throws PublishedError ROLLBACK, MODEL_FORK. */
export function needsConsistency(
  seen: SeenCheckpoint | undefined,
  checkpoint: Checkpoint,
): seen is SeenCheckpoint {
  if (seen === undefined || seen.size === 0) return false;
  if (checkpoint.size < seen.size) {
    throw new PublishedError('ROLLBACK', 'The consortium shows a shorter log than before.', {
      details: { expected: seen.size, found: checkpoint.size },
    });
  }
  if (checkpoint.size > seen.size) return true;
  if (toHex(checkpoint.rootHash) !== toHex(seen.rootHash)) throw fork(seen, checkpoint);
  return false;
}

/** @throws PublishedError MODEL_FORK unless the log of `seen` is a beginning of that of `checkpoint`. */
export function verifyContinues(seen: SeenCheckpoint, checkpoint: Checkpoint, proof: unknown): void {
  const parsed = consistencyProof.safeParse(proof);
  if (!parsed.success) throw fork(seen, checkpoint);
  try {
    verifyConsistency({
      oldSize: seen.size,
      oldRootHash: seen.rootHash,
      size: checkpoint.size,
      rootHash: checkpoint.rootHash,
      proof: parsed.data.hashes.map(fromBase64),
    });
  } catch (error) {
    if (error instanceof RangeError || isCodedError(error, 'BAD_LOG_PROOF')) throw fork(seen, checkpoint);
    throw error;
  }
}

function fork(seen: SeenCheckpoint, checkpoint: Checkpoint): PublishedError {
  return new PublishedError(
    'MODEL_FORK',
    "The consortium's log does not continue what this site has seen of it.",
    {
      details: {
        expected: { size: seen.size, rootHash: toBase64(seen.rootHash) },
        found: { size: checkpoint.size, rootHash: toBase64(checkpoint.rootHash) },
      },
    },
  );
}
