// Discrete Fourier transform of 2^k complex numbers, in place (Cooley and Tukey 1965, radix 2, decimation in time).
import { BugError } from '#base/coded-error.ts';

export interface ComplexNumbers {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

export interface FourierTransform {
  /** X[k] = Σ x[j] e^(−2πi jk/n) */
  forward(numbers: ComplexNumbers): void;
  /** x[j] = 1/n Σ X[k] e^(2πi jk/n) */
  inverse(numbers: ComplexNumbers): void;
}

/** @param size a power of two; its table of roots is made once */
export function createFourierTransform(size: number): FourierTransform {
  if (!Number.isInteger(Math.log2(size))) throw new BugError('a transform has a power of two as its size');
  const cosine = Float64Array.from({ length: size / 2 }, (_value, index) =>
    Math.cos((2 * Math.PI * index) / size),
  );
  const sine = Float64Array.from({ length: size / 2 }, (_value, index) =>
    Math.sin((2 * Math.PI * index) / size),
  );

  function forward({ real, imaginary }: ComplexNumbers): void {
    reverseBits(real, imaginary);
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let offset = 0; offset < half; offset += 1) {
          const low = start + offset;
          const high = low + half;
          const rootReal = cosine[offset * stride] as number;
          const rootImaginary = -(sine[offset * stride] as number);
          const highReal = real[high] as number;
          const highImaginary = imaginary[high] as number;
          const turnedReal = highReal * rootReal - highImaginary * rootImaginary;
          const turnedImaginary = highReal * rootImaginary + highImaginary * rootReal;
          real[high] = (real[low] as number) - turnedReal;
          imaginary[high] = (imaginary[low] as number) - turnedImaginary;
          real[low] = (real[low] as number) + turnedReal;
          imaginary[low] = (imaginary[low] as number) + turnedImaginary;
        }
      }
    }
  }

  function inverse({ real, imaginary }: ComplexNumbers): void {
    // With real and imaginary parts exchanged, forward is the inverse times n.
    forward({ real: imaginary, imaginary: real });
    for (let index = 0; index < size; index += 1) {
      real[index] = (real[index] as number) / size;
      imaginary[index] = (imaginary[index] as number) / size;
    }
  }

  return { forward, inverse };
}

function reverseBits(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  for (let index = 1, reversed = 0; index < size; index += 1) {
    let bit = size >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (index >= reversed) continue;
    [real[index], real[reversed]] = [real[reversed] as number, real[index] as number];
    [imaginary[index], imaginary[reversed]] = [imaginary[reversed] as number, imaginary[index] as number];
  }
}
