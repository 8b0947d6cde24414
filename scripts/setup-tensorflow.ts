// Puts native TensorFlow behind @tensorflow/tfjs-node, whose own install script does not run (.npmrc). Safe to run twice at once.
// Order: already works, official download, Python wheel, and else training uses WASM. TFJS_NATIVE=wheel|wasm picks one,
// TFJS_TF_WHEEL names a local wheel, TFJS_NATIVE_CACHE the folder for what is built. --optional: a failure is no error.
import os from 'node:os';
import path from 'node:path';
import { findNativePackage, nativeVersion } from './tensorflow/native-package.ts';
import { installOfficialBuild } from './tensorflow/official-build.ts';
import { withLock } from './tensorflow/process-lock.ts';
import { installWheelBuild } from './tensorflow/wheel-build.ts';

const startedAt = performance.now();
const wanted = process.env.TFJS_NATIVE;
const optional = process.argv.includes('--optional');

function log(message: string): void {
  console.log(`TensorFlow (${((performance.now() - startedAt) / 1000).toFixed(1)} s): ${message}`);
}

/** The default cache is shared by all checkouts of this account. */
function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  return process.env.TFJS_NATIVE_CACHE ?? path.join(base, 'consilium-tensorflow');
}

/** Null when native TensorFlow works now, else why it does not. */
async function setUp(): Promise<string | null> {
  const nativePackage = findNativePackage();
  const already = nativeVersion(nativePackage);
  if (already !== null) {
    log(`native TensorFlow ${already} works already`);
    return null;
  }
  const cache = cacheFolder();
  const reasons: string[] = [];
  const wheelOptions = {
    cache,
    wheelFile: process.env.TFJS_TF_WHEEL,
    compiler: process.env.CXX ?? 'g++',
    nodeHeaders: process.env.NODE_INCLUDE,
    log,
  };
  const ways = [
    { name: 'official build', install: () => installOfficialBuild(nativePackage) },
    { name: 'Python wheel', install: () => installWheelBuild(nativePackage, wheelOptions) },
  ].slice(wanted === 'wheel' || wheelOptions.wheelFile !== undefined ? 1 : 0);
  return withLock(
    path.join(cache, 'lock'),
    () => log('another run is setting it up; waiting'),
    async () => {
      const meanwhile = nativeVersion(nativePackage);
      if (meanwhile !== null) return null;
      for (const way of ways) {
        const failure = await way.install();
        const version = failure === null ? nativeVersion(nativePackage) : null;
        if (version !== null) {
          log(`native TensorFlow ${version} is ready (${way.name})`);
          return null;
        }
        reasons.push(failure ?? `the ${way.name} was installed but does not compute here`);
      }
      return reasons.join('; ');
    },
  );
}

if (wanted === 'wasm') log('TFJS_NATIVE=wasm: nothing to set up, training uses WASM');
else if (wanted !== undefined && wanted !== 'wheel') {
  console.error(`TFJS_NATIVE must be "wheel" or "wasm", not "${wanted}"`);
  process.exitCode = 2;
} else {
  const failure = await setUp().catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  if (failure !== null) {
    console.error(`TENSORFLOW_NOT_SET_UP: training uses WASM, which is slower, because ${failure}.`);
    process.exitCode = optional ? 0 : 1;
  }
}
