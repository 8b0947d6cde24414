// Writes a TensorFlow graph as a SavedModel file: graph.proto, node_def.proto, attr_value.proto, tensor.proto and saved_model.proto of TensorFlow.
import type { NativeBinding, OperationAttribute } from './native-backend.ts';
import { bytesField, floatField, integerField, type Message, packedField } from './protobuf.ts';

/** Numbers of types.proto. */
export const dataTypes = { float32: 1, int32: 3, bool: 10, resource: 20 } as const;

export interface ConstantTensor {
  readonly shape: readonly number[];
  /** One of dataTypes. */
  readonly dtype: number;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

export interface GraphNode {
  readonly name: string;
  readonly operation: string;
  /** `name:output`, or `^name` where only the order counts. */
  readonly inputs: readonly string[];
  /** NodeDef.attr entries, see the functions below. */
  readonly attributes: readonly Message[];
}

/** GraphDef.versions.producer: that of TensorFlow 2.9 and later; it asks nothing of the reader. */
const producerVersion = 1087;

/** The content of saved_model.pb with one graph under `tag`. */
export function encodeSavedModel(nodes: readonly GraphNode[], tag: string): Message {
  const graph = Buffer.concat([
    ...nodes.map((node) => bytesField(1, encodeNode(node))),
    bytesField(4, integerField(1, producerVersion)),
  ]);
  const metaGraph = Buffer.concat([bytesField(1, bytesField(4, tag)), bytesField(2, graph)]);
  return Buffer.concat([integerField(1, 1), bytesField(2, metaGraph)]);
}

function encodeNode({ name, operation, inputs, attributes }: GraphNode): Message {
  return Buffer.concat([
    bytesField(1, name),
    bytesField(2, operation),
    ...inputs.map((input) => bytesField(3, input)),
    ...attributes,
  ]);
}

export function typeAttribute(name: string, dtype: number): Message {
  return attribute(name, integerField(6, dtype));
}

export function integerAttribute(name: string, value: number): Message {
  return attribute(name, integerField(3, value));
}

export function shapeAttribute(name: string, shape: readonly number[]): Message {
  return attribute(name, bytesField(7, encodeShape(shape)));
}

/** The attribute `value` of a Const node. A tensor of one repeated value is written as that value. */
export function tensorAttribute(name: string, { shape, dtype, values }: ConstantTensor): Message {
  const [first = 0] = values;
  const isRepeated = values.length > 1 && values.every((value) => Object.is(value, first));
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const content = isRepeated ? repeatedValue(dtype, first) : bytesField(4, bytes);
  return attribute(name, bytesField(8, integerField(1, dtype), bytesField(2, encodeShape(shape)), content));
}

function repeatedValue(dtype: number, value: number): Message {
  if (dtype === dataTypes.float32) return floatField(5, value);
  return integerField(dtype === dataTypes.int32 ? 7 : 11, value);
}

/** An attribute as tfjs-node hands it to TensorFlow, or null where its kind has no place in a graph. */
export function recordedAttribute(
  binding: NativeBinding,
  { name, type, value }: OperationAttribute,
): Message | null {
  const list = Array.isArray(value);
  switch (type) {
    case binding.TF_ATTR_STRING:
      return list ? null : attribute(name, bytesField(2, value as string));
    case binding.TF_ATTR_INT:
      return list
        ? attribute(name, bytesField(1, packedField(3, value as number[])))
        : attribute(name, integerField(3, value as number));
    case binding.TF_ATTR_FLOAT:
      return list ? null : attribute(name, floatField(4, value as number));
    case binding.TF_ATTR_BOOL:
      return list ? null : attribute(name, integerField(5, value as boolean));
    case binding.TF_ATTR_TYPE:
      return list ? null : attribute(name, integerField(6, value as number));
    case binding.TF_ATTR_SHAPE:
      return shapeAttribute(name, value as number[]);
    default:
      return null;
  }
}

function attribute(name: string, value: Message): Message {
  return bytesField(5, bytesField(1, name), bytesField(2, value));
}

function encodeShape(shape: readonly number[]): Message {
  return Buffer.concat(shape.map((size) => bytesField(2, integerField(1, size))));
}
