// What one or two steps of the subsampled Gaussian give away, summed straight from its densities: slow, and by no code of ours.

export interface Setting {
  readonly noiseMultiplier: number;
  readonly samplingRate: number;
}

export type Direction = 'remove' | 'add';

interface Outcome {
  readonly loss: number;
  readonly chance: number;
}

/** Outcomes of one step on a fine lattice of noisy sums, with their chance and loss as seen from one direction. */
export function outcomes(
  { noiseMultiplier, samplingRate }: Setting,
  direction: Direction,
  perSigma: number,
): Outcome[] {
  const width = noiseMultiplier / perSigma;
  const density = (z: number, mean: number): number =>
    Math.exp(-((z - mean) ** 2) / (2 * noiseMultiplier ** 2)) / (noiseMultiplier * Math.sqrt(2 * Math.PI));
  const found: Outcome[] = [];
  for (let z = -9 * noiseMultiplier; z < 1 + 9 * noiseMultiplier; z += width) {
    const without = density(z, 0);
    const withPatient = (1 - samplingRate) * without + samplingRate * density(z, 1);
    const loss = Math.log(withPatient / without);
    found.push(
      direction === 'remove'
        ? { loss, chance: withPatient * width }
        : { loss: -loss, chance: without * width },
    );
  }
  return found;
}

/** δ(ε) of one step. */
export function deltaOfStep(setting: Setting, direction: Direction, epsilon: number): number {
  let delta = 0;
  for (const { loss, chance } of outcomes(setting, direction, 2000)) {
    if (loss > epsilon) delta += -Math.expm1(epsilon - loss) * chance;
  }
  return delta;
}

/** δ(ε) of two steps, by summing over every pair of outcomes. */
export function deltaOfTwoSteps(setting: Setting, direction: Direction, epsilon: number): number {
  const single = outcomes(setting, direction, 60);
  let delta = 0;
  for (const first of single) {
    for (const second of single) {
      const loss = first.loss + second.loss;
      if (loss > epsilon) delta += -Math.expm1(epsilon - loss) * first.chance * second.chance;
    }
  }
  return delta;
}
