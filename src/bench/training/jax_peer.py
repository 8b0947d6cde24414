# Trains the dense network of bench_models.py with JAX, one compiled function for each step. Run by the bench:
# python3 jax_peer.py BATCH-SIZE EXAMPLE-COUNT SECONDS
import json
import resource
import sys
import time

import jax
import jax.numpy as jnp
import numpy

batch_size, example_count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
generator = numpy.random.default_rng(1)
features = jnp.asarray(generator.standard_normal((example_count, 32)), jnp.float32)
targets = jnp.asarray(generator.random((example_count, 1)) > 0.5, jnp.float32)
widths = [32, 128, 64, 1]
weights = []
for inputs, outputs in zip(widths, widths[1:]):
    kernel = generator.standard_normal((inputs, outputs)) * (2 / inputs) ** 0.5
    weights.append((jnp.asarray(kernel, jnp.float32), jnp.zeros(outputs, jnp.float32)))


def loss_of(weights, x, y):
    for layer, (kernel, bias) in enumerate(weights):
        x = x @ kernel + bias
        if layer < len(weights) - 1:
            x = jax.nn.relu(x)
    return (jax.nn.softplus(x) - x * y).mean()


def step(weights, first, second, count, rows):
    loss, gradients = jax.value_and_grad(loss_of)(weights, features[rows], targets[rows])
    each = jax.tree.map
    first = each(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = each(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    root = jnp.sqrt(1 - 0.999**count)
    rate = 1e-3 * root / (1 - 0.9**count)
    weights = each(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8 * root), weights, first, second)
    return weights, first, second, count + 1, loss


compiled = jax.jit(step, donate_argnums=(0, 1, 2, 3))
zeros = jax.tree.map(jnp.zeros_like, weights)
state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.float32(1))
order = generator.permutation(example_count).astype(numpy.int32)
at = 0


def advance():
    global order, at, state
    if at + batch_size > example_count:
        order, at = generator.permutation(example_count).astype(numpy.int32), 0
    *state, loss = compiled(*state, order[at : at + batch_size])
    at += batch_size
    return loss


for _ in range(3):
    advance().block_until_ready()
started, used = time.perf_counter(), time.process_time()
steps = 0
while time.perf_counter() - started < seconds:
    loss = advance()
    steps += 1
loss.block_until_ready()
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - started,
            "cpuSeconds": time.process_time() - used,
            "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
            "amount": steps * batch_size,
        }
    )
)
