// Rényi divergence of one step of the Poisson-subsampled Gaussian, the sum with one patient against the sum without
// (Mironov, Talwar, Zhang: Rényi Differential Privacy of the Sampled Gaussian Mechanism, 2019, arXiv 1908.10530).
// The worse of both directions, and exact up to the rounding of doubles: every sum here has positive terms only.
import { privacyLoss, type StepSetting } from '#federation/privacy/privacy-loss.ts';

/** Below this noise, where epsilon is in the hundreds, fractional orders are bounded by their whole neighbours. */
const FINEST_NOISE = 0.05;
/** A sum's tail beyond this many standard deviations is less than its last bit. */
const TAIL = 12;

/** D_α of one step. @param order α, above 1. @param setting noise and rate above 0 */
export function renyiDivergence(order: number, setting: StepSetting): number {
  const { noiseMultiplier, samplingRate } = setting;
  if (samplingRate === 1) return order / (2 * noiseMultiplier ** 2);
  return logMoment(order, setting) / (order - 1);
}

/** ln E[(1 + u)^α] with u = q(e^x − 1), x = (2z − 1)/(2σ²), z ~ N(0, σ²): E[u] is 0 and every other part positive. */
function logMoment(order: number, setting: StepSetting): number {
  if (Number.isInteger(order)) return wholeMoment(order, setting);
  if (setting.noiseMultiplier >= FINEST_NOISE) return fractionalMoment(order, setting);
  // The moment's logarithm is convex in the order and 0 at order 1: its chord lies above it.
  const below = Math.floor(order);
  const share = order - below;
  const left = below === 1 ? 0 : wholeMoment(below, setting);
  return (1 - share) * left + share * wholeMoment(below + 1, setting);
}

/** The binomial sum at a whole order, less the 1 that the weights add up to. */
function wholeMoment(order: number, { noiseMultiplier, samplingRate }: StepSetting): number {
  const sum = new LogSum();
  let logBinomial = Math.log(order);
  for (let drawn = 2; drawn <= order; drawn += 1) {
    logBinomial += Math.log((order - drawn + 1) / drawn);
    const weight = logBinomial + drawn * Math.log(samplingRate) + (order - drawn) * Math.log1p(-samplingRate);
    sum.add(weight + logExpm1((drawn * (drawn - 1)) / (2 * noiseMultiplier ** 2)));
  }
  return log1pExp(sum.value());
}

/** The integral by the trapezoidal rule, which for a function analytic around the real line errs below the last bit. */
function fractionalMoment(order: number, { noiseMultiplier, samplingRate }: StepSetting): number {
  // (1 + u)^α has its nearest branch point πσ² away from the real line.
  const step = (noiseMultiplier * Math.min(1, noiseMultiplier)) / 8;
  const last = order + TAIL * noiseMultiplier;
  const sum = new LogSum();
  for (let z = -TAIL * noiseMultiplier; z <= last; z += step) {
    const logExcess = logPowerExcess(order, samplingRate, (2 * z - 1) / (2 * noiseMultiplier ** 2));
    sum.add(logExcess - z ** 2 / (2 * noiseMultiplier ** 2));
  }
  return log1pExp(sum.value() + Math.log(step / (noiseMultiplier * Math.sqrt(2 * Math.PI))));
}

/** ln((1 + u)^α − 1 − αu), u = q(e^x − 1): what is left when 1 and the part with mean 0 are taken away. */
function logPowerExcess(order: number, samplingRate: number, x: number): number {
  const loss = privacyLoss(x, samplingRate);
  if (Math.abs(loss) > 0.05) {
    const rest = (1 - order) * Math.exp(-order * loss) + order * Math.exp((1 - order) * loss);
    return order * loss + Math.log1p(-rest);
  }
  // Near 0 the difference would lose its digits; the binomial series does not.
  const u = samplingRate * Math.expm1(x);
  let sum = 0;
  let term = order * u;
  for (let power = 2; power <= 16; power += 1) {
    term *= ((order - power + 1) / power) * u;
    sum += term;
  }
  return Math.log(sum);
}

/** ln Σ exp(term), for terms that no double holds. */
class LogSum {
  #largest = Number.NEGATIVE_INFINITY;
  #scaled = 0;

  add(term: number): void {
    if (term === Number.NEGATIVE_INFINITY) return;
    if (term <= this.#largest) this.#scaled += Math.exp(term - this.#largest);
    else {
      this.#scaled = this.#scaled * Math.exp(this.#largest - term) + 1;
      this.#largest = term;
    }
  }

  value(): number {
    return this.#largest + Math.log(this.#scaled);
  }
}

function logExpm1(x: number): number {
  return x > 40 ? x : Math.log(Math.expm1(x));
}

function log1pExp(x: number): number {
  return x > 40 ? x : Math.log1p(Math.exp(x));
}
