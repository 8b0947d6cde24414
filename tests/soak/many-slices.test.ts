// 40,000 slices in a shuffled order: memory stays flat and far below what a workstation has.
import { describe, expect, it } from 'vitest';
import { measureStream } from '#support/memory-of-stream.ts';

const seed = process.env.CONSILIUM_SOAK_SEED ?? 'soak-1';

describe('an epoch over 40,000 slices of 256 x 256 pixels', () => {
  it('takes no more memory at its end than after its first quarter, and less than 1.2 GB', async () => {
    const shape = { patientCount: 400, slicesPerPatient: 100, size: 256 };
    const memory = await measureStream({ ...shape, inputSize: 128, batchSize: 16, seed });
    const { count, rssMb, openMs, slicesPerSecond } = memory;
    process.stdout.write(
      `${count} slices; first reading ${Math.round(openMs / 1000)} s; ${Math.round(slicesPerSecond)} slices/s; memory in MB ${rssMb}\n`,
    );
    expect(count).toBe(40_000);
    expect(Math.max(...rssMb)).toBeLessThan(1_200);
    expect(Math.max(...rssMb.slice(25)) - Math.max(...rssMb.slice(0, 25))).toBeLessThan(100);
  });
});
