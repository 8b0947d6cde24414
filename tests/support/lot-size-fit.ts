// How well the sizes of lots are those of Poisson sampling: χ² against Binomial(N, q).

export interface LotSetting {
  readonly patientCount: number;
  readonly samplingRate: number;
}

/** Sizes up to a mean of 6: those of either tail are counted together. `limit` is exceeded once in a thousand. */
export function lotSizeFit(
  sizes: readonly number[],
  { patientCount, samplingRate }: LotSetting,
): { readonly statistic: number; readonly limit: number } {
  const [low, high] = [1, 12];
  const bins = Array.from({ length: high - low + 1 }, () => ({ found: 0, expected: 0 }));
  const binOf = (size: number) =>
    bins[Math.min(high, Math.max(low, size)) - low] ?? { found: 0, expected: 0 };
  for (const size of sizes) binOf(size).found += 1;
  for (let size = 0; size <= patientCount; size += 1)
    binOf(size).expected += sizes.length * binomial(size, { patientCount, samplingRate });
  if (Math.min(...bins.map(({ expected }) => expected)) < 5) throw new Error('a bin is too small for χ²');
  const degrees = bins.length - 1;
  return {
    statistic: bins.reduce((sum, { found, expected }) => sum + (found - expected) ** 2 / expected, 0),
    // Wilson and Hilferty's approximation at the 99.9th percentile of a normal distribution.
    limit: degrees * (1 - 2 / (9 * degrees) + 3.09 * Math.sqrt(2 / (9 * degrees))) ** 3,
  };
}

function binomial(successes: number, { patientCount, samplingRate }: LotSetting): number {
  let chance = (1 - samplingRate) ** patientCount;
  for (let k = 1; k <= successes; k += 1)
    chance *= (((patientCount - k + 1) / k) * samplingRate) / (1 - samplingRate);
  return chance;
}
