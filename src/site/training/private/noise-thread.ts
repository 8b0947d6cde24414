// A thread that draws the noise of steps to come, each from a seed of its own that is kept nowhere, and puts it where the steps take it.
import { workerData } from 'node:worker_threads';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { drawNoise } from '#federation/privacy/gaussian-noise.ts';
import { COUNTERS, type NoiseThreadData } from './noise-ahead.ts';

const { count, noiseMultiplier, slotCount, slots, counters } = workerData as NoiseThreadData;
const values = new Float64Array(slots);
const state = new Int32Array(counters);
for (let made = 0; Atomics.load(state, COUNTERS.ended) === 0; made += 1) {
  const noise = drawNoise(count, noiseMultiplier, createKeystream(systemRandom(32)));
  for (;;) {
    const taken = Atomics.load(state, COUNTERS.taken);
    if (made - taken < slotCount || Atomics.load(state, COUNTERS.ended) !== 0) break;
    Atomics.wait(state, COUNTERS.taken, taken);
  }
  values.set(noise, (made % slotCount) * count);
  Atomics.store(state, COUNTERS.made, made + 1);
}
