// The PLD accountant: the distribution of the privacy loss of all steps together, and epsilon from it. Never below the truth:
// losses are discretised upwards, and what is cut off, wraps around or is lost in rounding is bounded and added to delta.
// Sums of losses are convolutions, by Fourier transform (Koskela, Jälkö, Honkela 2020, arXiv 1906.03049), of tilted masses
// (Esscher's transform): weighted by e^(θ · loss), the losses that decide about epsilon are the likely ones and keep their digits.
import { type ComplexNumbers, createFourierTransform } from '#federation/privacy/fourier-transform.ts';
import {
  discretiseStep,
  type LossDistribution,
  type StepLosses,
} from '#federation/privacy/privacy-loss-distribution.ts';
import { joinSpends, type PrivacySpend, requireDelta } from '#federation/privacy/privacy-spend.ts';
import {
  bestOrder,
  composedDivergences,
  type OrderDivergence,
  RDP_ORDERS,
} from '#federation/privacy/rdp-accountant.ts';

const GRID_SIZE = 2 ** 17;
/** e^-14 of delta, once for what lies above the grid and once for what lies below it. */
const GRID_ALLOWANCE = 14;
/** Share of delta that may lie in the tails of single steps. */
const TAIL_SHARE = 1e-6;
/** More than a transform of this size errs by, relative to the sum of what goes in. */
const TRANSFORM_ERROR = 1e-14;
/** How much rarer than need be, as a natural logarithm, a tilt may leave the losses near epsilon: it costs digits. */
const RARITY_GIVEN = 7;

/** The RDP accountant's leave gaps above 63, over which Chernoff's bound would ask for endless grids. */
const TILTING_ORDERS: readonly number[] = [
  ...RDP_ORDERS,
  ...[72, 80, 88, 96, 112, 144, 160, 192, 224, 320, 384, 448, 640, 768, 896],
].sort((left, right) => left - right);

const transform = createFourierTransform(GRID_SIZE);

interface Composition {
  readonly steps: number;
  readonly losses: StepLosses;
}

interface Search {
  readonly delta: number;
  readonly spacing: number;
  /** θ */
  readonly tilt: number;
  /** What the tails of single steps take of delta. */
  readonly tailMass: number;
}

/**
 * Epsilon of everything in `spends` together: the worse of adding and removing one patient, and never above the RDP
 * accountant's.
 *
 * @throws PrivacyError NO_NOISE, BAD_PRIVACY_SETTING
 */
export function pldEpsilon(spends: readonly PrivacySpend[], delta: number): number {
  requireDelta(delta);
  const joined = joinSpends(spends);
  if (joined.length === 0) return 0;
  const divergences = composedDivergences(joined, TILTING_ORDERS);
  const { epsilon: bound, order } = bestOrder(divergences, delta);
  if (order === null || bound === 0) return bound;
  const grid = chooseGrid(divergences, { bound, delta });
  if (grid === undefined) return bound;
  const spacing = grid.top / GRID_SIZE;
  const stepCount = joined.reduce((sum, { steps }) => sum + steps, 0);
  const tail = Math.sqrt(2 * Math.log(stepCount / (delta * TAIL_SHARE)));
  const parts = joined.map((spend) => ({
    steps: spend.steps,
    losses: discretiseStep(spend, { spacing, tail }),
  }));
  const search = { delta, spacing, tilt: grid.tilt, tailMass: delta * TAIL_SHARE };
  const worst = Math.max(directedEpsilon(parts, 'remove', search), directedEpsilon(parts, 'add', search));
  return Math.min(worst, bound);
}

/**
 * The tilt with the shortest grid, of those that leave losses near epsilon about as likely as any tilt does; undefined where
 * no grid is long enough.
 */
function chooseGrid(
  divergences: readonly OrderDivergence[],
  { bound, delta }: { readonly bound: number; readonly delta: number },
): { readonly tilt: number; readonly top: number } | undefined {
  const grids = divergences
    .map(({ order, divergence }) => ({
      tilt: order - 1,
      top: gridTop(divergences, order, delta),
      rarity: (order - 1) * (divergence - bound) - Math.log(delta),
    }))
    .filter(({ top }) => Number.isFinite(top));
  const leastRarity = Math.min(...grids.map(({ rarity }) => rarity));
  return grids
    .filter(({ rarity }) => rarity <= leastRarity + RARITY_GIVEN)
    .sort((left, right) => left.top - right.top)[0];
}

/**
 * Where a grid has to end for what wraps around it to be a small share of delta: losses below 0, which weigh e^(−θ · top) where
 * they come to lie, and losses above, whose tilted mass Chernoff's bound limits at each greater order.
 */
function gridTop(divergences: readonly OrderDivergence[], tilted: number, delta: number): number {
  const small = GRID_ALLOWANCE - Math.log(delta);
  const own = divergences.find(({ order }) => order === tilted)?.divergence ?? 0;
  const aboveTop = divergences
    .filter(({ order }) => order > tilted)
    .map(({ order, divergence }) => ((order - 1) * divergence + small) / (order - tilted));
  return Math.max(own + small / (tilted - 1), Math.min(...aboveTop));
}

