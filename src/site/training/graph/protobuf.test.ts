import { describe, expect, it } from 'vitest';
import { bytesField, floatField, integerField, packedField } from './protobuf.ts';

/** The examples of protobuf.dev, "Encoding", and others by its rules. */
const encodings: readonly (readonly [string, Uint8Array, string])[] = [
  ['an integer', integerField(1, 150), '089601'],
  ['zero', integerField(2, 0), '1000'],
  ['a negative integer in ten bytes', integerField(1, -2), '08feffffffffffffffff01'],
  ['a truth value', integerField(5, true), '2801'],
  ['a field number above 15', integerField(16, 1), '800101'],
  ['a text', bytesField(2, 'testing'), '120774657374696e67'],
  ['a nested message', bytesField(3, integerField(1, 150)), '1a03089601'],
  ['a long text', bytesField(1, 'a'.repeat(200)).subarray(0, 4), '0ac80161'],
  ['a float', floatField(4, 1.5), '250000c03f'],
  ['a packed list', packedField(6, [3, 270, 86942]), '3206038e029ea705'],
];

describe('protocol buffers', () => {
  it.each(encodings)('hold %s', (_, message, expected) => {
    expect(Buffer.from(message).toString('hex')).toBe(expected);
  });
});
