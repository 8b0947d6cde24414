// Picks the engine of the training process: native TensorFlow where it is set up, else WebAssembly, and says why.
import { createRequire } from 'node:module';
import util from 'node:util';
import type { TensorFlow } from '#site/model/index.ts';
import type { EngineInfo } from '#site/ports.ts';
import { installNativeKernels } from './graph/native-kernels.ts';

export interface Engine {
  readonly tf: TensorFlow;
  readonly info: EngineInfo;
}

// Not called `require`: the bundler puts a constant of that name into the entry.
const requirePackage = createRequire(import.meta.url);

/** `wanted` is the value of TFJS_NATIVE; `wasm` leaves native TensorFlow alone. */
export async function loadEngine(wanted: string | undefined): Promise<Engine> {
  if (wanted === 'wasm') return loadWasm('TFJS_NATIVE=wasm asks for WebAssembly');
  const native = loadNative();
  return native ?? loadWasm('native TensorFlow is not set up here (npm run setup:tensorflow)');
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
    const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } };
    const version = binding.TF_Version;
    return {
      tf,
      info: { name: 'tensorflow', version, reason: `native TensorFlow ${version} is set up on this machine` },
    };
  } catch {
    return null; // absent, for another platform, or without its shared objects: all mean that WebAssembly computes
  }
}

async function loadWasm(reason: string): Promise<Engine> {
  // The gradients come with the union package, which tfjs-node brings; both share one core.
  const tf: TensorFlow = createRequire(requirePackage.resolve('@tensorflow/tfjs-node/package.json'))(
    '@tensorflow/tfjs',
  );
  const backend: { version_wasm: string } = requirePackage('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  await tf.ready();
  return { tf, info: { name: 'wasm', version: backend.version_wasm, reason } };
}
