import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PendingFacts } from './pending-facts.ts';

const lowestKey = -(2 ** 48);
/** Few different ones, so that they meet; among them the lowest and the highest. */
const key = fc.oneof(fc.constantFrom(-1, -2, lowestKey, lowestKey + 1), fc.integer({ min: -9_000, max: -1 }));
const step = fc.record({ key, isAdded: fc.boolean() });

it('tells of each key what was added and not removed, as a plain map does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(300), (steps, cut) => {
      const pending = new PendingFacts();
      const model: { key: number; factId: number }[] = [];
      for (const [index, { key, isAdded }] of steps.entries()) {
        const last = model.findLast((entry) => entry.key === key);
        if (isAdded || last === undefined) {
          pending.add(key, 7, index + 1);
          model.push({ key, factId: index + 1 });
        } else {
          pending.remove(key, last.factId);
          model.splice(model.indexOf(last), 1);
        }
      }
      const factsOf = (of: PendingFacts, wanted: number) =>
        of
          .placesOf(wanted)
          .map(({ factId }) => factId)
          .toSorted((left, right) => left - right);
      for (const { key } of steps) {
        const expected = model.filter((entry) => entry.key === key).map(({ factId }) => factId);
        expect(factsOf(pending, key)).toEqual(expected);
        expect(pending.has(key)).toBe(expected.length > 0);
      }
      const count = Math.min(cut, pending.count);
      const order = [...pending.inKeyOrder(count)];
      expect(order.toSorted((left, right) => left - right)).toEqual([...Array(count).keys()]);
      const first = order.flatMap((index) => [pending.at(index)?.[2] ?? []].flat());
      const left = pending.after(count);
      const rest = model.map(({ factId }) => factId).filter((factId) => !first.includes(factId));
      expect(left.count).toBe(rest.length);
      expect(left.firstFactId).toBe(rest[0] ?? null);
    }),
  );
});

it('grows past its first room and keeps neighbours of the index together', () => {
  const pending = new PendingFacts();
  const keys = Array.from({ length: 20_000 }, (_, index) => -1 - ((index * 0x9e3779b97f) % 2 ** 48));
  for (const [index, key] of keys.entries()) pending.add(key, 1, index + 1);
  for (const [index, key] of keys.entries())
    expect(pending.placesOf(key)).toEqual([{ conceptId: 1, factId: index + 1 }]);
  const runs = [...pending.inKeyOrder(keys.length)].map(
    (index) => Math.floor(-1 - (keys[index] ?? 0)) / 2 ** 36,
  );
  const uppers = runs.map(Math.floor);
  expect(uppers).toEqual(uppers.toSorted((left, right) => left - right));
});
