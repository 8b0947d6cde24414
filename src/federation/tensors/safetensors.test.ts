import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromUtf8, utf8 } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';

const limits = { maxBytes: 1 << 20 };

function file(
  header: string | Uint8Array,
  body: Uint8Array | number[] = [],
  statedLength?: bigint,
): Uint8Array {
  const bytes = typeof header === 'string' ? utf8(header) : header;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, statedLength ?? BigInt(bytes.length), true);
  return concatBytes(length, bytes, Uint8Array.from(body));
}

/** A header padded as the format asks, so that only the planted fault is one. */
function padded(header: string): string {
  return header.padEnd(Math.ceil(header.length / 8) * 8, ' ');
}

function float32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  for (const [index, value] of values.entries())
    new DataView(bytes.buffer).setFloat32(index * 4, value, true);
  return bytes;
}

const six: Tensor = { shape: [1, 2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) };

describe('the reference implementation', () => {
  // Known answers of huggingface/safetensors, safetensors/src/tensor.rs: test_serialization, test_empty, test_serialization_forced_alignement.
  it('writes one aligned tensor with the same bytes', () => {
    const bytes = encodeSafetensors(new Map([['attn.0', six]]));
    expect([...bytes.subarray(0, 8)]).toEqual([64, 0, 0, 0, 0, 0, 0, 0]);
    expect(fromUtf8(bytes.subarray(8, 72))).toBe(
      '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}',
    );
    expect([...bytes.subarray(72)]).toEqual([
      0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64,
    ]);
  });

  it('writes no tensor with the same bytes', () => {
    expect([...encodeSafetensors(new Map())]).toEqual([
      8, 0, 0, 0, 0, 0, 0, 0, 123, 125, 32, 32, 32, 32, 32, 32,
    ]);
  });

  it('pads the header with spaces to eight bytes', () => {
    const bytes = encodeSafetensors(new Map([['attn0', { ...six, shape: [1, 1, 2, 3] }]]));
    expect(bytes[0]).toBe(72);
    expect(fromUtf8(bytes.subarray(8, 80))).toBe(
      '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       ',
    );
  });

  it('puts wider values first and then goes by name', () => {
    const bytes = encodeSafetensors(
      new Map<string, Tensor>([
        ['b', { shape: [1], data: Float32Array.of(1) }],
        ['z', { shape: [1], data: Float64Array.of(1) }],
        ['a', { shape: [], data: Float32Array.of(1) }],
      ]),
    );
    expect(fromUtf8(bytes.subarray(8, 8 + (bytes[0] ?? 0))).trimEnd()).toBe(
      '{"z":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}',
    );
    expect([...parseSafetensors(bytes, limits).keys()]).toEqual(['a', 'b', 'z']);
  });
});

const one = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
const good = file(padded(one), float32(1));

