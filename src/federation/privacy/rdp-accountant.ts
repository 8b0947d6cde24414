// The RDP accountant: divergences of all steps add up order by order, and the best order gives epsilon.
import { joinSpends, type PrivacySpend, requireDelta } from '#federation/privacy/privacy-spend.ts';
import { renyiDivergence } from '#federation/privacy/renyi-divergence.ts';

/** 1.1 to 10.9 by tenths, 11 to 63, then powers of two: what the field's accountants look at. */
export const RDP_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_value, index) => (11 + index) / 10),
  ...Array.from({ length: 53 }, (_value, index) => 11 + index),
  128,
  256,
  512,
  1024,
];

export interface RdpEpsilon {
  /** Upper bound of the true epsilon at the given delta. */
  readonly epsilon: number;
  /** The order that gave it; null where nothing was spent. */
  readonly order: number | null;
}

export interface OrderDivergence {
  readonly order: number;
  readonly divergence: number;
}

/** The divergence of all steps together at each order. @param joined with nothing in it that costs nothing */
export function composedDivergences(
  joined: readonly PrivacySpend[],
  orders: readonly number[] = RDP_ORDERS,
): OrderDivergence[] {
  return orders.map((order) => ({
    order,
    divergence: joined.reduce((sum, spend) => sum + spend.steps * renyiDivergence(order, spend), 0),
  }));
}

/**
 * Epsilon of everything in `spends` together, whatever their order and settings.
 *
 * @throws PrivacyError NO_NOISE, BAD_PRIVACY_SETTING
 */
export function rdpEpsilon(spends: readonly PrivacySpend[], delta: number): RdpEpsilon {
  requireDelta(delta);
  const joined = joinSpends(spends);
  return joined.length === 0 ? { epsilon: 0, order: null } : bestOrder(composedDivergences(joined), delta);
}

/** The least epsilon of all orders; infinite where no divergence is a number that doubles hold. */
export function bestOrder(divergences: readonly OrderDivergence[], delta: number): RdpEpsilon {
  let best: RdpEpsilon = { epsilon: Number.POSITIVE_INFINITY, order: null };
  for (const { order, divergence } of divergences) {
    const epsilon = epsilonAtOrder(order, divergence, delta);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}

/**
 * The tight conversion (Canonne, Kamath, Steinke: The Discrete Gaussian for Differential Privacy, 2020, proposition 12;
 * Balle et al., Hypothesis Testing Interpretations and Rényi Differential Privacy, 2020, theorem 21).
 */
function epsilonAtOrder(order: number, divergence: number, delta: number): number {
  // Distributions this close differ by no more than delta in any event (Bretagnolle and Huber), and so at epsilon 0.
  if (delta ** 2 + Math.expm1(-divergence) > 0) return 0;
  return Math.max(0, divergence + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1));
}
