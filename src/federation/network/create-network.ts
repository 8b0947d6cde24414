// From what a plan names to the layers that are computed. The same specification gives the same layers, names and order everywhere.
import type { ModelSpecification, Objective } from '#federation/records/model-specification.ts';
import { admitTopology } from './admit-topology.ts';
import { createClassifierNetwork } from './classifier-network.ts';
import { glorot, INPUT, type Initialiser, type Layer, type Network, zeros } from './network.ts';
import { denseOutput, hiddenLayers } from './row-layers.ts';
import { createSegmenterNetwork } from './segmenter-network.ts';

type Of<Kind extends ModelSpecification['kind']> = Extract<ModelSpecification, { kind: Kind }>;

/** @throws NetworkError for a topology that is not admitted. */
export function createNetwork(model: ModelSpecification): Network {
  switch (model.kind) {
    case 'logistic-regression':
      return logisticRegression(model);
    case 'mlp':
      return rowNetwork(model, denseOutput(outputWidth(model.objective), glorot));
    case 'cox':
      return rowNetwork(model, { ...denseOutput(1, coxInitialiser(model)), biasInitialiser: null });
    case 'cnn-2d':
      return createClassifierNetwork(model, outputWidth(model.objective));
    case 'unet-2d':
      return createSegmenterNetwork(model);
    case 'layers':
      return admitTopology(model.topology, model.objective);
  }
}

/** Shape of one example that the model takes. */
export function inputShapeOf(model: ModelSpecification): readonly number[] {
  return createNetwork(model).inputShape;
}

function logisticRegression({ inputCount, initialisation }: Of<'logistic-regression'>): Network {
  const initialiser: Initialiser =
    initialisation.kind === 'zeros' ? zeros : { kind: 'uniform', bound: initialisation.bound };
  const layer = { ...denseOutput(1, initialiser), biasInitialiser: initialiser };
  return { inputShape: [inputCount], nodes: [{ name: '', layer, inputs: [INPUT] }] };
}

/** Partial likelihoods do not change with a constant, so the predictor has no bias. */
function coxInitialiser({ initialisation }: Of<'cox'>): Initialiser {
  return initialisation.kind === 'zeros' ? zeros : glorot;
}

function rowNetwork(model: Of<'mlp'> | Of<'cox'>, output: Layer): Network {
  const hidden = hiddenLayers(model, INPUT);
  const nodes = [...hidden, { name: 'output', layer: output, inputs: [hidden.at(-1)?.name ?? INPUT] }];
  return { inputShape: [model.inputCount], nodes };
}

/** Outputs of a row for a loss; a loss of images or survival does not fit the row, and is refused where it is held against it. */
function outputWidth(objective: Objective): number {
  if (objective.loss === 'categorical-cross-entropy') return objective.classCount;
  return objective.loss === 'mean-squared-error' ? objective.outputCount : 1;
}
