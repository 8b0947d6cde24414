// The safetensors format, restricted to F32 and F64 and to one byte form for each tensor map (docs/formats/safetensors.md).
// No code, no metadata, no holes: every byte of an update is a number that the disclosure report accounts for.
import { concatBytes, fromUtf8, utf8 } from '#base/bytes.ts';
import { BugError } from '#base/coded-error.ts';
import { type Dtype, dtypeOf, requireTensor } from '#federation/tensors/manifest.ts';
import { sortedNames, type Tensor, type TensorData, type TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

export interface TensorLimits {
  /** Longest file, in bytes. */
  readonly maxBytes: number;
  /** Longest header, in bytes; 1 MiB where it is not said. */
  readonly maxHeaderBytes?: number;
}

const LENGTH_BYTES = 8;
const DEFAULT_MAX_HEADER_BYTES = 1 << 20;
const MAX_RANK = 8;
const NAME = /^[a-zA-Z][a-zA-Z0-9]*(?:[/._-][a-zA-Z0-9]+)*$/;
const MAX_NAME_LENGTH = 200;
const BYTES_PER_VALUE: Readonly<Record<Dtype, number>> = { F32: 4, F64: 8 };

/** One tensor of the header: where its values lie, counted from the end of the header. */
interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/**
 * The one byte form of `tensors`: wider values first, then by name, as the reference implementation writes it.
 * @throws BugError for a map that could not be read back.
 */
export function encodeSafetensors(tensors: TensorMap): Uint8Array {
  const names = sortedNames(tensors);
  const ordered = [
    ...names.filter((name) => isWide(tensors, name)),
    ...names.filter((name) => !isWide(tensors, name)),
  ];
  const entries: Entry[] = [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const name of ordered) {
    const tensor = requireTensor(tensors, name);
    if (!NAME.test(name) || name.length > MAX_NAME_LENGTH) throw new BugError('a bad tensor name');
    if (valueCount(tensor.shape) !== tensor.data.length)
      throw new BugError('a tensor whose shape is not its length');
    const bytes = encodeValues(tensor.data);
    entries.push({
      name,
      dtype: dtypeOf(tensor),
      shape: tensor.shape,
      start: offset,
      end: offset + bytes.length,
    });
    parts.push(bytes);
    offset += bytes.length;
  }
  const header = encodeHeader(entries);
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return concatBytes(length, header, ...parts);
}

/**
 * Tensors of a file from outside. Only the bytes that encodeSafetensors writes pass, with finite values.
 * @throws TensorError BAD_TENSORS; `details.rule` names what is wrong.
 */
export function parseSafetensors(bytes: Uint8Array, limits: TensorLimits): TensorMap {
  if (bytes.length > limits.maxBytes)
    throw badTensors('too large', { expected: limits.maxBytes, found: bytes.length });
  const header = readHeader(bytes, limits.maxHeaderBytes ?? DEFAULT_MAX_HEADER_BYTES);
  const body = bytes.subarray(LENGTH_BYTES + header.length);
  const entries = parseEntries(header, body.length);
  // One form only: repeated keys, other spacing or order would let two readers see two files (parser differential).
  const canonical = encodeHeader(entries);
  if (canonical.length !== header.length || !canonical.every((byte, index) => byte === header[index])) {
    throw badTensors('header not in its one form');
  }
  return new Map(
    entries
      .map(({ name, dtype, shape, start, end }): [string, Tensor] => [
        name,
        { shape, data: decodeValues(dtype, body.subarray(start, end)) },
      ])
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

function readHeader(bytes: Uint8Array, maxHeaderBytes: number): Uint8Array {
  if (bytes.length < LENGTH_BYTES) throw badTensors('cut off');
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  // Compared as big integers before anything is allocated: the length is the sender's word (memory exhaustion).
  if (length > BigInt(maxHeaderBytes)) throw badTensors('header too large', { expected: maxHeaderBytes });
  if (length > BigInt(bytes.length - LENGTH_BYTES)) throw badTensors('cut off');
  return bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + Number(length));
}

function parseEntries(header: Uint8Array, bodyLength: number): Entry[] {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(header));
  } catch (cause) {
    throw badTensors('header not JSON', { cause: cause instanceof Error ? cause.name : undefined });
  }
  if (!isObject(value)) throw badTensors('header not an object');
  let position = 0;
  const entries = Object.entries(value).map(([name, description]) => {
    const entry = parseEntry(name, description);
    // Overlaps would let one value stand in two tensors, holes would carry bytes that nobody sees.
    if (entry.start !== position)
      throw badTensors('overlap, hole or other order', { expected: position, found: entry.start });
    if (entry.end > bodyLength)
      throw badTensors('values past the end', { expected: bodyLength, found: entry.end });
    position = entry.end;
    return entry;
  });
  if (position !== bodyLength)
    throw badTensors('bytes that belong to no tensor', { expected: position, found: bodyLength });
  return entries;
}

