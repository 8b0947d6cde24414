# Writes initial-weights.json: the first weights of three models, drawn with OpenSSL's AES-256-CTR and numpy instead of our own code.
# The layers and their fans are written out by hand. Run with Python 3, numpy and the openssl command:
# python3 make_initial_weights.py > initial-weights.json
import hashlib
import json
import subprocess

import numpy as np

SEED = '5a' * 32


def draws(count):
    """u of [0, 1): the upper 27 bits of one little-endian 32-bit number and the upper 26 of the next, over 2^53."""
    zeros = bytes(8 * count)
    command = ['openssl', 'enc', '-aes-256-ctr', '-K', SEED, '-iv', '0' * 32, '-nosalt']
    stream = subprocess.run(command, input=zeros, capture_output=True, check=True).stdout
    words = np.frombuffer(stream, '<u4').astype(np.uint64)
    upper, lower = words[0::2] >> np.uint64(5), words[1::2] >> np.uint64(6)
    return (upper * 2.0**26 + lower) / 2.0**53


def glorot(fan_in, fan_out):
    return np.sqrt(6 / (fan_in + fan_out))


def he(fan_in, _):
    return np.sqrt(6 / fan_in)


def weights(layers):
    """layers: name, shape of the kernel, fan in, fan out, rule; and (name, shape, value) for what is not drawn."""
    total = sum(int(np.prod(layer[1])) for layer in layers if len(layer) == 5)
    stream, at, made = draws(total), 0, {}
    for name, shape, *rest in layers:
        if len(rest) == 1:
            made[name] = np.full(shape, rest[0], np.float32)
            continue
        fan_in, fan_out, rule = rest
        size = int(np.prod(shape))
        made[name] = (rule(fan_in, fan_out) * (2 * stream[at:at + size] - 1)).astype(np.float32).reshape(shape)
        at += size
    ordered = {f'weights/{name}': made[name] for name in sorted(made)}
    return {
        'shapes': {name: list(value.shape) for name, value in ordered.items()},
        # sha256 of all values as little-endian float32, in name order
        'sha256': hashlib.sha256(b''.join(value.astype('<f4').tobytes() for value in ordered.values())).hexdigest(),
    }


def normalised(node, before, filters):
    return [
        (f'{node}/kernel', (3, 3, before, filters), 9 * before, 9 * filters, he),
        (f'{node}-normalisation/scale', (filters,), 1.0),
        (f'{node}-normalisation/offset', (filters,), 0.0),
    ]


mlp = [
    ('hidden-1/kernel', (3, 8), 3, 8, glorot), ('hidden-1/bias', (8,), 0.0),
    ('hidden-2/kernel', (8, 4), 8, 4, glorot), ('hidden-2/bias', (4,), 0.0),
    ('output/kernel', (4, 1), 4, 1, glorot), ('output/bias', (1,), 0.0),
]
classifier = [
    ('block-1-convolution/kernel', (3, 3, 1, 4), 9, 36, he),
    ('block-1-normalisation/scale', (4,), 1.0), ('block-1-normalisation/offset', (4,), 0.0),
    ('block-2-convolution/kernel', (3, 3, 4, 8), 36, 72, he), ('block-2-convolution/bias', (8,), 0.0),
    ('hidden-1/kernel', (32, 6), 32, 6, he), ('hidden-1/bias', (6,), 0.0),
    ('output/kernel', (6, 3), 6, 3, glorot), ('output/bias', (3,), 0.0),
]
segmenter = [
    *normalised('down-0-first', 1, 4), *normalised('down-0-second', 4, 4),
    *normalised('bottom-first', 4, 8), *normalised('bottom-second', 8, 8),
    ('up-0-transposed/kernel', (2, 2, 4, 8), 32, 16, he), ('up-0-transposed/bias', (4,), 0.0),
    *normalised('up-0-first', 8, 4), *normalised('up-0-second', 4, 4),
    ('output/kernel', (1, 1, 4, 1), 4, 1, glorot), ('output/bias', (1,), 0.0),
]
print(json.dumps({'seed': SEED, 'mlp': weights(mlp), 'cnn-2d': weights(classifier), 'unet-2d': weights(segmenter)}, indent=1))
