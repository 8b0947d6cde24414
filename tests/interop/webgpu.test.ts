// WebGPU over software Vulkan (SwiftShader, which Debian's Chromium brings): the losses of the processor's engines, and never chosen.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const entry = fileURLToPath(new URL('../support/loss-curves-process.ts', import.meta.url));
const driver = process.env.VK_DRIVER_FILES ?? '/usr/lib/chromium/vk_swiftshader_icd.json';
const isHere = process.platform === 'linux' && existsSync(driver);
if (!isHere)
  process.stderr.write(
    'WebGPU is not tested: no software Vulkan driver (npm run setup:system installs one)\n',
  );

const kinds = ['mlp', 'cox', 'cnn-2d', 'unet-2d'];

interface Report {
  readonly device: string;
  readonly curves: Record<string, number[]>;
}

async function curvesOn(engine: string): Promise<Report> {
  const env = { ...process.env, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
  const { stdout } = await promisify(execFile)(process.execPath, [entry, engine, ...kinds], { env });
  return JSON.parse(stdout);
}

describe.skipIf(!isHere)('WebGPU', () => {
  it('trains each kind of model to the losses of the other engines, to three digits', {
    timeout: 300_000,
  }, async () => {
    const gpu = await curvesOn('webgpu');
    expect(gpu.device).toContain('SwiftShader');
    const wasm = await curvesOn('wasm');
    const native = await curvesOn('tensorflow').catch(() => null);
    if (native === null) process.stderr.write('not compared: native TensorFlow is not set up here\n');
    for (const kind of kinds) {
      const losses = gpu.curves[kind] ?? [];
      expect(losses).toHaveLength(10);
      expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
      for (const other of [wasm, native ?? wasm])
        for (const [step, loss] of losses.entries())
          expect(Math.abs(loss - (other.curves[kind]?.[step] ?? Number.NaN)) / loss).toBeLessThan(5e-4);
    }
  });

  it('is passed over by the training process where a program computes in the place of a GPU', {
    timeout: 60_000,
  }, async () => {
    process.env.VK_DRIVER_FILES = driver;
    process.env.VK_ICD_FILENAMES = driver;
    const { createTrainingHost, openForkedChannel } = await import('#site/training/index.ts');
    const host = createTrainingHost({ openChannel: openForkedChannel });
    const { name, passedOver } = await host.engine();
    await host.close();
    expect(name).not.toBe('webgpu');
    expect(passedOver.find(({ engine }) => engine === 'webgpu')?.why).toMatch(/is a program, not a GPU/);
  });
});