function parseEntry(name: string, description: unknown): Entry {
  // `__metadata__` is refused with the rest: free text beside the numbers would leave the site unseen.
  if (!NAME.test(name) || name.length > MAX_NAME_LENGTH) throw badTensors('tensor name');
  if (!isObject(description)) throw badTensors('tensor description');
  const { dtype, shape, data_offsets: offsets } = description;
  if (dtype !== 'F32' && dtype !== 'F64') throw badTensors('unknown dtype');
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isCount)) throw badTensors('shape');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) throw badTensors('offsets');
  const [start, end] = offsets as [number, number];
  const expected = valueCount(shape) * BYTES_PER_VALUE[dtype];
  if (end - start !== expected) throw badTensors('shape and length differ', { expected, found: end - start });
  return { name, dtype, shape, start, end };
}

/** Compact JSON padded with spaces to a multiple of eight bytes, so that the values that follow are aligned. */
function encodeHeader(entries: readonly Entry[]): Uint8Array {
  const described = entries.map(({ name, dtype, shape, start, end }) => {
    const description = JSON.stringify({ dtype, shape, data_offsets: [start, end] });
    return `${JSON.stringify(name)}:${description}`;
  });
  const inOrder = [...entries].sort(
    (left, right) =>
      BYTES_PER_VALUE[right.dtype] - BYTES_PER_VALUE[left.dtype] || (left.name < right.name ? -1 : 1),
  );
  if (inOrder.some((entry, index) => entry !== entries[index])) throw badTensors('tensors out of order');
  const text = `{${described.join(',')}}`;
  return utf8(text.padEnd(Math.ceil(text.length / 8) * 8, ' '));
}

function encodeValues(data: TensorData): Uint8Array {
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  if (data instanceof Float32Array) {
    for (let index = 0; index < data.length; index += 1) view.setFloat32(index * 4, data[index] ?? 0, true);
  } else {
    for (let index = 0; index < data.length; index += 1) view.setFloat64(index * 8, data[index] ?? 0, true);
  }
  return bytes;
}

function decodeValues(dtype: Dtype, bytes: Uint8Array): TensorData {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / BYTES_PER_VALUE[dtype];
  const data = dtype === 'F32' ? new Float32Array(count) : new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const value = dtype === 'F32' ? view.getFloat32(index * 4, true) : view.getFloat64(index * 8, true);
    // One value that is not a number makes every sum it enters one (poisoning); NaN bits could also carry a message.
    if (!Number.isFinite(value)) throw badTensors('value not finite');
    data[index] = value;
  }
  return data;
}

function isWide(tensors: TensorMap, name: string): boolean {
  return tensors.get(name)?.data instanceof Float64Array;
}

/** Number of values; Infinity-proof because each factor is a safe integer and the product is compared exactly below 2^53. */
function valueCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
