// Writes protocol buffers in their wire format (protobuf.dev, "Encoding"): the few kinds of field that a TensorFlow graph has.

/** Bytes of a message or of one of its fields; fields may come in any order. */
export type Message = Buffer;

const [varintKind, bytesKind, fixed32Kind] = [0, 2, 5];

/** An integer or boolean field; negative numbers take ten bytes, as in 64-bit two's complement. */
export function integerField(field: number, value: number | bigint | boolean): Message {
  return Buffer.concat([key(field, varintKind), varint(value)]);
}

/** A 32-bit float field. */
export function floatField(field: number, value: number): Message {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, fixed32Kind), bytes]);
}

/** A text, byte string or nested message; parts are joined. */
export function bytesField(field: number, ...parts: readonly (string | Uint8Array)[]): Message {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([key(field, bytesKind), varint(content.length), content]);
}

/** A repeated integer field in its packed form. */
export function packedField(field: number, values: readonly (number | bigint)[]): Message {
  return bytesField(field, ...values.map(varint));
}

function key(field: number, kind: number): Message {
  return varint((field << 3) | kind);
}

function varint(value: number | bigint | boolean): Message {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
