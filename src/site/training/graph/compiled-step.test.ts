import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Tensor, Variable } from '@tensorflow/tfjs-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TensorFlow } from '#site/model/index.ts';
import { loadEngine } from '#site/training/engine.ts';
import { type CompiledStep, compileStep } from './compiled-step.ts';
import { type NativeBackend, type NativeBinding, nativeBackend } from './native-backend.ts';
import type { StepDefinition, TrainingStep } from './step-recording.ts';

const { tf, info } = await loadEngine(process.env.TFJS_NATIVE);
const isNative = info.name === 'tensorflow';
if (!isNative) process.stderr.write(`graphs are not tested: ${info.reason}\n`);

let compiled: CompiledStep | undefined;
afterEach(() => {
  compiled?.dispose();
  compiled = undefined;
  tf.disposeVariables();
});

const scalar = { shape: [], dtype: 'float32' } as const;
const variable = (value: number): Variable => tf.tidy(() => tf.variable(tf.scalar(value)));
const readScalar = (tensor: Tensor) => tensor.dataSync()[0];

/** A step on one number that it multiplies by its input. */
function define(state: Variable, step: TrainingStep): StepDefinition {
  return { step, shared: {}, stepwise: { factor: scalar }, state: [state] };
}

function multiply(state: Variable): TrainingStep {
  return (_, { factor }) => {
    const before = tf.add(state, 0);
    state.assign(tf.mul(state, factor as Tensor));
    return { before };
  };
}

describe.skipIf(!isNative)('a compiled step', () => {
  it('takes several steps at a time, each on the state of the one before, and puts the last state under the variable', () => {
    const state = variable(3);
    compiled = compileStep(tf, define(state, multiply(state)));
    expect(readScalar(state)).toBe(3);
    expect(compiled.run({ factor: Float32Array.of(2, 5, 7) }, 3).before).toEqual(Float32Array.of(3, 6, 30));
    expect(readScalar(state)).toBe(210);
    expect(compiled.run({ factor: Float32Array.of(2) }, 1).before).toEqual(Float32Array.of(210));
    expect(readScalar(state)).toBe(420);
  });

  it('sees a value that was given to the variable in between, and leaves clones as they were', () => {
    const state = variable(3);
    compiled = compileStep(tf, define(state, multiply(state)));
    compiled.run({ factor: Float32Array.of(2) }, 1);
    tf.tidy(() => state.assign(tf.scalar(100)));
    const copy = state.clone();
    compiled.run({ factor: Float32Array.of(2) }, 1);
    expect([readScalar(state), readScalar(copy)]).toEqual([200, 100]);
    copy.dispose();
  });

  it('gives variables the value of a constant, of an input, and of each other', () => {
    const [left, right, last] = [variable(1), variable(2), variable(3)] as [Variable, Variable, Variable];
    compiled = compileStep(tf, {
      shared: {},
      stepwise: { factor: scalar },
      state: [left, right, last],
      step: (_, { factor }) => {
        const before = left.clone();
        left.assign(right);
        right.assign(before);
        last.assign(factor as Tensor);
        return { before, five: tf.scalar(5) };
      },
    });
    const found = compiled.run({ factor: Float32Array.of(7, 8, 9) }, 3);
    expect(found).toEqual({ before: Float32Array.of(1, 2, 1), five: Float32Array.of(5, 5, 5) });
    expect([left, right, last].map(readScalar)).toEqual([2, 1, 9]);
  });

  it('computes gradients by row of a matrix that stays on the engine', () => {
    const matrix = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const weights = tf.variable(tf.zeros([2, 1]));
    compiled = compileStep(tf, {
      shared: { matrix },
      stepwise: { rows: { shape: [2], dtype: 'int32' } },
      state: [weights],
      step: (shared, { rows }) => {
        const batch = tf.gather(shared.matrix as Tensor, rows as never);
        const { grads } = tf.variableGrads(
          () => tf.sum(tf.matMul(batch as never, weights as never)) as never,
          [weights],
        );
        weights.assign(tf.sub(weights, grads[weights.name] as Tensor));
        return {};
      },
    });
    compiled.run({ rows: Int32Array.of(0, 1, 2, 2) }, 2);
    // -(rows 0 + 1), then -(rows 2 + 2)
    expect([...weights.dataSync()]).toEqual([-(1 + 3) - 10, -(2 + 4) - 12]);
    matrix.dispose();
  });

  it('leaves no tensor, no graph and no file behind', () => {
    const binding = nativeBackend(tf)?.binding;
    const folder = mkdtempSync(path.join(tmpdir(), 'consilium-test-'));
    vi.stubEnv('TMPDIR', folder);
    const state = variable(1);
    const tensorsBefore = tf.memory().numTensors;
    const graphsBefore = binding?.getNumOfSavedModels();
    for (let time = 0; time < 3; time += 1) {
      const one = compileStep(tf, define(state, multiply(state)));
      one.run({ factor: Float32Array.of(1, 1) }, 2);
      one.run({ factor: Float32Array.of(1) }, 1);
      one.dispose();
      one.dispose();
    }
    vi.unstubAllEnvs();
    expect(tf.memory().numTensors).toBe(tensorsBefore);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
    expect(binding?.getNumOfSavedModels()).toBe(graphsBefore);
  });

  it('refuses inputs of another size than it was recorded with', () => {
    const state = variable(1);
    compiled = compileStep(tf, define(state, multiply(state)));
    expect(() => compiled?.run({ factor: Float32Array.of(1) }, 2)).toThrow(/factor/);
  });
});

