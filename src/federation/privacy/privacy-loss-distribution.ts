// One step's privacy loss on a grid, in both directions, so that no test tells more apart under the true step than under this one.
// Each loss is split between its two grid points so that neither distribution's mass changes: "connect the dots" (Doroshenko,
// Ghazi, Kamath, Kumar, Manurangsi 2022, arXiv 2207.04380). The pair of distributions is the worst one (Zhu, Dong, Wang 2022).
import { lossArgument, privacyLoss, type StepSetting } from '#federation/privacy/privacy-loss.ts';

/** Masses at the losses (first + index) · spacing. */
export interface LossDistribution {
  readonly first: number;
  readonly masses: Float64Array;
}

export interface StepLosses {
  /** The patient's presence, as seen from the sum with the patient. */
  readonly remove: LossDistribution;
  /** The patient's absence, as seen from the sum without. */
  readonly add: LossDistribution;
}

export interface LossGrid {
  /** Distance of neighbouring losses. */
  readonly spacing: number;
  /** Standard deviations beyond which the caller counts every outcome as a breach. */
  readonly tail: number;
}

/** What quadrature and rounding may err by, as a share of every mass and of every split; both go to the greater loss. */
const MARGIN = 1e-10;
/** Nodes and weights of Gauss and Legendre for polynomials up to degree 5 on [-1, 1]. */
const NODES: readonly (readonly [number, number])[] = [
  [-Math.sqrt(0.6), 5 / 9],
  [0, 8 / 9],
  [Math.sqrt(0.6), 5 / 9],
];

/** Both directions' losses of outcomes z in [−tail · σ, 1 + tail · σ]. */
export function discretiseStep(setting: StepSetting, { spacing, tail }: LossGrid): StepLosses {
  const { noiseMultiplier, samplingRate } = setting;
  const variance = noiseMultiplier ** 2;
  const argument = (z: number): number => (2 * z - 1) / (2 * variance);
  const cellOf = (z: number): number => Math.floor(privacyLoss(argument(z), samplingRate) / spacing);
  const end = 1 + tail * noiseMultiplier;
  const first = cellOf(-tail * noiseMultiplier);
  // One more at each side, for a loss that rounding puts beside its cell.
  const length = cellOf(end) - first + 3;
  const remove = { first, masses: new Float64Array(length) };
  const add = { first: -(first + length - 1), masses: new Float64Array(length) };
  const density = 1 / (noiseMultiplier * Math.sqrt(2 * Math.PI));

  function integrate(from: number, to: number, cell: number): void {
    const half = (to - from) / 2;
    for (const [node, weight] of NODES) {
      const z = from + half * (1 + node);
      const loss = privacyLoss(argument(z), samplingRate);
      const exponent = -(z ** 2) / (2 * variance);
      const width = weight * half * density * (1 + MARGIN);
      const at = cell - first;
      const above = loss - cell * spacing;
      split(remove.masses, at, width * Math.exp(exponent + loss), upperShare(above, spacing));
      // Losses are negated here: the smaller neighbour of loss is the greater one of its negative.
      split(add.masses, length - 2 - at, width * Math.exp(exponent), upperShare(spacing - above, spacing));
    }
  }

  let cell = first;
  for (let z = -tail * noiseMultiplier; z < end; ) {
    const cellEnd = lossArgument((cell + 1) * spacing, samplingRate) * variance + 0.5;
    const to = Math.min(z + panelWidth(argument(z), noiseMultiplier), cellEnd, end);
    if (to > z) integrate(z, to, cell);
    if (to === cellEnd) cell += 1;
    z = Math.max(z, to);
  }
  return { remove, add };
}

/** Which share of a loss's mass goes to the greater neighbour. @param above how far it lies above the smaller one */
function upperShare(above: number, spacing: number): number {
  return Math.min(1, Math.max(0, Math.expm1(-above) / Math.expm1(-spacing)) + MARGIN);
}

/** Adds `mass` at `lower` and the position after it. */
function split(masses: Float64Array, lower: number, mass: number, upper: number): void {
  masses[lower] = (masses[lower] ?? 0) + mass * (1 - upper);
  masses[lower + 1] = (masses[lower + 1] ?? 0) + mass * upper;
}

/** Short against what the integrand varies by: σ, and σ² where the patient's share of the density is not negligible. */
function panelWidth(x: number, noiseMultiplier: number): number {
  const fine = noiseMultiplier * Math.min(1, noiseMultiplier);
  if (x >= -40) return fine / 64;
  return Math.min(noiseMultiplier, Math.max(fine, (-40 - x) * noiseMultiplier ** 2)) / 64;
}
