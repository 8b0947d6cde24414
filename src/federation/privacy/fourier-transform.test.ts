import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createFourierTransform } from '#federation/privacy/fourier-transform.ts';

function draw(size: number) {
  const stream = createKeystream(new Uint8Array(32).fill(size % 251));
  const real = Float64Array.from({ length: size }, () => stream.nextDouble() - 0.5);
  return { real, imaginary: real.map(() => stream.nextDouble() - 0.5) };
}

describe('a Fourier transform', () => {
  it.each([1, 2, 4, 8, 64])('of %d numbers is the sum of its definition', (size) => {
    const numbers = draw(size);
    const expected = Array.from({ length: size }, (_value, frequency) => {
      let [real, imaginary] = [0, 0];
      for (let index = 0; index < size; index += 1) {
        const angle = (-2 * Math.PI * index * frequency) / size;
        const [re, im] = [numbers.real[index] ?? 0, numbers.imaginary[index] ?? 0];
        real += re * Math.cos(angle) - im * Math.sin(angle);
        imaginary += re * Math.sin(angle) + im * Math.cos(angle);
      }
      return [real, imaginary] as const;
    });
    createFourierTransform(size).forward(numbers);
    for (const [index, [real, imaginary]] of expected.entries()) {
      expect(numbers.real[index]).toBeCloseTo(real, 12);
      expect(numbers.imaginary[index]).toBeCloseTo(imaginary, 12);
    }
  });

  it('is undone by its inverse to the error that the PLD accountant allows for', () => {
    const size = 2 ** 17;
    const numbers = draw(size);
    const before = { real: numbers.real.slice(), imaginary: numbers.imaginary.slice() };
    const transform = createFourierTransform(size);
    transform.forward(numbers);
    transform.inverse(numbers);
    let worst = 0;
    for (let index = 0; index < size; index += 1) {
      worst = Math.max(
        worst,
        Math.abs((numbers.real[index] ?? 0) - (before.real[index] ?? 0)),
        Math.abs((numbers.imaginary[index] ?? 0) - (before.imaginary[index] ?? 0)),
      );
    }
    expect(worst).toBeLessThan(1e-14);
  });

  it('refuses a size that is no power of two', () => {
    expect(() => createFourierTransform(12)).toThrow(expect.objectContaining({ code: 'BUG' }));
  });
});
