import { describe, expect, it } from 'vitest';
import { sampleModel } from '#support/model-samples.ts';
import { loadEngine } from './engine.ts';
import { openEngineLadder } from './engine-ladder.ts';
import { isSoftwareAdapter, type WebgpuEngine } from './webgpu-engine.ts';

const wasm = await loadEngine('wasm');
const model = sampleModel('mlp');

/** A ladder over an engine of the processor and a GPU that takes so many milliseconds for a step. */
function open({ gpuMs, device = 'CPU' }: { gpuMs: number | Error; device?: string }) {
  const set: string[] = [];
  const timed: string[] = [];
  const tf = {
    getBackend: () => 'tensorflow',
    setBackend: async (name: string) => set.push(name) > 0,
  } as unknown as typeof wasm.tf;
  const passedOver = device === 'CPU' ? [{ engine: 'cuda' as const, why: 'none' }] : [];
  const info = { name: 'tensorflow' as const, version: '2', device, reason: 'a test', passedOver };
  const gpu = { tf, info: { name: 'webgpu', version: '4', device: 'Acme GPU' } } as WebgpuEngine;
  const ladder = openEngineLadder({
    engine: { tf, info },
    loadGpu: async () => gpu,
    timeSteps: async () => {
      const name = set.at(-1) ?? '';
      timed.push(name);
      if (name !== 'webgpu') return 10;
      if (gpuMs instanceof Error) throw gpuMs;
      return gpuMs;
    },
  });
  return { ladder, set, timed };
}

describe('the ladder of engines', () => {
  it('takes the GPU where it beats the processor on the very model, and says by how much', async () => {
    const { ladder, set } = open({ gpuMs: 2 });
    const { info } = await (await ladder).engineFor(model);
    expect(info).toMatchObject({ name: 'webgpu', device: 'Acme GPU', passedOver: [{ engine: 'cuda' }] });
    expect(info.reason).toContain('2.00 ms on the GPU and 10.00 ms on the processor');
    expect(set.at(-1)).toBe('webgpu');
  });

  it.each([
    ['is slower', 30, '30.00 ms'],
    ['is no faster', 10, '10.00 ms'],
    ['fails', new Error('device lost'), 'a failure'],
  ])('stays on the processor where the GPU %s', async (_, gpuMs, why) => {
    const { ladder, set } = open({ gpuMs });
    const { info } = await (await ladder).engineFor(model);
    expect(info).toMatchObject({
      name: 'tensorflow',
      passedOver: [{ engine: 'cuda' }, { engine: 'webgpu' }],
    });
    expect(info.passedOver[1]?.why).toContain(why);
    expect(set.at(-1)).toBe('tensorflow');
  });

  it('tries a model once, and another one anew', async () => {
    const { ladder, timed } = open({ gpuMs: 2 });
    const opened = await ladder;
    await opened.engineFor(model);
    await opened.engineFor(model);
    expect(timed).toHaveLength(2);
    await opened.engineFor(sampleModel('cox'));
    expect(timed).toHaveLength(4);
  });

  it('stays on CUDA without a trial', async () => {
    const { ladder, timed } = open({ gpuMs: 0.1, device: 'GPU (CUDA)' });
    const { info } = await (await ladder).engineFor(model);
    expect(info).toMatchObject({ device: 'GPU (CUDA)', passedOver: [] });
    expect(timed).toEqual([]);
  });

  it('leaves GPUs alone where a person asked for WebAssembly, and says so of each better engine', async () => {
    const loadGpu = async () => {
      throw new Error('a GPU was looked for');
    };
    const { info } = await openEngineLadder({ engine: wasm, loadGpu });
    expect(info.passedOver.map(({ engine }) => engine)).toEqual(['cuda', 'webgpu', 'tensorflow']);
    expect(info.passedOver[0]?.why).toContain('TFJS_NATIVE=wasm');
  });

  it('gives a calibration a time on a real engine', async () => {
    const gpu = { why: 'there is none' };
    const opened = await openEngineLadder({ engine: await loadEngine(undefined), loadGpu: async () => gpu });
    const { info } = await opened.engineFor(model);
    expect(info.name).not.toBe('webgpu');
    const { timeStep } = await import('./time-step.ts');
    for (const kind of ['mlp', 'cox', 'cnn-2d', 'unet-2d'] as const) {
      const before = wasm.tf.memory().numTensors;
      expect(await timeStep(wasm.tf, sampleModel(kind))).toBeGreaterThan(0);
      expect(wasm.tf.memory().numTensors).toBe(before);
    }
  });
});

describe('a software adapter', () => {
  const none = { vendor: '', architecture: '', device: '', description: '' };
  it.each([
    [{ ...none, vendor: 'google', architecture: 'swiftshader' }, true],
    [{ ...none, description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }, true],
    [{ ...none, description: 'Microsoft Basic Render Driver' }, true],
    [{ ...none, description: 'an adapter', isFallbackAdapter: true }, true],
    [{ ...none, vendor: 'nvidia', architecture: 'ampere', description: 'NVIDIA RTX A2000' }, false],
    [{ ...none, vendor: 'intel', architecture: 'gen-12lp', isFallbackAdapter: false }, false],
    [{ ...none, vendor: 'amd', architecture: 'rdna-2', description: 'AMD Radeon Pro W6600' }, false],
    [{ ...none, vendor: 'apple', architecture: 'apple-m2' }, false],
  ])('is known by its names: %o is one: %s', (info, expected) => {
    expect(isSoftwareAdapter(info)).toBe(expected);
  });
});
