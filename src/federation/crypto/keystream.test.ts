import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('a keystream', () => {
  it('goes on past its buffer without a seam', () => {
    const long = createKeystream(new Uint8Array(32));
    const values = Array.from({ length: 3000 }, () => long.nextUint32());
    expect(new Set(values).size).toBeGreaterThan(2990);
    const again = createKeystream(new Uint8Array(32));
    expect(Array.from({ length: 3000 }, () => again.nextUint32())).toEqual(values);
  });

  it('draws below any bound, and every value of a small one', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: 2 ** 32 }), (bytes, bound) => {
        const draw = createKeystream(bytes).nextBelow(bound);
        return Number.isInteger(draw) && draw >= 0 && draw < bound;
      }),
    );
    const stream = createKeystream(new Uint8Array(32));
    expect(new Set(Array.from({ length: 200 }, () => stream.nextBelow(6)))).toEqual(
      new Set([0, 1, 2, 3, 4, 5]),
    );
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('refuses the bound %d', (bound) => {
    expect(() => createKeystream(new Uint8Array(32)).nextBelow(bound)).toThrow(
      expect.objectContaining({ code: 'BUG' }),
    );
  });

  it('throws away draws of the incomplete last interval, so that none is favoured', () => {
    // With bound 3 * 2^30 a quarter of the draws is thrown away: the sequence skips exactly those of the plain stream.
    const bound = 3 * 2 ** 30;
    const plain = createKeystream(new Uint8Array(32).fill(1));
    const kept = Array.from({ length: 400 }, () => plain.nextUint32()).filter((draw) => draw < bound);
    expect(kept.length).toBeGreaterThan(250);
    expect(kept.length).toBeLessThan(350);
    const stream = createKeystream(new Uint8Array(32).fill(1));
    expect(kept.map(() => stream.nextBelow(bound))).toEqual(kept);
  });

  it('gives doubles in [0, 1) that are multiples of 2^-53 with mean one half', () => {
    const stream = createKeystream(new Uint8Array(32));
    const draws = Array.from({ length: 20_000 }, () => stream.nextDouble());
    expect(draws.every((draw) => draw >= 0 && draw < 1 && Number.isInteger(draw * 2 ** 53))).toBe(true);
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
  });

  it.each([0, 1, 2, 1_023])('fills with the doubles that single draws give, after %d draws', (before) => {
    const [single, many] = [createKeystream(new Uint8Array(32)), createKeystream(new Uint8Array(32))];
    for (let draw = 0; draw < before; draw += 1) expect(many.nextUint32()).toBe(single.nextUint32());
    for (const length of [0, 1, 700, 20_000]) {
      const filled = new Float64Array(length);
      many.fillDoubles(filled);
      expect(filled).toEqual(Float64Array.from({ length }, () => single.nextDouble()));
    }
    expect(many.nextUint32()).toBe(single.nextUint32());
  });

  it('shuffles into a permutation that the seed alone decides', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 0, max: 200 }), (bytes, length) => {
        const order = Uint32Array.from({ length }, (_value, index) => index);
        createKeystream(bytes).shuffle(order);
        const again = Uint32Array.from({ length }, (_value, index) => index);
        createKeystream(bytes).shuffle(again);
        expect([...again]).toEqual([...order]);
        expect([...order].sort((left, right) => left - right)).toEqual(
          Array.from({ length }, (_value, index) => index),
        );
      }),
    );
  });

  it('puts each of the six orders of three about equally often', () => {
    const counts = new Map<string, number>();
    const stream = createKeystream(new Uint8Array(32).fill(2));
    for (let run = 0; run < 6000; run += 1) {
      const order = Uint32Array.of(0, 1, 2);
      stream.shuffle(order);
      const name = order.join('');
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
