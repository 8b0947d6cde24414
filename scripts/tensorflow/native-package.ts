// Where the pinned @tensorflow/tfjs-node lies, and whether its native addon computes. Asked in a child: a broken addon may end its process.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export interface NativePackage {
  readonly folder: string;
  readonly version: string;
  /** Where the addon is looked for, relative to `folder`. */
  readonly addonFile: string;
}

/** The installed package. @throws Error when `npm ci` was not run. */
export function findNativePackage(): NativePackage {
  const manifestFile = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json');
  const manifest: { version: string; binary: { napi_versions: number[] } } = JSON.parse(
    readFileSync(manifestFile, 'utf8'),
  );
  const napiVersion = Math.max(...manifest.binary.napi_versions);
  const addonFile = path.join('lib', `napi-v${napiVersion}`, 'tfjs_binding.node');
  return { folder: path.dirname(manifestFile), version: manifest.version, addonFile };
}

// A few steps of gradient descent on one line through four points: the loss must fall.
const trainABit = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const tf = require(process.env.CONSILIUM_CHECKED_PACKAGE);
const input = tf.tensor2d([0, 1, 2, 3], [4, 1]);
const target = tf.tensor2d([1, 3, 5, 7], [4, 1]);
const slope = tf.variable(tf.zeros([1, 1]));
const optimizer = tf.train.sgd(0.05);
const loss = () => tf.losses.meanSquaredError(target, tf.matMul(input, slope));
const before = loss().dataSync()[0];
for (let step = 0; step < 5; step += 1) optimizer.minimize(loss, false, [slope]);
const after = loss().dataSync()[0];
if (tf.getBackend() !== 'tensorflow' || !(after < before)) process.exit(1);
process.stdout.write(tf.backend().binding.TF_Version);
`;

/** The TensorFlow version behind the addon, or null when it is absent, does not load, or computes nonsense. */
export function nativeVersion(nativePackage: NativePackage): string | null {
  const child = spawnSync(process.execPath, ['-e', trainABit], {
    env: { ...process.env, CONSILIUM_CHECKED_PACKAGE: nativePackage.folder, TF_CPP_MIN_LOG_LEVEL: '2' },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: 60_000,
  });
  return child.status === 0 && child.stdout !== '' ? child.stdout : null;
}
