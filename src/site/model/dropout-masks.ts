// The masks of a step's dropout layers, drawn from a seeded keystream outside the step: inside, they could not be recorded.
import type { Keystream } from '#federation/crypto/keystream.ts';
import type { NetworkDescription } from '#federation/network/describe-network.ts';
import { sizeOf } from '#federation/network/layer-shape.ts';

export interface DropoutMask {
  /** [rows, ...shape of the layer]. */
  readonly shape: number[];
  /** 0, or 1 / (1 - rate) for a value that is kept: its mean is 1. */
  readonly data: Float32Array;
}

/** One mask for each dropout layer of a network, in its order. A value is kept when its 32-bit draw is at least rate * 2^32. */
export function drawDropoutMasks(
  { nodes }: NetworkDescription,
  keystream: Pick<Keystream, 'nextUint32'>,
  rows: number,
): DropoutMask[] {
  return nodes.flatMap(({ layer, shape }) => {
    if (layer.kind !== 'dropout') return [];
    const kept = Math.fround(1 / (1 - layer.rate));
    const threshold = layer.rate * 2 ** 32;
    const data = new Float32Array(rows * sizeOf(shape));
    for (let at = 0; at < data.length; at += 1) data[at] = keystream.nextUint32() < threshold ? 0 : kept;
    return [{ shape: [rows, ...shape], data }];
  });
}