const outside = { tensor: tf.scalar(2) };

/** What would be frozen into a graph, or cannot be in one. */
const unrecordable: readonly (readonly [string, (state: Variable) => TrainingStep])[] = [
  [
    'reads a value',
    (state) => () => {
      state.assign(tf.mul(state, state.dataSync()[0] ?? 0));
      return {};
    },
  ],
  [
    'reads an input that is still in JavaScript',
    (state) =>
      (_, { factor }) => {
        state.assign(tf.mul(state, (factor as Tensor).dataSync()[0] ?? 0));
        return {};
      },
  ],
  [
    'draws noise',
    (state) => () => {
      state.assign(tf.add(state, tf.randomNormal([])));
      return {};
    },
  ],
  [
    'draws a dropout mask',
    (state) => () => {
      state.assign(tf.sum(tf.dropout(tf.fill([64], 1), 0.5)) as Tensor);
      return {};
    },
  ],
  [
    'counts its calls',
    (state) => {
      let calls = 0;
      return () => {
        calls += 1;
        state.assign(tf.div(state, calls));
        return {};
      };
    },
  ],
  [
    'does one thing the first time and another the second',
    (state) => {
      let isFirst = true;
      return () => {
        state.assign(isFirst ? tf.square(state) : tf.sqrt(state));
        isFirst = false;
        return {};
      };
    },
  ],
  [
    'uses a tensor from outside',
    (state) => () => {
      state.assign(tf.mul(state, outside.tensor));
      return {};
    },
  ],
  [
    'works on words',
    (state) => () => {
      const isEqual = tf.equal(tf.tensor1d(['a', 'b']), tf.tensor1d(['a', 'c']));
      state.assign(tf.mul(state, tf.sum(tf.cast(isEqual, 'float32'))));
      return {};
    },
  ],
];

describe.skipIf(!isNative)('a step that is no function of its inputs', () => {
  it.each(unrecordable)('is refused when it %s, and the state is as before', (_, makeStep) => {
    const state = variable(3);
    const before = tf.memory().numTensors;
    expect(() => compileStep(tf, define(state, makeStep(state)))).toThrow(
      expect.objectContaining({ code: 'TRAINING_STEP_NOT_RECORDABLE' }),
    );
    expect(readScalar(state)).toBe(3);
    expect(tf.memory().numTensors).toBe(before);
    // The engine computes again.
    expect(readScalar(tf.tidy(() => tf.square(tf.scalar(4))))).toBe(16);
  });
});

describe.skipIf(!isNative)('an engine that does not load a graph', () => {
  it('is told from one that does before any step is taken', () => {
    const backend = nativeBackend(tf) as NativeBackend;
    const { binding } = backend;
    const folders: string[] = [];
    const modes: number[] = [];
    const loadSavedModel = (folder: string) => {
      folders.push(folder);
      modes.push(statSync(folder).mode & 0o777);
      throw new Error('Op type not registered');
    };
    backend.binding = Object.create(binding, { loadSavedModel: { value: loadSavedModel } }) as NativeBinding;
    const state = variable(3);
    try {
      expect(() => compileStep(tf, define(state, multiply(state)))).toThrow(
        expect.objectContaining({ code: 'TRAINING_STEP_NOT_RECORDABLE' }),
      );
    } finally {
      backend.binding = binding;
    }
    expect(folders.map((folder) => existsSync(folder))).toEqual([false]);
    expect(modes).toEqual([0o700]);
    expect(readScalar(state)).toBe(3);
  });
});

describe('another engine', () => {
  it('has no graphs', () => {
    const other = { getBackend: () => 'wasm' } as unknown as TensorFlow;
    const state = variable(1);
    expect(() => compileStep(other, define(state, multiply(state)))).toThrow(
      expect.objectContaining({ code: 'TRAINING_STEP_NOT_RECORDABLE' }),
    );
  });

  it('of native TensorFlow without one of the calls has none either', () => {
    const bare = {
      getBackend: () => 'tensorflow',
      backend: () => ({ binding: {} }),
    } as unknown as TensorFlow;
    expect(nativeBackend(bare)).toBeNull();
  });
});
