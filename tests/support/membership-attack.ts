// The plainest attack on who was in the training data: patients whose loss is small are said to have been (Yeom et al., arXiv 1709.01604).
// On a set that is easy to learn by heart: 200 patients, 400 features, a tenth of the labels wrong.
import { createKeystream, type Keystream } from '#federation/crypto/keystream.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { createInitialWeights, type TensorFlow } from '#site/model/index.ts';
import type { Examples, TrainingJob } from '#site/ports.ts';
import { trainModel } from '#site/training/train-model.ts';

const featureCount = 400;
export const memberCount = 200;
const strangerCount = 1_000;
const wrongLabels = 0.1;

export interface AttackFigures {
  /** Chance that a member has a smaller loss than somebody who is none. */
  readonly areaUnderCurve: number;
  /** Share of the members that are found where one in a hundred others is taken for one. */
  readonly foundAtOnePercent: number;
}

/** 100 steps with lots of 20 on average. @param privacy absent: none @param seed of the data; lots and noise are always new */
export async function attackTraining(
  tf: TensorFlow,
  privacy: TrainingJob['privacy'],
  seed: number,
): Promise<AttackFigures> {
  const keystream = createKeystream(new Uint8Array(32).fill(seed));
  const truth = Float64Array.from({ length: featureCount }, () => normal(keystream));
  const members = drawExamples(memberCount, truth, keystream);
  const strangers = drawExamples(strangerCount, truth, keystream);
  const model: ModelSpecification = {
    kind: 'logistic-regression',
    inputCount: featureCount,
    initialisation: { kind: 'zeros' },
  };
  const job: TrainingJob = {
    model,
    training: { optimizer: { kind: 'sgd', learningRate: 0.5 }, batchSize: 20, localUpdates: 100 },
    weights: createInitialWeights(model),
    examples: members,
    seed: new Uint8Array(32).fill(seed),
    optimizerState: null,
    ...(privacy === undefined ? {} : { privacy }),
  };
  const { weights } = await trainModel(tf, job, { onProgress: () => {}, isCancelled: () => false });
  const kernel = weights.get('weights/kernel')?.data ?? [];
  const bias = weights.get('weights/bias')?.data[0] ?? 0;
  const lossesOf = ({ features, labels, count }: Examples) =>
    Array.from({ length: count }, (_, row) => {
      let logit = bias;
      for (let at = 0; at < featureCount; at += 1)
        logit += (features[row * featureCount + at] ?? 0) * (kernel[at] ?? 0);
      const signed = labels[row] === 1 ? -logit : logit;
      return signed > 0 ? signed + Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed));
    });
  return figuresOf(lossesOf(members), lossesOf(strangers));
}

function figuresOf(members: readonly number[], strangers: readonly number[]): AttackFigures {
  let wins = 0;
  for (const member of members)
    for (const stranger of strangers) wins += member < stranger ? 1 : member === stranger ? 0.5 : 0;
  const threshold = [...strangers].sort((left, right) => left - right)[strangers.length / 100] ?? 0;
  return {
    areaUnderCurve: wins / (members.length * strangers.length),
    foundAtOnePercent: members.filter((loss) => loss < threshold).length / members.length,
  };
}

function drawExamples(count: number, truth: Float64Array, keystream: Keystream): Examples {
  const features = Float32Array.from({ length: count * featureCount }, () => normal(keystream));
  const labels = Float32Array.from({ length: count }, (_, row) => {
    let logit = 0;
    for (const [at, weight] of truth.entries()) logit += weight * (features[row * featureCount + at] ?? 0);
    const isWrong = keystream.nextDouble() < wrongLabels;
    return Number(logit > 0 !== isWrong);
  });
  return { features, labels, count, shape: [featureCount] };
}

/** Box and Muller. */
function normal(keystream: Keystream): number {
  const length = Math.sqrt(-2 * Math.log(1 - keystream.nextDouble()));
  return length * Math.cos(2 * Math.PI * keystream.nextDouble());
}
