import { describe, expect, it } from 'vitest';
import { admitTopology } from './admit-topology.ts';
import { describeNetwork } from './describe-network.ts';
import { admittedLayers } from './layer-configuration.ts';

// As tf.js 4.22 writes them: model.toJSON(null, false).
const varianceScaling = {
  class_name: 'VarianceScaling',
  config: { scale: 1, mode: 'fan_avg', distribution: 'normal', seed: null },
};
const affine = {
  use_bias: true,
  kernel_initializer: varianceScaling,
  bias_initializer: { class_name: 'Zeros', config: {} },
  kernel_regularizer: null,
  bias_regularizer: null,
  activity_regularizer: null,
  kernel_constraint: null,
  bias_constraint: null,
  trainable: true,
};
const dense = (name: string, changes: object = {}) => ({
  class_name: 'Dense',
  config: { name, units: 2, activation: 'relu', ...affine, ...changes },
});
const convolution = (name: string, changes: object = {}) => ({
  class_name: 'Conv2D',
  config: {
    name,
    filters: 2,
    kernel_size: [3, 3],
    strides: [1, 1],
    padding: 'same',
    data_format: 'channels_last',
    dilation_rate: [1, 1],
    activation: 'relu',
    ...affine,
    ...changes,
  },
});
const first = dense('first', { batch_input_shape: [null, 3] });
const last = dense('last', { units: 1, activation: 'sigmoid' });
const sequential = (...layers: unknown[]) => ({ class_name: 'Sequential', config: { name: 's', layers } });
const imageInput = {
  class_name: 'InputLayer',
  name: 'in',
  config: { name: 'in', batch_input_shape: [null, 8, 8, 1] },
};
const rowInput = {
  class_name: 'InputLayer',
  name: 'in',
  config: { name: 'in', batch_input_shape: [null, 3] },
};
const from = (...names: string[]) => [names.map((name) => [name, 0, 0, {}])];
const called = (layer: { config: { name: string } }, ...names: string[]) => ({
  ...layer,
  name: layer.config.name,
  inbound_nodes: from(...names),
});
interface NamedLayer {
  readonly config: { readonly name: string };
  readonly [key: string]: unknown;
}
const functional = (...layers: NamedLayer[]) => ({
  class_name: 'Model',
  config: {
    name: 'm',
    layers,
    input_layers: [['in', 0, 0]],
    output_layers: [[layers.at(-1)?.config.name, 0, 0]],
  },
});
const other = (className: string, name: string, config: object = {}) => ({
  class_name: className,
  config: { name, ...config },
});
const binary = { loss: 'binary-cross-entropy' } as const;
const admit = (topology: unknown) => admitTopology(topology, binary);

