# Writes models.json: what PyTorch, in float64, makes of small models of each kind that a plan can name - outputs, the loss of each
# row, and the gradient of their mean for every weight. Weights and inputs are numbers that float32 holds exactly.
# Run with Python 3 and PyTorch 2: python3 make_models.py > models.json
import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
draws = torch.Generator().manual_seed(20_261_128)


def numbers(*shape, scale=1.0):
    return (torch.randn(*shape, generator=draws) * scale).float().double()


def weights_of(shapes):
    made = {}
    for name, shape in sorted(shapes.items()):
        centre = 1.0 if name.endswith('/scale') else 0.0
        made[f'weights/{name}'] = (centre + numbers(*shape, scale=0.4)).float().double().requires_grad_()
    return made


def conv(x, w, node, stride=1, padding='same'):
    bias = w.get(f'weights/{node}/bias')
    kernel = w[f'weights/{node}/kernel'].permute(3, 2, 0, 1)
    return F.conv2d(x, kernel, bias, stride=stride, padding=padding)


def transposed(x, w, node):
    kernel = w[f'weights/{node}/kernel'].permute(3, 2, 0, 1)  # [rows, columns, out, in] to [in, out, rows, columns]
    return F.conv_transpose2d(x, kernel, w[f'weights/{node}/bias'], stride=2)


def group(x, w, node, groups):
    return F.relu(F.group_norm(x, groups, w[f'weights/{node}/scale'], w[f'weights/{node}/offset'], eps=1e-5))


def dense(x, w, node):
    y = x @ w[f'weights/{node}/kernel']
    bias = w.get(f'weights/{node}/bias')
    return y if bias is None else y + bias


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def cox(scores, labels, ties):
    """The sums of Cox's partial likelihood written out, row by row."""
    eta, time, event = scores[:, 0], labels[:, 0], labels[:, 1]
    losses = []
    for i in range(len(eta)):
        if event[i] == 0:
            losses.append(torch.zeros(()))
            continue
        at_risk = [j for j in range(len(eta)) if time[j] >= time[i]]
        tied = [j for j in range(len(eta)) if time[j] == time[i] and event[j] == 1]
        total = sum(torch.exp(eta[j]) for j in at_risk)
        if ties == 'efron':
            total = total - tied.index(i) / len(tied) * sum(torch.exp(eta[j]) for j in tied)
        losses.append(torch.log(total) - eta[i])
    return torch.stack(losses)


def dice_and_entropy(logits, masks, share):
    p, t = torch.sigmoid(logits.flatten(1)), masks.flatten(1)
    dice = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    entropy = F.binary_cross_entropy_with_logits(logits.flatten(1), t, reduction='none').mean(1)
    return share * (1 - dice) + (1 - share) * entropy


def case(name, model, shapes, inputs, labels, forward, loss):
    weights = weights_of(shapes)
    outputs = forward(inputs, weights)
    losses = loss(outputs, labels)
    losses.mean().backward()
    packed = lambda tensor: {'shape': list(tensor.shape), 'data': [round(v, 12) for v in tensor.detach().flatten().tolist()]}
    exact = lambda tensor: {'shape': list(tensor.shape), 'data': tensor.detach().flatten().tolist()}
    return {
        'name': name,
        'model': model,
        'inputs': exact(inputs),
        'labels': labels.flatten().tolist(),
        'weights': {key: exact(value) for key, value in weights.items()},
        'outputs': packed(outputs),
        'losses': [round(v, 12) for v in losses.tolist()],
        'gradients': {key: packed(value.grad) for key, value in weights.items()},
    }


seed = {'kind': 'variance-scaling', 'seed': '00' * 32}
bits = lambda *shape: (torch.rand(*shape, generator=draws) < 0.5).double()
classes = lambda count, of: torch.randint(0, of, (count,), generator=draws).double()
weighted = lambda table: lambda z, y: F.cross_entropy(z, y.long(), reduction='none') * torch.tensor(table)[y.long()]


def binary(weight=(1.0, 1.0)):
    table = torch.tensor(weight)
    return lambda z, y: F.binary_cross_entropy_with_logits(z[:, 0], y, reduction='none') * table[y.long()]


def row_network(activation, hidden):
    def forward(x, w):
        for index in range(hidden):
            x = activation(dense(x, w, f'hidden-{index + 1}'))
        return dense(x, w, 'output')
    return forward


