// A U-Net learns real tumours from DICOM and segmentations, through the stages of a site: import, consent, cohort, images, training process.
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import type { ExampleSource } from '#site/imaging/index.ts';
import { createInitialWeights } from '#site/model/index.ts';
import type { Examples } from '#site/ports.ts';
import { createTrainingHost, openForkedChannel } from '#site/training/index.ts';
import {
  hasTumourData,
  inOrder,
  openTumourExamples,
  openTumourSite,
  tumourData,
} from '#support/tumour-site.ts';

if (!hasTumourData)
  process.stderr.write('no tumour is learned: CONSILIUM_DATA does not name a folder with lgg-mri\n');

const size = 64;
const model: ModelSpecification = {
  kind: 'unet-2d',
  input: { rows: size, columns: size, channels: 1 },
  baseFilters: 8,
  depth: 3,
  normalisationGroups: 4,
  upsampling: 'transposed',
  objective: { loss: 'dice-and-binary-cross-entropy' },
  initialisation: { kind: 'variance-scaling', seed: '0b'.repeat(32) },
};
const host = createTrainingHost({ openChannel: openForkedChannel });
afterAll(() => host.close());

async function allOf(source: ExampleSource): Promise<Examples> {
  const width = size * size;
  const features = new Float32Array(source.count * width);
  const labels = new Float32Array(source.count * width);
  for await (const { examples, inputs, targets } of source.stream(inOrder(source))) {
    features.set(inputs, (examples[0] ?? 0) * width);
    labels.set(targets, (examples[0] ?? 0) * width);
  }
  const subjects = Uint32Array.from({ length: source.count }, (_, example) => source.unitOf(example));
  return { features, labels, count: source.count, shape: [size, size, 1], subjects };
}

/** Over patients. */
function mean(dice: Float64Array | null): number {
  if (dice === null) throw new Error('the model draws no masks');
  return dice.reduce((sum, one) => sum + one, 0) / dice.length;
}

it.runIf(hasTumourData)(
  'finds tumours of patients whom it never saw, by the overlap of each',
  async (context) => {
    const engine = await host.engine();
    if (engine.name === 'wasm') context.skip(`WebAssembly would take an hour: ${engine.reason}`);
    const site = await openTumourSite(['FG', 'HT'].map((hospital) => path.join(tumourData, hospital)));
    const [training, holdout] = [
      await openTumourExamples(site, size, 'training'),
      await openTumourExamples(site, size, 'holdout'),
    ];
    const [examples, unseen] = [await allOf(training), await allOf(holdout)];
    const weights = createInitialWeights(model);
    const {
      weights: trained,
      lossBefore,
      lossAfter,
    } = await host.train(
      {
        model,
        training: { optimizer: { kind: 'adam', learningRate: 0.002 }, batchSize: 16, localUpdates: 240 },
        weights,
        examples,
        seed: new Uint8Array(32).fill(5),
        optimizerState: null,
      },
      { signal: new AbortController().signal, onProgress: () => {} },
    );
    const [before, after] = [
      await host.evaluate({ model, weights, examples: unseen }),
      await host.evaluate({ model, weights: trained, examples: unseen }),
    ];
    await training.close();
    await holdout.close();
    await site.close();
    process.stderr.write(
      `${examples.count} slices of ${training.unitCount} patients: loss ${lossBefore.toFixed(3)} to ${lossAfter.toFixed(3)}, Dice of ${holdout.unitCount} others ${mean(before.diceBySubject).toFixed(3)} to ${mean(after.diceBySubject).toFixed(3)}\n`,
    );
    expect(after.diceBySubject).toHaveLength(holdout.unitCount);
    expect(lossAfter).toBeLessThan(lossBefore / 2);
    expect(mean(after.diceBySubject)).toBeGreaterThan(0.4);
    expect(mean(before.diceBySubject)).toBeLessThan(0.3);
  },
  600_000,
);
