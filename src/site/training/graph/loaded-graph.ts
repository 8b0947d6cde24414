// A graph in TensorFlow's hands: loaded by a file that only this account can read and that is gone at once, freed by `dispose`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeSavedModel } from './graph-definition.ts';
import type { NativeBinding, TensorHandle } from './native-backend.ts';
import type { UnrolledGraph } from './unrolled-graph.ts';

export interface LoadedGraph {
  /** Handles of the outputs, for those of the inputs in the graph's order. */
  run(inputs: readonly number[]): TensorHandle[];
  dispose(): void;
}

const tag = 'train';

export function loadGraph(binding: NativeBinding, { nodes, inputs, outputs }: UnrolledGraph): LoadedGraph {
  const folder = mkdtempSync(path.join(tmpdir(), 'consilium-graph-')); // mode 0700
  let model: number;
  try {
    writeFileSync(path.join(folder, 'saved_model.pb'), encodeSavedModel(nodes, tag), { mode: 0o600 });
    model = binding.loadSavedModel(folder, tag);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const [inputNames, outputNames] = [inputs.join(','), outputs.join(',')];
  let isLoaded = true;
  return {
    run: (ids) => binding.runSavedModel(model, ids, inputNames, outputNames),
    dispose: () => {
      if (isLoaded) binding.deleteSavedModel(model);
      isLoaded = false;
    },
  };
}
