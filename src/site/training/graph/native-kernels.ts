// TensorFlow's own kernels where tfjs-node composes several or takes a slower one. They serve graphs and eager steps alike, so that both
// compute the same. First-order gradients only.
import type { KernelFunc, Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '#site/model/index.ts';
import { adamKernelName, runAdam } from './adam-kernel.ts';
import { execute, executeAll } from './execute-operation.ts';
import { dataTypes } from './graph-definition.ts';
import { type NativeBackend, nativeBackend } from './native-backend.ts';

/** Replaces kernels and gradients of the engine, once; does nothing where native TensorFlow is not the engine. */
export function installNativeKernels(tf: TensorFlow): void {
  const backend = nativeBackend(tf);
  if (backend === null || tf.getKernel(adamKernelName, 'tensorflow') !== undefined) return;
  replaceReluGradient(tf, backend);
  replaceMatrixProduct(tf, backend);
  replaceGather(tf, backend);
  replaceBatchNormGradient(tf, backend);
  tf.registerKernel({
    kernelName: adamKernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) => runAdam(backend, inputs, attrs),
  });
}

/** tf.js multiplies by a step function of four kernels. The output says where x is above 0, so x need not be kept. */
function replaceReluGradient(tf: TensorFlow, backend: NativeBackend): void {
  tf.registerGradient({
    kernelName: tf.Relu,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () => execute(backend, { operation: 'ReluGrad', inputs: [dy as Tensor, y as Tensor] }),
    }),
  });
}

/** tfjs-node takes the batched product for plain matrices too; TensorFlow fuses bias and activation into the plain one only. */
function replaceMatrixProduct(tf: TensorFlow, backend: NativeBackend): void {
  const batched = replaceKernel(tf, tf.BatchMatMul, (call) => {
    const { a, b } = call.inputs as { a: Tensor; b: Tensor };
    if (a.shape.length > 2 || b.shape.length > 2) return batched(call);
    const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
    const { TF_ATTR_BOOL } = backend.binding;
    const attributes = [
      { name: 'transpose_a', type: TF_ATTR_BOOL, value: transposeA },
      { name: 'transpose_b', type: TF_ATTR_BOOL, value: transposeB },
    ];
    return execute(backend, { operation: 'MatMul', inputs: [a, b], attributes });
  });
}

/** tfjs-node reads the row numbers to check them, which no recorded step may do; TensorFlow checks them itself. */
function replaceGather(tf: TensorFlow, backend: NativeBackend): void {
  replaceKernel(tf, tf.GatherV2, ({ inputs, attrs }) => {
    const { x, indices } = inputs as { x: Tensor; indices: Tensor };
    const { axis, batchDims } = attrs as { axis: number; batchDims: number };
    const { TF_ATTR_INT, TF_ATTR_TYPE } = backend.binding;
    return tf.tidy(() =>
      execute(backend, {
        operation: 'GatherV2',
        inputs: [x, indices, tf.scalar(axis, 'int32')],
        typeName: 'Tparams',
        attributes: [
          { name: 'batch_dims', type: TF_ATTR_INT, value: batchDims },
          { name: 'Tindices', type: TF_ATTR_TYPE, value: dataTypes.int32 },
          { name: 'Taxis', type: TF_ATTR_TYPE, value: dataTypes.int32 },
        ],
      }),
    );
  });
}

function replaceKernel(tf: TensorFlow, kernelName: string, compute: KernelFunc): KernelFunc {
  const { kernelFunc, ...rest } = tf.getKernel(kernelName, 'tensorflow');
  tf.unregisterKernel(kernelName, 'tensorflow');
  tf.registerKernel({ ...rest, kernelFunc: compute });
  return kernelFunc;
}

/** y = (x - mean) / sqrt(variance + e) * scale + offset, with mean and variance as inputs that have gradients of their own. */
function replaceBatchNormGradient(tf: TensorFlow, backend: NativeBackend): void {
  const composed = tf.getGradient(tf.FusedBatchNorm);
  tf.registerGradient({
    ...composed,
    gradFunc: (dy, saved, attributes) => {
      const [x, mean, variance, scale] = saved as [Tensor, Tensor, Tensor, Tensor | undefined];
      if (mean.rank !== 1 || x.rank !== 4) return composed.gradFunc(dy, saved, attributes);
      const { varianceEpsilon } = attributes as { varianceEpsilon: number };
      const scales = scale ?? tf.onesLike(mean);
      const [dx, dScale, dOffset] = executeAll(backend, {
        operation: 'FusedBatchNormGradV3',
        inputs: [dy as Tensor, x, scales, mean, variance, variance],
        attributes: [
          { name: 'U', type: backend.binding.TF_ATTR_TYPE, value: dataTypes.float32 },
          { name: 'epsilon', type: backend.binding.TF_ATTR_FLOAT, value: varianceEpsilon },
          { name: 'data_format', type: backend.binding.TF_ATTR_STRING, value: 'NHWC' },
          { name: 'is_training', type: backend.binding.TF_ATTR_BOOL, value: false },
        ],
        outputCount: 5,
      }) as [Tensor, Tensor, Tensor];
      const weight = () => tf.mul(scales, tf.rsqrt(tf.add(variance, varianceEpsilon)));
      return {
        x: () => dx,
        mean: () => tf.neg(tf.mul(dOffset, weight())),
        variance: () => tf.mul(tf.mul(dScale, scales), tf.div(-0.5, tf.add(variance, varianceEpsilon))),
        scale: () => dScale,
        offset: () => dOffset,
      };
    },
  });
}
