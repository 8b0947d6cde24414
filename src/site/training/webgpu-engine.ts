// The GPU of the workstation, whoever made it, through Dawn (Vulkan, Direct3D 12, Metal). An adapter that is a processor in disguise is
// refused: it computes the same and is hundreds of times slower.
import { createRequire } from 'node:module';
import type { TensorFlow } from '#site/model/index.ts';
import type { EngineInfo } from '#site/ports.ts';

/** Of GPUAdapterInfo (WebGPU, section 4.3), what is looked at. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

export type WebgpuEngine =
  | { readonly tf: TensorFlow; readonly info: Pick<EngineInfo, 'name' | 'version' | 'device'> }
  | { readonly why: string };

interface Dawn {
  create(flags: readonly string[]): {
    requestAdapter(options: object): Promise<{ readonly info: AdapterInfo } | null>;
  };
  readonly globals: object;
}

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp\b|software/i;

/** Whether a processor stands behind the adapter: SwiftShader, lavapipe, llvmpipe, WARP. */
export function isSoftwareAdapter({ isFallbackAdapter, ...names }: AdapterInfo): boolean {
  return isFallbackAdapter === true || softwareNames.test(Object.values(names).join(' '));
}

/** Adds the WebGPU engine to `tf` without choosing it, or says why there is none. @param allowsSoftware for tests alone */
export async function loadWebgpu(tf: TensorFlow, allowsSoftware = false): Promise<WebgpuEngine> {
  let dawn: Dawn;
  try {
    dawn = (await import('webgpu')) as unknown as Dawn;
  } catch {
    return { why: 'its library (Dawn) does not load on this system' };
  }
  const gpu = dawn.create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (adapter === null) return { why: 'there is no GPU, or no driver that Dawn can use' };
  const { info } = adapter;
  const device = nameOf(info);
  if (isSoftwareAdapter(info) && !allowsSoftware) return { why: `${device} is a program, not a GPU` };
  // The backend looks for both as in a browser.
  Object.assign(globalThis, dawn.globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  const requirePackage = createRequire(import.meta.url);
  const { version_webgpu: version }: { version_webgpu?: string } = requirePackage(
    '@tensorflow/tfjs-backend-webgpu',
  );
  const before = tf.getBackend();
  try {
    if (!(await tf.setBackend('webgpu'))) return { why: `${device} does not start` };
    return { tf, info: { name: 'webgpu', version: version ?? '4.22.0', device } };
  } catch {
    return { why: `${device} does not start` };
  } finally {
    await tf.setBackend(before);
  }
}

function nameOf({ vendor, architecture, device, description }: AdapterInfo): string {
  return (
    description ||
    [vendor, architecture, device].filter((part) => part !== '').join(' ') ||
    'a GPU without a name'
  );
}
