import { expect, it } from 'vitest';
import { encodeColourJpeg } from '#support/compressed-object.ts';
import { decodeWithCodec, heldHeapBytes } from './wasm-codec.ts';

it('a decoder that grew beyond what it may hold is let go, and loaded anew for the next frame', async () => {
  const stream = await encodeColourJpeg(new Uint8Array(16 * 24 * 3).fill(90), 16, 24);
  const first = await decodeWithCodec('libjpeg-turbo', stream);
  expect(await heldHeapBytes()).toBeGreaterThan(0);
  const second = await decodeWithCodec('libjpeg-turbo', stream, 0);
  expect(await heldHeapBytes()).toBe(0);
  expect(second).toEqual(first);
  expect(await decodeWithCodec('libjpeg-turbo', stream)).toEqual(first);
});
