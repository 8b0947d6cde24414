# Trains a network of bench_models.py with PyTorch's Adam, eager, images with the channels last. Run by the bench:
# python3 torch_peer.py MODEL BATCH-SIZE EXAMPLE-COUNT SECONDS
import json
import resource
import sys
import time

import torch
from bench_models import MODELS

name, batch_size, example_count, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
create, feature_shape, target_shape, loss_of = MODELS[name]
torch.manual_seed(1)
model = create()
features = torch.randn(example_count, *feature_shape)
targets = (torch.rand(example_count, *target_shape) > 0.5).float()
layout = torch.channels_last if len(feature_shape) == 3 else torch.contiguous_format
model = model.to(memory_format=layout)
features = features.contiguous(memory_format=layout)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
order = torch.randperm(example_count)
at = 0


def step():
    global order, at
    if at + batch_size > example_count:
        order, at = torch.randperm(example_count), 0
    rows = order[at : at + batch_size]
    at += batch_size
    optimizer.zero_grad()
    loss = loss_of(model(features[rows].contiguous(memory_format=layout)), targets[rows])
    loss.backward()
    optimizer.step()
    return loss


for _ in range(3):
    step()
started, used = time.perf_counter(), time.process_time()
steps = 0
while time.perf_counter() - started < seconds:
    step().item()
    steps += 1
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
