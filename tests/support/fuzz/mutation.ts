// Mutations of bytes, the same for the same random source: flips, lengths, cuts, splices. What is particular to DICOM stands in
// dicom-mutation.ts, what is particular to text in record-mutation.ts.

import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';

export interface RandomSource {
  /** From 0, below `limit`. */
  below(limit: number): number;
  pick<Choice>(choices: readonly Choice[]): Choice;
}

/** The random source of one input of a run. */
export function randomSource(seed: string, index: number): RandomSource {
  const keystream = createKeystream(sha256(utf8(`${seed}/${index}`)));
  const below = (limit: number): number => (limit <= 1 ? 0 : keystream.nextBelow(limit));
  return {
    below,
    pick: (choices) => {
      const choice = choices[below(choices.length)];
      if (choice === undefined) throw new Error('nothing to pick from');
      return choice;
    },
  };
}

export type Mutation = (bytes: Buffer, random: RandomSource, others: readonly Buffer[]) => Buffer;

const flipBits: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  for (let times = 1 + random.below(16); times > 0; times -= 1) {
    const at = random.below(changed.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  }
  return changed;
};

const overwrite: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  const at = random.below(changed.length);
  return changed.fill(
    random.pick([0x00, 0xff, 0x7f, 0x80, 0x20, 0x5c]),
    at,
    Math.min(changed.length, at + 1 + random.below(16)),
  );
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length));

const remove: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64))]);
};

const repeat: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  const part = bytes.subarray(at, at + 1 + random.below(256));
  return Buffer.concat([
    bytes.subarray(0, at),
    ...Array.from({ length: 2 + random.below(30) }, () => part),
    bytes.subarray(at),
  ]);
};

const splice: Mutation = (bytes, random, others) => {
  const other = random.pick(others);
  const from = random.below(other.length);
  const at = random.below(bytes.length);
  const part = other.subarray(from, from + 1 + random.below(2_000));
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + random.pick([0, part.length]))]);
};

export const byteMutations: readonly Mutation[] = [flipBits, overwrite, truncate, remove, repeat, splice];