/** security.md E16, line by line: file and the rule it must be refused by. */
const hostile: readonly (readonly [string, Uint8Array, string])[] = [
  ['nothing', new Uint8Array(0), 'cut off'],
  ['seven bytes', new Uint8Array(7), 'cut off'],
  ['a header longer than the file', file(padded(one), float32(1), 1000n), 'cut off'],
  ['a stated header of 100 MB and more', file('', [], 100_000_001n), 'header too large'],
  ['a stated header of 2^64 - 1', file('', [], 0xffffffffffffffffn), 'header too large'],
  ['no header', file(''), 'header not JSON'],
  ['a header that is not UTF-8', file(Uint8Array.of(0x7b, 0xff, 0x7d)), 'header not JSON'],
  ['a byte order mark', file(`\ufeff${padded(one)}`, float32(1)), 'header not JSON'],
  ['a list for a header', file('[]      '), 'header not an object'],
  ['null for a header', file('null    '), 'header not an object'],
  ['deep nesting', file(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), 'tensor description'],
  [
    'a key that stands twice',
    file(padded(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},${one.slice(1)}`), float32(1)),
    'header not in its one form',
  ],
  [
    'a field that stands twice',
    file(padded('{"a":{"dtype":"F64","dtype":"F32","shape":[1],"data_offsets":[0,4]}}'), float32(1)),
    'header not in its one form',
  ],
  [
    'an unknown field',
    file(padded('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"note":"x"}}'), float32(1)),
    'header not in its one form',
  ],
  ['spaces inside', file(padded(one.replace(':', ': ')), float32(1)), 'header not in its one form'],
  ['other padding', file(`${padded(one)}        `, float32(1)), 'header not in its one form'],
  [
    'an escaped name',
    file(padded(one.replace('"a"', '"\\u0061"')), float32(1)),
    'header not in its one form',
  ],
  [
    'a number in another form',
    file(padded(one.replace('[0,4]', '[0,4.0]')), float32(1)),
    'header not in its one form',
  ],
  [
    'names out of order',
    file(
      padded(
        '{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      ),
      float32(1, 2),
    ),
    'tensors out of order',
  ],
  ['metadata', file(padded('{"__metadata__":{"note":"hidden text"}}')), 'tensor name'],
  ['the name __proto__', file(padded(one.replace('"a"', '"__proto__"')), float32(1)), 'tensor name'],
  ['a path for a name', file(padded(one.replace('"a"', '"../a"')), float32(1)), 'tensor name'],
  ['an empty name', file(padded(one.replace('"a"', '""')), float32(1)), 'tensor name'],
  ['a very long name', file(padded(one.replace('"a"', `"${'a'.repeat(201)}"`)), float32(1)), 'tensor name'],
  ['no description', file(padded('{"a":null}')), 'tensor description'],
  ['dtype I64', file(padded(one.replace('F32', 'I64')), float32(1)), 'unknown dtype'],
  ['dtype f32', file(padded(one.replace('F32', 'f32')), float32(1)), 'unknown dtype'],
  ['no shape', file(padded('{"a":{"dtype":"F32","data_offsets":[0,4]}}'), float32(1)), 'shape'],
  ['a negative extent', file(padded(one.replace('[1]', '[-1]')), float32(1)), 'shape'],
  ['a fractional extent', file(padded(one.replace('[1]', '[0.5]')), float32(1)), 'shape'],
  ['an extent of 1e999', file(padded(one.replace('[1]', '[1e999]')), float32(1)), 'shape'],
  ['an extent of 2^53 + 1', file(padded(one.replace('[1]', '[9007199254740993]')), float32(1)), 'shape'],
  ['an extent as text', file(padded(one.replace('[1]', '["1"]')), float32(1)), 'shape'],
  ['nine dimensions', file(padded(one.replace('[1]', '[1,1,1,1,1,1,1,1,1]')), float32(1)), 'shape'],
  [
    'a shape larger than the length',
    file(padded(one.replace('[1]', '[2]')), float32(1)),
    'shape and length differ',
  ],
  [
    'extents that overflow to the length',
    file(padded(one.replace('[1]', '[4294967296,4294967296]')), float32(1)),
    'shape and length differ',
  ],
  [
    'offsets that run backwards',
    file(padded(one.replace('[0,4]', '[4,0]')), float32(1)),
    'shape and length differ',
  ],
  ['three offsets', file(padded(one.replace('[0,4]', '[0,4,8]')), float32(1)), 'offsets'],
  ['a negative offset', file(padded(one.replace('[0,4]', '[-4,0]')), float32(1)), 'offsets'],
  [
    'overlapping offsets',
    file(
      padded(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      ),
      float32(1),
    ),
    'overlap, hole or other order',
  ],
  [
    'a hole',
    file(
      padded(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}',
      ),
      float32(1, 2, 3),
    ),
    'overlap, hole or other order',
  ],
  [
    'a hole in front',
    file(padded(one.replace('[0,4]', '[4,8]')), float32(1, 2)),
    'overlap, hole or other order',
  ],
  ['values past the end', file(padded(one), [0, 0, 0]), 'values past the end'],
  ['bytes after the values', file(padded(one), [0, 0, 128, 63, 7]), 'bytes that belong to no tensor'],
  ['NaN', file(padded(one), float32(Number.NaN)), 'value not finite'],
  ['infinity', file(padded(one), float32(Number.POSITIVE_INFINITY)), 'value not finite'],
  ['minus infinity', file(padded(one), float32(Number.NEGATIVE_INFINITY)), 'value not finite'],
];

describe('a file from outside', () => {
  it('is read when nothing is wrong with it', () => {
    expect(parseSafetensors(good, limits)).toEqual(
      new Map([['a', { shape: [1], data: Float32Array.of(1) }]]),
    );
  });

  it.each(hostile)('is refused with %s', (_, bytes, rule) => {
    expect(() => parseSafetensors(bytes, limits)).toThrow(
      expect.objectContaining({ code: 'BAD_TENSORS', details: expect.objectContaining({ rule }) }),
    );
  });

  it('is refused when it is longer than the plan allows', () => {
    expect(() => parseSafetensors(good, { maxBytes: good.length - 1 })).toThrow(
      expect.objectContaining({
        details: { rule: 'too large', expected: good.length - 1, found: good.length },
      }),
    );
    parseSafetensors(good, { maxBytes: good.length });
  });

  it('does not share memory with the bytes it came from', () => {
    const bytes = good.slice();
    const parsed = parseSafetensors(bytes, limits);
    bytes.fill(0);
    expect(parsed.get('a')?.data[0]).toBe(1);
  });

  it('is read from any place of a larger array', () => {
    const within = concatBytes(new Uint8Array(3), good, new Uint8Array(5)).subarray(3, 3 + good.length);
    expect(parseSafetensors(within, limits).get('a')?.data[0]).toBe(1);
  });
});

const finite32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const finite64 = fc.double({ noNaN: true, noDefaultInfinity: true });
const tensor = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }).chain((shape) => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return fc.oneof(
    fc
      .array(finite32, { minLength: length, maxLength: length })
      .map((values): Tensor => ({ shape, data: Float32Array.from(values) })),
    fc
      .array(finite64, { minLength: length, maxLength: length })
      .map((values): Tensor => ({ shape, data: Float64Array.from(values) })),
  );
});
const tensorMap: fc.Arbitrary<TensorMap> = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,6}(\/[a-zA-Z0-9]{1,6}){0,2}$/), tensor), {
    selector: ([name]) => name,
    maxLength: 6,
  })
  .map((entries) => new Map(entries));

describe('any tensors', () => {
  it('come back bit by bit, whatever the order of the map', () => {
    fc.assert(
      fc.property(tensorMap, (tensors) => {
        const bytes = encodeSafetensors(tensors);
        const back = parseSafetensors(bytes, limits);
        expect([...back.keys()]).toEqual([...tensors.keys()].sort());
        for (const [name, { shape, data }] of tensors) {
          expect(back.get(name)?.shape).toEqual(shape);
          expect(new Uint8Array(back.get(name)?.data.buffer ?? new ArrayBuffer(0))).toEqual(
            new Uint8Array(data.buffer),
          );
        }
        expect(encodeSafetensors(back)).toEqual(bytes);
        expect(encodeSafetensors(new Map([...tensors].reverse()))).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('with any one byte changed either read as other values of the same form or are refused by name', () => {
    fc.assert(
      fc.property(tensorMap, fc.nat(), fc.integer({ min: 1, max: 255 }), (tensors, place, mask) => {
        const bytes = encodeSafetensors(tensors);
        const at = place % bytes.length;
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ mask;
        try {
          // What is accepted is always the one form of what was read.
          expect(encodeSafetensors(parseSafetensors(changed, limits))).toEqual(changed);
        } catch (error) {
          if (!isCodedError(error, 'BAD_TENSORS')) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('of any bytes at all are refused by name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(encodeSafetensors(parseSafetensors(bytes, limits))).toEqual(bytes);
        } catch (error) {
          if (!isCodedError(error, 'BAD_TENSORS')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of any JSON header are refused by name', () => {
    fc.assert(
      fc.property(fc.json(), (header) => {
        try {
          const bytes = file(padded(header));
          expect(encodeSafetensors(parseSafetensors(bytes, limits))).toEqual(bytes);
        } catch (error) {
          if (!isCodedError(error, 'BAD_TENSORS')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the encoder', () => {
  it.each([
    ['a bad name', 'no spaces', { shape: [1], data: Float32Array.of(1) }],
    ['a shape that is not the length', 'a', { shape: [2], data: Float32Array.of(1) }],
  ])('treats %s as a bug', (_, name, tensor_) => {
    expect(() => encodeSafetensors(new Map([[name, tensor_]]))).toThrow(
      expect.objectContaining({ code: 'BUG' }),
    );
  });
});
