# The networks of bench-models.ts for PyTorch, layer by layer the same.
from torch import cat, nn, sigmoid
from torch.nn.functional import softplus


def logit_losses(logits, targets):
    return softplus(logits) - logits * targets


def create_mlp():
    return nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))


def create_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 16 * 32, 64),
        nn.ReLU(),
        nn.Linear(64, 1),
    )


LEVELS = [16, 32, 64, 128, 256]
GROUPS = 8


def block(inputs, outputs):
    layers = []
    for channels in (inputs, outputs):
        convolution = nn.Conv2d(channels, outputs, 3, padding=1, bias=False)
        layers += [convolution, nn.GroupNorm(GROUPS, outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(block(a, b) for a, b in zip([1] + LEVELS, LEVELS))
        self.widen = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(LEVELS, LEVELS[1:]))
        self.up = nn.ModuleList(block(2 * a, a) for a in LEVELS[:-1])
        self.pool = nn.MaxPool2d(2)
        self.last = nn.Conv2d(LEVELS[0], 1, 1)

    def forward(self, x):
        skipped = []
        for level, apply in enumerate(self.down):
            x = apply(x if level == 0 else self.pool(x))
            skipped.append(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](cat([skipped[level], self.widen[level](x)], 1))
        return self.last(x)


def dice_and_entropy(logits, targets):
    axes = (1, 2, 3)
    probabilities = sigmoid(logits)
    overlap = (probabilities * targets).sum(axes)
    total = probabilities.sum(axes) + targets.sum(axes)
    dice = (2 * overlap + 1) / (total + 1)
    return (1 - dice + logit_losses(logits, targets).mean(axes)).mean()


def mean_logit_loss(logits, targets):
    return logit_losses(logits, targets).mean()


MODELS = {
    "mlp": (create_mlp, (32,), (1,), mean_logit_loss),
    "cnn": (create_cnn, (1, 64, 64), (1,), mean_logit_loss),
    "u-net": (UNet, (1, 128, 128), (1, 128, 128), dice_and_entropy),
}
