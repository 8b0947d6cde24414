// Which engine trains a model: CUDA, else a real GPU through WebGPU where it beats the processor on that very model, else native TensorFlow,
// else WebAssembly. Never the pure JavaScript engine, some of whose gradients are wrong (docs/training.md).
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import type { TensorFlow } from '#site/model/index.ts';
import type { EngineInfo } from '#site/ports.ts';
import type { Engine } from './engine.ts';
import { timeStep } from './time-step.ts';
import { loadWebgpu, type WebgpuEngine } from './webgpu-engine.ts';

export interface EngineLadder {
  /** The processor's, or CUDA. */
  readonly info: EngineInfo;
  /**
   * The engine for such a model, chosen in the process: what runs next runs on it. The same one for the same model; steps with
   * differential privacy run on the processor, whose sums are read between engine and noise.
   */
  engineFor(model: ModelSpecification, needs?: { readonly isPrivate: boolean }): Promise<Engine>;
}

export interface EngineLadderOptions {
  readonly engine: Engine;
  /** Looks for the GPU; asked once, and not at all where CUDA computes or a person chose an engine. */
  readonly loadGpu?: (tf: TensorFlow) => Promise<WebgpuEngine>;
  /** Milliseconds of a step on the engine that is chosen. */
  readonly timeSteps?: (tf: TensorFlow, model: ModelSpecification) => Promise<number>;
}

export async function openEngineLadder(options: EngineLadderOptions): Promise<EngineLadder> {
  const { engine, loadGpu = loadWebgpu, timeSteps = timeStep } = options;
  const { tf, info } = engine;
  const own = tf.getBackend();
  const gpu = info.passedOver.some(({ engine: name }) => name === 'webgpu')
    ? null
    : await offeredGpu(engine, loadGpu);
  const choices = new Map<string, EngineInfo>();

  const choose = async (model: ModelSpecification): Promise<EngineInfo> => {
    if (gpu === null || 'why' in gpu) return withPassedOver(info, gpu?.why);
    await tf.setBackend(own);
    const onProcessor = await timeSteps(tf, model);
    await tf.setBackend('webgpu');
    const onGpu = await timeSteps(tf, model).catch(() => Number.POSITIVE_INFINITY);
    const milliseconds = (time: number) => (Number.isFinite(time) ? `${time.toFixed(2)} ms` : 'a failure');
    const reason = `a step of this model takes ${milliseconds(onGpu)} on the GPU and ${milliseconds(onProcessor)} on the processor`;
    if (onGpu >= onProcessor) return withPassedOver(info, reason);
    const passedOver = info.passedOver.filter(({ engine: name }) => name === 'cuda');
    return { ...gpu.info, reason, passedOver };
  };
  return {
    info: withPassedOver(
      info,
      gpu === null ? undefined : 'why' in gpu ? gpu.why : 'it is tried with the first model',
    ),
    engineFor: async (model, { isPrivate } = { isPrivate: false }) => {
      if (isPrivate) {
        await tf.setBackend(own);
        return { tf, info: withPassedOver(info, 'steps with differential privacy run on the processor') };
      }
      const key = JSON.stringify(model);
      const chosen = choices.get(key) ?? (await choose(model));
      choices.set(key, chosen);
      await tf.setBackend(chosen.name === 'webgpu' ? 'webgpu' : own);
      return { tf, info: chosen };
    },
  };
}

/** Null where nothing is looked for: CUDA is better, and a person may have chosen an engine. */
async function offeredGpu({ tf, info }: Engine, loadGpu: (tf: TensorFlow) => Promise<WebgpuEngine>) {
  return info.device === 'CPU' ? loadGpu(tf) : null;
}

function withPassedOver(info: EngineInfo, why: string | undefined): EngineInfo {
  if (why === undefined) return info;
  const order = ['cuda', 'webgpu', 'tensorflow'];
  const passedOver = [...info.passedOver, { engine: 'webgpu' as const, why }];
  return {
    ...info,
    passedOver: passedOver.sort((a, b) => order.indexOf(a.engine) - order.indexOf(b.engine)),
  };
}
