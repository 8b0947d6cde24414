// The order in which examples are visited: epoch by epoch in a keyed shuffle, the last batch of an epoch may be shorter.
// The rest of an epoch is kept from one round to the next, as in a data loader with memory.

export interface BatchOrderOptions {
  readonly exampleCount: number;
  readonly batchSize: number;
  /** Shuffles the row numbers of an epoch in place; a keystream of the job's seed. */
  readonly keystream: { shuffle(order: Uint32Array): void };
  /** Row numbers that an earlier job left of its epoch. */
  readonly remaining: Uint32Array;
}

export interface BatchOrder {
  /** Row numbers of the next batch: 1 to batchSize of them. */
  next(): Int32Array;
  /** Row numbers still to come in this epoch. */
  remaining(): Uint32Array;
}

export function createBatchOrder({
  exampleCount,
  batchSize,
  keystream,
  remaining,
}: BatchOrderOptions): BatchOrder {
  let order = remaining;
  let at = 0;
  return {
    next: () => {
      if (at >= order.length) {
        order = Uint32Array.from({ length: exampleCount }, (_, row) => row);
        keystream.shuffle(order);
        at = 0;
      }
      const batch = Int32Array.from(order.subarray(at, at + batchSize));
      at += batch.length;
      return batch;
    },
    remaining: () => order.slice(at),
  };
}