function directedEpsilon(parts: readonly Composition[], direction: keyof StepLosses, search: Search): number {
  const composed = compose(
    parts.map(({ steps, losses }) => ({ steps, losses: losses[direction] })),
    search,
  );
  return solveEpsilon(composed, search);
}

interface TiltedSum {
  /** Tilted masses of the summed losses 0, spacing, 2 · spacing, ... */
  readonly masses: Float64Array;
  /** Logarithm of what the tilted masses were divided by. */
  readonly logScale: number;
  /** What each mass may have lost in rounding. */
  readonly error: number;
}

function compose(
  parts: readonly { readonly steps: number; readonly losses: LossDistribution }[],
  { spacing, tilt }: Search,
): TiltedSum {
  const real = new Float64Array(GRID_SIZE).fill(1);
  const product = { real, imaginary: new Float64Array(GRID_SIZE) };
  const smallest = new Float64Array(GRID_SIZE).fill(1);
  let logScale = 0;
  let stepCount = 0;
  for (const { steps, losses } of parts) {
    const factor = tiltOntoGrid(losses, tilt * spacing);
    transform.forward(factor.numbers);
    multiplyByPower(product, factor.numbers, { steps, smallest });
    logScale += steps * factor.logScale;
    stepCount += steps;
  }
  // A rounding of one factor is carried into the product by the others: at most the product without its smallest factor.
  let carried = 0;
  for (let index = 0; index < GRID_SIZE; index += 1) {
    const magnitude = Math.hypot(product.real[index] as number, product.imaginary[index] as number);
    carried += Math.min(1, magnitude / Math.max(smallest[index] as number, TRANSFORM_ERROR));
  }
  transform.inverse(product);
  return { masses: product.real, logScale, error: (TRANSFORM_ERROR * (1 + stepCount) * carried) / GRID_SIZE };
}

/** Masses times e^(θ · loss), divided by their sum, each at its loss modulo the grid. */
function tiltOntoGrid({ first, masses }: LossDistribution, tiltPerPosition: number) {
  let largest = Number.NEGATIVE_INFINITY;
  const logs = masses.map((mass, index) => {
    const log = Math.log(mass) + tiltPerPosition * (first + index);
    largest = Math.max(largest, log);
    return log;
  });
  const tilted = logs.map((log) => Math.exp(log - largest));
  const sum = tilted.reduce((total, mass) => total + mass, 0);
  const numbers = { real: new Float64Array(GRID_SIZE), imaginary: new Float64Array(GRID_SIZE) };
  for (let index = 0; index < tilted.length; index += 1) {
    const at = (((first + index) % GRID_SIZE) + GRID_SIZE) % GRID_SIZE;
    numbers.real[at] = (numbers.real[at] as number) + (tilted[index] as number) / sum;
  }
  return { numbers, logScale: largest + Math.log(sum) };
}

function multiplyByPower(
  product: ComplexNumbers,
  { real, imaginary }: ComplexNumbers,
  { steps, smallest }: { readonly steps: number; readonly smallest: Float64Array },
): void {
  for (let index = 0; index < GRID_SIZE; index += 1) {
    const magnitude = Math.hypot(real[index] as number, imaginary[index] as number);
    const angle = steps * Math.atan2(imaginary[index] as number, real[index] as number);
    const power = magnitude ** steps;
    const powerReal = power * Math.cos(angle);
    const powerImaginary = power * Math.sin(angle);
    const productReal = product.real[index] as number;
    const productImaginary = product.imaginary[index] as number;
    product.real[index] = productReal * powerReal - productImaginary * powerImaginary;
    product.imaginary[index] = productReal * powerImaginary + productImaginary * powerReal;
    smallest[index] = Math.min(smallest[index] as number, magnitude);
  }
}

/**
 * The smallest epsilon with δ(ε) = Σ_{l > ε} (1 − e^(ε − l)) P(l) ≤ delta. Losses above the grid wrapped below; they weigh at
 * most e^(logScale − θ · top). Losses below 0 wrapped upwards, where they count too much.
 */
function solveEpsilon({ masses, logScale, error }: TiltedSum, search: Search): number {
  const { delta, spacing, tilt, tailMass } = search;
  const allowed = delta - tailMass - Math.exp(logScale - tilt * spacing * GRID_SIZE);
  // Over losses above the present one: Σ P(l), and Σ e^(present − l) P(l).
  let above = 0;
  let discounted = 0;
  for (let index = GRID_SIZE - 1; index >= 0; index -= 1) {
    if (above - discounted > allowed) {
      // Between this loss and the next both sums only scale: above − e^(ε − present) · discounted = allowed.
      return index * spacing + Math.log((above - allowed) / discounted);
    }
    const mass = Math.max(0, masses[index] as number) + error;
    above += mass * Math.exp(logScale - tilt * spacing * index);
    discounted = Math.exp(-spacing) * discounted;
    discounted += mass * Math.exp(logScale - tilt * spacing * index - spacing);
  }
  return 0;
}
