// The part of TensorFlow.js that every engine has. A type only: the library is loaded in the training process and nowhere else.
type Native = typeof import('@tensorflow/tfjs-node');

export type TensorFlow = Omit<Native, 'node' | 'io' | 'version'>;
export type {
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  Variable,
} from '@tensorflow/tfjs-node';
