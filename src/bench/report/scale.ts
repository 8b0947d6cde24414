// A linear axis with round ticks.

export interface Scale {
  readonly ticks: readonly number[];
  /** Position of a value, to a tenth of a pixel. */
  at(value: number): number;
}

/** An axis over all finite `values`, from `range[0]` to `range[1]`; `whole` puts ticks on whole numbers only. */
export function createScale(
  values: readonly number[],
  range: readonly [number, number],
  { whole = false }: { readonly whole?: boolean } = {},
): Scale {
  const finite = values.filter(Number.isFinite);
  let lowest = finite.length === 0 ? 0 : Math.min(...finite);
  let highest = finite.length === 0 ? 1 : Math.max(...finite);
  if (lowest === highest) [lowest, highest] = [lowest - 0.5, highest + 0.5];
  const step = whole
    ? Math.max(1, Math.ceil(roundStep((highest - lowest) / 8)))
    : roundStep((highest - lowest) / 6);
  const first = Math.floor(lowest / step);
  const last = Math.ceil(highest / step);
  // Multiplied, not added up: 0.1 + 0.2 would drift off the grid.
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  const [start, end] = [first * step, last * step];
  return {
    ticks,
    at: (value) =>
      Math.round((range[0] + ((value - start) / (end - start)) * (range[1] - range[0])) * 10) / 10,
  };
}

/** The next of 1, 2, 5 times a power of ten. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return factor * power;
}

/** As many digits as tell neighbouring ticks apart. */
export function formatTick(tick: number, ticks: readonly number[]): string {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0));
  return tick.toFixed(Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
}