def classifier(blocks, head):
    def forward(x, w):
        x = channels_first(x)
        for index, block in enumerate(blocks):
            node = f'block-{index + 1}'
            x = conv(x, w, f'{node}-convolution')
            x = group(x, w, f'{node}-normalisation', block['groups']) if block.get('groups') else F.relu(x)
            if block['pooling'] == 'max':
                x = F.max_pool2d(x, 2)
            if block['pooling'] == 'average':
                x = F.avg_pool2d(x, 2)
        x = channels_last(x).flatten(1) if head == 'flatten' else x.mean((2, 3))
        if 'weights/hidden-1/kernel' in w:
            x = F.relu(dense(x, w, 'hidden-1'))
        return dense(x, w, 'output')
    return forward


def segmenter(depth, upsampling, groups):
    def level(x, w, node):
        for half in ('first', 'second'):
            x = group(conv(x, w, f'{node}-{half}'), w, f'{node}-{half}-normalisation', groups)
        return x

    def forward(x, w):
        x = channels_first(x)
        skips = []
        for at in range(depth):
            x = level(x, w, f'down-{at}')
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = level(x, w, 'bottom')
        for at in reversed(range(depth)):
            if upsampling == 'nearest':
                x = conv(F.interpolate(x, scale_factor=2, mode='nearest'), w, f'up-{at}-convolution')
            else:
                x = transposed(x, w, f'up-{at}-transposed')
            x = level(torch.cat([skips[at], x], 1), w, f'up-{at}')
        return channels_last(conv(x, w, 'output'))
    return forward


def segmenter_shapes(depth, base, upsampling):
    shapes = {}

    def level(node, before, filters):
        for half, channels in (('first', before), ('second', filters)):
            shapes[f'{node}-{half}/kernel'] = (3, 3, channels, filters)
            shapes[f'{node}-{half}-normalisation/scale'] = (filters,)
            shapes[f'{node}-{half}-normalisation/offset'] = (filters,)

    for at in range(depth):
        level(f'down-{at}', 1 if at == 0 else base * 2 ** (at - 1), base * 2**at)
    level('bottom', base * 2 ** (depth - 1), base * 2**depth)
    for at in reversed(range(depth)):
        filters = base * 2**at
        if upsampling == 'nearest':
            shapes[f'up-{at}-convolution/kernel'] = (3, 3, 2 * filters, filters)
            shapes[f'up-{at}-convolution/bias'] = (filters,)
        else:
            shapes[f'up-{at}-transposed/kernel'] = (2, 2, filters, 2 * filters)
            shapes[f'up-{at}-transposed/bias'] = (filters,)
        level(f'up-{at}', 2 * filters, filters)
    shapes['output/kernel'] = (1, 1, base, 1)
    shapes['output/bias'] = (1,)
    return shapes


def rows_shapes(widths, bias_at_end=True):
    shapes = {}
    for index, (before, after) in enumerate(zip(widths, widths[1:])):
        node = 'output' if index == len(widths) - 2 else f'hidden-{index + 1}'
        shapes[f'{node}/kernel'] = (before, after)
        if bias_at_end or node != 'output':
            shapes[f'{node}/bias'] = (after,)
    return shapes


def mlp(objective, activation, widths):
    return {'kind': 'mlp', 'inputCount': widths[0], 'hiddenWidths': list(widths[1:-1]), 'activation': activation,
            'objective': objective, 'initialisation': seed}


def cox_model(widths, activation, ties):
    return {'kind': 'cox', 'inputCount': widths[0], 'hiddenWidths': list(widths[1:-1]), 'activation': activation,
            'ties': ties, 'initialisation': seed}


def survival(count):
    times = torch.randint(1, 6, (count,), generator=draws).double()  # few different times: many ties
    return torch.stack([times, bits(count)], 1)


def unet(upsampling, share):
    return {'kind': 'unet-2d', 'input': {'rows': 8, 'columns': 8, 'channels': 1}, 'baseFilters': 2, 'depth': 2,
            'normalisationGroups': 2, 'upsampling': upsampling,
            'objective': {'loss': 'dice-and-binary-cross-entropy', 'diceShare': share}, 'initialisation': seed}


