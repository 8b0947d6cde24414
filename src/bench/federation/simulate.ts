// FedAvg in one process with the code of production: the site's training host and the consortium's aggregation, no crypto between.
import { utf8 } from '#base/bytes.ts';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import type { ModelSpecification, TrainingSettings } from '#federation/records/research-study-plan.ts';
import { subtract } from '#federation/tensors/delta.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { createInitialWeights } from '#site/model/index.ts';
import type { Examples, TrainingHost } from '#site/ports.ts';

export interface SimulatedSite {
  readonly siteId: string;
  readonly examples: Examples;
}

export interface Simulation {
  readonly host: TrainingHost;
  readonly model: ModelSpecification;
  readonly training: TrainingSettings;
  readonly sites: readonly SimulatedSite[];
  readonly roundCount: number;
  /** Names the random numbers: the same seed gives the same batches. */
  readonly seed: string;
  /** Whether a site goes on in its epoch, with its optimizer's slots, in the next round. */
  readonly keepOptimizerState: boolean;
}

export interface SimulatedRound {
  readonly round: number;
  readonly weights: TensorMap;
  /** Mean loss over all sites' training rows before and after their local updates, in nats. */
  readonly lossBefore: number;
  readonly lossAfter: number;
}

/** Every round's global model, in order. */
export async function simulateFederation(simulation: Simulation): Promise<SimulatedRound[]> {
  const { host, model, training, sites, roundCount, seed, keepOptimizerState } = simulation;
  const states = new Map<string, Uint8Array>();
  const rounds: SimulatedRound[] = [];
  let weights = createInitialWeights(model);
  for (let round = 1; round <= roundCount; round += 1) {
    const updates: { siteId: string; exampleCount: number; payload: TensorMap }[] = [];
    const total = sites.reduce((count, { examples }) => count + examples.count, 0);
    let [lossBefore, lossAfter] = [0, 0];
    for (const { siteId, examples } of sites) {
      const optimizerState = keepOptimizerState ? (states.get(siteId) ?? null) : null;
      const job = {
        model,
        training,
        weights,
        examples,
        seed: seedBytes(seed, siteId, round),
        optimizerState,
      };
      const result = await host.train(job, { onProgress: () => {}, signal: neverAborted });
      states.set(siteId, result.optimizerState);
      updates.push({ siteId, exampleCount: examples.count, payload: subtract(result.weights, weights) });
      lossBefore += (result.lossBefore * examples.count) / total;
      lossAfter += (result.lossAfter * examples.count) / total;
    }
    weights = aggregateRound({ kind: 'training', base: weights, updates }).tensors;
    rounds.push({ round, weights, lossBefore, lossAfter });
  }
  return rounds;
}

export const neverAborted = new AbortController().signal;

/** 32 bytes that stand for these names. */
export function seedBytes(...names: readonly (string | number)[]): Uint8Array {
  return sha256(utf8(`consilium-bench ${names.join(' ')}`));
}
