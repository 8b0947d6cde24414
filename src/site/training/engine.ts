// The engine of the processor: native TensorFlow where it is set up (on a CUDA GPU where its libraries find one), else WebAssembly.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import util from 'node:util';
import { registerFilterGradient, type TensorFlow } from '#site/model/index.ts';
import type { EngineInfo, PassedOverEngine } from '#site/ports.ts';
import { installNativeKernels } from './graph/native-kernels.ts';

export interface Engine {
  readonly tf: TensorFlow;
  readonly info: EngineInfo;
}

// Not called `require`: the bundler puts a constant of that name into the entry.
const requirePackage = createRequire(import.meta.url);

const asked = 'TFJS_NATIVE=wasm asks for WebAssembly';
const notSetUp = 'native TensorFlow is not set up here (npm run setup:tensorflow)';

/** `wanted` is the value of TFJS_NATIVE; `wasm` leaves native TensorFlow and GPUs alone. */
export async function loadEngine(wanted: string | undefined): Promise<Engine> {
  if (wanted === 'wasm') return loadWasm(asked, ['cuda', 'webgpu', 'tensorflow']);
  return loadNative() ?? loadWasm(notSetUp, ['cuda', 'tensorflow']);
}

function loadNative(): Engine | null {
  // tfjs-node 4.22 calls two functions that Node removed from util in version 23.
  const removed = {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  };
  for (const [name, replacement] of Object.entries(removed)) {
    if (!(name in util)) Object.assign(util, { [name]: replacement });
  }
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    const tf: TensorFlow = requirePackage('@tensorflow/tfjs-node');
    installNativeKernels(tf);
    const { binding, isUsingGpuDevice } = tf.backend() as unknown as NativeDevice;
    const version = binding.TF_Version;
    const reason = `native TensorFlow ${version} is set up on this machine`;
    const info = { name: 'tensorflow', version, reason } as const;
    if (isUsingGpuDevice) return { tf, info: { ...info, device: 'GPU (CUDA)', passedOver: [] } };
    return { tf, info: { ...info, device: 'CPU', passedOver: [{ engine: 'cuda', why: whyNotCuda() }] } };
  } catch {
    return null; // absent, for another platform, or without its shared objects: all mean that WebAssembly computes
  }
}

interface NativeDevice {
  readonly binding: { readonly TF_Version: string };
  /** Whether TensorFlow listed a GPU among its devices, which it then computes on. */
  readonly isUsingGpuDevice: boolean;
}

/** TensorFlow lists a GPU only when it was built for CUDA and finds NVIDIA's libraries. */
function whyNotCuda(): string {
  if (!existsSync('/proc/driver/nvidia/version') && !existsSync('/dev/nvidiactl'))
    return 'there is no NVIDIA GPU with a driver';
  return 'an NVIDIA GPU is here, but TensorFlow was not built for CUDA or does not find its libraries (LD_LIBRARY_PATH)';
}

async function loadWasm(why: string, passed: readonly PassedOverEngine['engine'][]): Promise<Engine> {
  // The gradients come with the union package, which tfjs-node brings; both share one core.
  const tf: TensorFlow = createRequire(requirePackage.resolve('@tensorflow/tfjs-node/package.json'))(
    '@tensorflow/tfjs',
  );
  const backend: { version_wasm: string } = requirePackage('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  await tf.ready();
  registerFilterGradient(tf, 'wasm');
  const passedOver = passed.map((engine) => ({ engine, why }));
  const version = backend.version_wasm;
  return { tf, info: { name: 'wasm', version, device: 'CPU', reason: why, passedOver } };
}