small = {'rows': 8, 'columns': 6, 'channels': 2}
deep = {'kind': 'cnn-2d', 'input': small,
        'blocks': [{'filters': 4, 'kernel': 3, 'pooling': 'max', 'normalisationGroups': 2},
                   {'filters': 4, 'kernel': 5, 'pooling': 'none', 'normalisationGroups': 4}],
        'head': {'pooling': 'flatten', 'hiddenWidths': [5]},
        'objective': {'loss': 'categorical-cross-entropy', 'classCount': 3, 'classWeights': [1, 2, 0.5]},
        'initialisation': seed}
flat = {'kind': 'cnn-2d', 'input': small, 'blocks': [{'filters': 3, 'kernel': 3, 'pooling': 'average'}],
        'head': {'pooling': 'global-average', 'hiddenWidths': []},
        'objective': {'loss': 'binary-cross-entropy'}, 'initialisation': seed}

cases = [
    case('mlp, tanh, two classes with weights',
         mlp({'loss': 'binary-cross-entropy', 'classWeights': [1, 3]}, 'tanh', (4, 5, 3, 1)),
         rows_shapes((4, 5, 3, 1)), numbers(6, 4), bits(6), row_network(torch.tanh, 2), binary((1.0, 3.0))),
    case('mlp, relu, three classes', mlp({'loss': 'categorical-cross-entropy', 'classCount': 3}, 'relu', (4, 6, 3)),
         rows_shapes((4, 6, 3)), numbers(6, 4), classes(6, 3), row_network(F.relu, 1), weighted([1.0, 1.0, 1.0])),
    case('mlp, tanh, two values', mlp({'loss': 'mean-squared-error', 'outputCount': 2}, 'tanh', (3, 4, 2)),
         rows_shapes((3, 4, 2)), numbers(5, 3), numbers(5, 2), row_network(torch.tanh, 1),
         lambda z, y: ((z - y) ** 2).mean(1)),
    case('cox, linear, ties by Breslow', cox_model((3, 1), 'tanh', 'breslow'), rows_shapes((3, 1), False),
         numbers(12, 3), survival(12), row_network(None, 0), lambda z, y: cox(z, y, 'breslow')),
    case('cox, one hidden layer, ties by Efron', cox_model((3, 4, 1), 'tanh', 'efron'), rows_shapes((3, 4, 1), False),
         numbers(12, 3), survival(12), row_network(torch.tanh, 1), lambda z, y: cox(z, y, 'efron')),
    case('cnn-2d, GroupNorm, max pooling, flattened', deep,
         {'block-1-convolution/kernel': (3, 3, 2, 4), 'block-1-normalisation/scale': (4,), 'block-1-normalisation/offset': (4,),
          'block-2-convolution/kernel': (5, 5, 4, 4), 'block-2-normalisation/scale': (4,), 'block-2-normalisation/offset': (4,),
          'hidden-1/kernel': (48, 5), 'hidden-1/bias': (5,), 'output/kernel': (5, 3), 'output/bias': (3,)},
         numbers(3, 8, 6, 2), classes(3, 3),
         classifier([{'groups': 2, 'pooling': 'max'}, {'groups': 4, 'pooling': 'none'}], 'flatten'), weighted([1.0, 2.0, 0.5])),
    case('cnn-2d, average pooling, global average', flat,
         {'block-1-convolution/kernel': (3, 3, 2, 3), 'block-1-convolution/bias': (3,), 'output/kernel': (3, 1), 'output/bias': (1,)},
         numbers(3, 8, 6, 2), bits(3), classifier([{'pooling': 'average'}], 'global-average'), binary()),
    case('unet-2d, transposed convolutions', unet('transposed', 0.5), segmenter_shapes(2, 2, 'transposed'),
         numbers(2, 8, 8, 1), bits(2, 8, 8, 1), segmenter(2, 'transposed', 2), lambda z, y: dice_and_entropy(z, y, 0.5)),
    case('unet-2d, nearest upsampling', unet('nearest', 0.8), segmenter_shapes(2, 2, 'nearest'),
         numbers(2, 8, 8, 1), bits(2, 8, 8, 1), segmenter(2, 'nearest', 2), lambda z, y: dice_and_entropy(z, y, 0.8)),
]
made = {'madeBy': f'make_models.py, PyTorch {torch.__version__.split("+")[0]}, float64', 'cases': cases}
print(json.dumps(made, separators=(',', ':')))
