// Dense layers one after the other, as the heads of several kinds of model have them.
import {
  type Activation,
  type Initialiser,
  initialiserBefore,
  type Layer,
  type NetworkNode,
  zeros,
} from './network.ts';

interface HiddenLayers {
  readonly hiddenWidths: readonly number[];
  readonly activation: Activation;
  /** After each of them. */
  readonly dropoutRate?: number | undefined;
}

/** `hidden-1`, `dropout-1`, `hidden-2` and so on, one after the other. */
export function hiddenLayers(
  { hiddenWidths, activation, dropoutRate }: HiddenLayers,
  from: string,
): NetworkNode[] {
  const nodes: NetworkNode[] = [];
  const append = (name: string, layer: Layer) =>
    nodes.push({ name, layer, inputs: [nodes.at(-1)?.name ?? from] });
  const kernelInitialiser = initialiserBefore(activation);
  for (const [index, units] of hiddenWidths.entries()) {
    const affine = { activation, kernelInitialiser, biasInitialiser: zeros };
    append(`hidden-${index + 1}`, { kind: 'dense', units, ...affine });
    if (dropoutRate !== undefined) append(`dropout-${index + 1}`, { kind: 'dropout', rate: dropoutRate });
  }
  return nodes;
}

/** A dense layer without an activation: the loss has its own. */
export function denseOutput(units: number, kernelInitialiser: Initialiser) {
  return { kind: 'dense', units, activation: 'linear', kernelInitialiser, biasInitialiser: zeros } as const;
}
