// Noise made ahead by a thread while the engine computes. Where none is ready it is drawn at once: a slow thread, or none, costs time
// and nothing else.
import { Worker } from 'node:worker_threads';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { Release } from '#federation/privacy/clipped-sum.ts';
import { drawNoise } from '#federation/privacy/gaussian-noise.ts';

/** Places in the counters. */
export const COUNTERS = { made: 0, taken: 1, ended: 2 } as const;

export interface NoiseThreadData {
  /** Values of one step. */
  readonly count: number;
  readonly noiseMultiplier: number;
  readonly slotCount: number;
  /** Of `slotCount` times `count` doubles. */
  readonly slots: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
}

export interface NoiseAhead {
  /** Each value is given once. */
  readonly draw: Release['draw'];
  close(): Promise<void>;
}

const bytesAhead = 2 ** 26;
const mostSlots = 16;

/** @param count values of a step */
export function startNoise(count: number, noiseMultiplier: number): NoiseAhead {
  const slotCount = Math.max(1, Math.min(mostSlots, Math.floor(bytesAhead / (8 * count))));
  const slots = new SharedArrayBuffer(8 * count * slotCount);
  const counters = new SharedArrayBuffer(4 * Object.keys(COUNTERS).length);
  const data: NoiseThreadData = { count, noiseMultiplier, slotCount, slots, counters };
  // Beside this file in the source as in a bundle.
  const name = import.meta.url.endsWith('.ts') ? './noise-thread.ts' : './noise-thread.js';
  const worker = new Worker(new URL(name, import.meta.url), { workerData: data, env: {}, execArgv: [] });
  // What it would have made is drawn here.
  worker.on('error', () => undefined);
  worker.unref();
  const values = new Float64Array(slots);
  const state = new Int32Array(counters);
  return {
    draw: (wanted, multiplier) => {
      const taken = Atomics.load(state, COUNTERS.taken);
      const isReady = Atomics.load(state, COUNTERS.made) > taken && Atomics.load(state, COUNTERS.ended) === 0;
      if (wanted !== count || multiplier !== noiseMultiplier || !isReady)
        return drawNoise(wanted, multiplier, createKeystream(systemRandom(32)));
      const slot = values.subarray((taken % slotCount) * count, ((taken % slotCount) + 1) * count);
      const noise = slot.slice();
      slot.fill(0); // no copy of it stays
      Atomics.store(state, COUNTERS.taken, taken + 1);
      Atomics.notify(state, COUNTERS.taken);
      return noise;
    },
    close: async () => {
      Atomics.store(state, COUNTERS.ended, 1);
      Atomics.notify(state, COUNTERS.taken);
      await worker.terminate();
      values.fill(0);
    },
  };
}
