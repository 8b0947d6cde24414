// Remembers the nonce of every signed request for as long as its date would pass: the same request again is refused, also after
// a restart (replay).
import type { ConsortiumStore } from '#consortium/store/index.ts';
import { RequestSignatureError, type VerifiedRequest } from '#federation/sync-contract/request-signature.ts';

/** Largest difference between the date of a request and the consortium's clock. */
export const MAX_REQUEST_SKEW_MS = 5 * 60 * 1000;

/** @throws RequestSignatureError REPLAYED_REQUEST. */
export function rememberNonce(store: ConsortiumStore, { key, nonce }: VerifiedRequest): void {
  const nowMs = store.clock.nowMs();
  store.transaction(() => {
    // A request dated in the future stays fresh for twice the skew.
    store.run(
      store.query.deleteFrom('request_nonce').where('seen_at_ms', '<', nowMs - 2 * MAX_REQUEST_SKEW_MS),
    );
    const row = { key_id: key.keyId, nonce, seen_at_ms: nowMs };
    const { changes } = store.run(
      store.query
        .insertInto('request_nonce')
        .values(row)
        .onConflict((conflict) => conflict.doNothing()),
    );
    if (changes === 1) return;
    throw new RequestSignatureError('REPLAYED_REQUEST', 'A request with this nonce was received before.');
  });
}
