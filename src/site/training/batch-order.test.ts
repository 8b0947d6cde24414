import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createBatchOrder } from '#site/training/batch-order.ts';

const none = new Uint32Array(0);
const seeded = (byte: number) => createKeystream(new Uint8Array(32).fill(byte));

describe('the order of batches', () => {
  it('visits every row once in each epoch, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 70 }),
        (exampleCount, batchSize) => {
          const order = createBatchOrder({ exampleCount, batchSize, keystream: seeded(1), remaining: none });
          for (let epoch = 0; epoch < 3; epoch += 1) {
            const seen: number[] = [];
            while (seen.length < exampleCount) seen.push(...order.next());
            expect(seen.toSorted((left, right) => left - right)).toEqual([...Array(exampleCount).keys()]);
            expect(order.remaining()).toHaveLength(0);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('finishes the rows that were left before it shuffles anew', () => {
    const order = createBatchOrder({
      exampleCount: 5,
      batchSize: 2,
      keystream: seeded(1),
      remaining: Uint32Array.of(4, 0, 2),
    });
    expect([...order.next()]).toEqual([4, 0]);
    expect([...order.remaining()]).toEqual([2]);
    expect([...order.next()]).toEqual([2]);
    expect(order.next()).toHaveLength(2);
  });

  it('differs between epochs and between seeds', () => {
    const epochs = (byte: number) => {
      const order = createBatchOrder({
        exampleCount: 50,
        batchSize: 50,
        keystream: seeded(byte),
        remaining: none,
      });
      return [order.next().join(), order.next().join()];
    };
    const [first, second] = epochs(1);
    expect(first).not.toBe(second);
    expect(epochs(2)[0]).not.toBe(first);
    expect(epochs(1)).toEqual([first, second]);
  });
});