describe('a topology', () => {
  it('becomes layers in order, its last activation left to the loss', () => {
    const { inputShape, nodes } = admit(sequential(first, last));
    expect(inputShape).toEqual([3]);
    expect(
      nodes.map(({ name, inputs, layer }) => [name, inputs, 'activation' in layer && layer.activation]),
    ).toEqual([
      ['first', ['#input'], 'relu'],
      ['last', ['first'], 'linear'],
    ]);
  });

  it('may branch and join', () => {
    const topology = functional(
      imageInput,
      called(convolution('left'), 'in'),
      called(convolution('right', { strides: [1, 1] }), 'in'),
      called(other('Concatenate', 'join', { axis: -1 }), 'left', 'right'),
      called(other('Add', 'twice'), 'join', 'join'),
      called(other('GlobalAveragePooling2D', 'pool', { data_format: 'channels_last' }), 'twice'),
      called(dense('end', { units: 1, activation: 'linear' }), 'pool'),
    );
    const { nodes } = describeNetwork(admit(topology));
    expect(nodes.map(({ shape }) => shape)).toEqual([[8, 8, 2], [8, 8, 2], [8, 8, 4], [8, 8, 4], [4], [1]]);
  });

  const code = { class_name: 'Lambda', config: { name: 'evil', function: 'process.exit()' } };
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  it.each<[string, unknown, string]>([
    ['code', sequential(first, code, last), 'layer evil: Lambda carries code'],
    [
      'a layer of its own',
      sequential(first, other('MyLayer', 'own'), last),
      'layer own: MyLayer is not admitted',
    ],
    [
      'a class named like a property',
      sequential(first, other('constructor', 'odd'), last),
      'layer odd: constructor',
    ],
    ['__proto__ as a class', sequential(first, other('__proto__', 'odd'), last), 'layer odd: its class'],
    [
      'CategoryEncoding',
      sequential(first, other('CategoryEncoding', 'codes'), last),
      'layer codes: CategoryEncoding',
    ],
    [
      'batch normalisation, which mixes patients',
      sequential(first, other('BatchNormalization', 'bn'), last),
      'layer bn: BatchNormalization mixes the patients of a batch',
    ],
    [
      'a layer within a layer',
      sequential(first, sequential(first, last), last),
      'layer s: Sequential is not admitted',
    ],
    [
      'a key it does not have',
      sequential(first, dense('k', { hook: 'x' }), last),
      'layer k: its configuration',
    ],
    [
      'a prototype in a configuration',
      sequential(
        first,
        JSON.parse(`{"class_name":"Add","config":{"name":"p","__proto__":{"units":1}}}`),
        last,
      ),
      'a key that only a prototype has',
    ],
    [
      'a regulariser',
      sequential(first, dense('r', { kernel_regularizer: { l2: 1 } }), last),
      'kernel_regularizer',
    ],
    ['frozen weights', sequential(first, dense('f', { trainable: false }), last), 'trainable'],
    ['another number format', sequential(first, dense('d', { dtype: 'int32' }), last), 'layer d'],
    [
      'a billion units',
      sequential(first, dense('huge', { units: 1e9 }), last),
      'layer huge: its configuration is not admitted: units',
    ],
    ['units that are no number', sequential(first, dense('u', { units: '9' }), last), 'units'],
    ['negative units', sequential(first, dense('n', { units: -1 }), last), 'units'],
    [
      'weights beyond any machine',
      sequential(
        dense('a', { units: 65_536, batch_input_shape: [null, 3] }),
        dense('b', { units: 65_536 }),
        last,
      ),
      'too many weights at layer b',
    ],
    [
      'values beyond any machine',
      sequential(
        convolution('big', {
          filters: 65_536,
          kernel_size: [1, 1],
          batch_input_shape: [null, 4096, 4096, 1],
        }),
        other('GlobalMaxPooling2D', 'pool'),
        last,
      ),
      'too many activations at layer big',
    ],
    [
      'upsampling without end',
      sequential(
        convolution('c', { batch_input_shape: [null, 64, 64, 1] }),
        ...Array.from({ length: 40 }, (_, index) =>
          other('UpSampling2D', `up${index}`, { size: [64, 64], interpolation: 'nearest' }),
        ),
        last,
      ),
      'layer up',
    ],
    ['more layers than any model', sequential(...Array(600).fill(first)), 'config.layers'],
    [
      'padding by numbers',
      sequential(convolution('p', { padding: 'causal', batch_input_shape: [null, 8, 8, 1] }), last),
      'padding',
    ],
    [
      'channels first',
      sequential(
        convolution('nchw', { data_format: 'channels_first', batch_input_shape: [null, 8, 8, 1] }),
        last,
      ),
      'data_format',
    ],
    [
      'dilation',
      sequential(convolution('wide', { dilation_rate: [2, 2], batch_input_shape: [null, 8, 8, 1] }), last),
      'dilation_rate',
    ],
    [
      'a window larger than its image',
      sequential(
        convolution('w', { padding: 'valid', kernel_size: [9, 9], batch_input_shape: [null, 8, 8, 1] }),
        last,
      ),
      'layer w: its window',
    ],
    [
      'images where rows are taken',
      sequential(convolution('c', { batch_input_shape: [null, 8, 8, 1] }), last),
      'layer last: takes rows',
    ],
    [
      'a softmax in the middle',
      sequential(dense('s', { activation: 'softmax', batch_input_shape: [null, 3] }), last),
      'layer s: has a softmax',
    ],
    [
      'an output that its loss is not of',
      sequential(first, dense('end', { units: 1, activation: 'relu' })),
      'layer end',
    ],
    [
      'two layers of one name',
      sequential(first, dense('first'), last),
      'layer first: has the name of another layer',
    ],
    ['a name that is a path', sequential(first, dense('../../x'), last), 'the topology is no LayersModel'],
    [
      'a name that is a prototype',
      sequential(first, dense('__proto__'), last),
      'the topology is no LayersModel',
    ],
    ['no input shape', sequential(dense('first'), last), 'layer first: names no shape'],
    [
      'an input of any size',
      sequential(dense('first', { batch_input_shape: [null, null] }), last),
      'names no shape',
    ],
    ['a second input', sequential(first, imageInput, last), 'layer in: is a second input'],
    [
      'a circle',
      functional(rowInput, called(dense('a'), 'b'), called(dense('b'), 'a'), called(last, 'b')),
      'layer a: takes a layer that does not come before it',
    ],
    [
      'a layer that takes itself',
      functional(rowInput, called(dense('a'), 'a'), called(last, 'a')),
      'layer a: takes',
    ],
    ['a layer that is not there', functional(rowInput, called(last, 'nobody')), 'layer last: takes a layer'],
    [
      'a layer that leads nowhere',
      functional(rowInput, called(dense('idle'), 'in'), called(last, 'in')),
      'layer idle: leads nowhere',
    ],
    [
      'a layer used twice',
      functional(
        rowInput,
        { ...called(dense('a'), 'in'), inbound_nodes: [...from('in'), ...from('a')] },
        called(last, 'a'),
      ),
      'layer a: is not called once',
    ],
    [
      'arguments of a call',
      functional(rowInput, { ...called(last, 'in'), inbound_nodes: [[['in', 0, 0, { training: true }]]] }),
      'layer last: is not called once',
    ],
    [
      'deep nesting',
      functional(rowInput, { ...called(last, 'in'), inbound_nodes: nested(5_000) } as never),
      'nested deeper than any model',
    ],
    [
      'two outputs',
      {
        ...functional(rowInput, called(last, 'in')),
        config: {
          layers: [rowInput],
          input_layers: [['in', 0, 0]],
          output_layers: [
            ['a', 0, 0],
            ['b', 0, 0],
          ],
        },
      },
      'config.output_layers',
    ],
    [
      'a concatenation of rows of pixels',
      functional(
        imageInput,
        called(other('Concatenate', 'j', { axis: 1 }), 'in', 'in'),
        called(other('Flatten', 'flat'), 'j'),
        called(last, 'flat'),
      ),
      'layer j: its axis',
    ],
    [
      'more values than any model',
      sequential(first, { ...last, more: Array(60_000).fill(1) }),
      'more values',
    ],
    ['nothing', null, 'the topology is no LayersModel'],
    ['a text', 'Sequential', 'the topology is no LayersModel'],
    ['a list', [], 'the topology is no LayersModel'],
    ['a model without layers', sequential(), 'config.layers'],
    [
      'weights beside the layers',
      { ...sequential(first, last), weights: [] },
      'the topology is no LayersModel',
    ],
  ])('has not %s', (_, topology, message) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => admit(topology)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it('is refused with what is admitted instead', () => {
    expect(admittedLayers).not.toContain('Lambda');
    expect(() => admit(sequential(first, code, last))).toThrow(admittedLayers.join(', '));
  });
});
