// A sample of what `npm run soak -- --only many-slices` runs in full.
import { expect, it } from 'vitest';
import { measureStream } from '#support/memory-of-stream.ts';

it('an epoch over 400 slices takes no more memory at its end than after its first quarter', async () => {
  const shape = { patientCount: 8, slicesPerPatient: 50, size: 128 };
  const { count, rssMb } = await measureStream({ ...shape, inputSize: 64, batchSize: 8, seed: 'sample' });
  expect([count, rssMb.length]).toEqual([400, 50]);
  expect(Math.max(...rssMb.slice(12)) - Math.max(...rssMb.slice(0, 12))).toBeLessThan(60);
});
