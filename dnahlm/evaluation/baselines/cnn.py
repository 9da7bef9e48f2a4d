"""A small convolutional network on single letters: the baseline that knows where in a sequence a motif stands.

Settings are fixed for all tasks and were chosen on validation rows; those of the task at hand decide only when its
training stops. The budget is stated in rows, never in seconds, so that a figure does not depend on the machine: about
`ROWS` rows in all, in `PASSES` passes at least and at most; an end after `PATIENCE` passes without a lower validation
loss; the weights of the best pass are kept.
"""

import copy

import numpy as np
import torch
from torch import nn

from dnahlm.evaluation.baselines.data import Data, majority, other_strand

ROWS = 250_000  # seen in training, repetitions counted
PASSES = (5, 20)
PATIENCE = 5
MAX_LENGTH = 1000  # letters; of a longer sequence, the middle
BATCH = 128
LEARNING_RATE = 2e-3
CHANNELS = 64
MOTIF = 9  # letters that the first layer sees at once


class Network(nn.Module):
    """Three convolutions; then where (a coarse map) and how strongly (its maxima) each of their motifs was found."""

    def __init__(self, letters: int, length: int, classes: int) -> None:
        super().__init__()

        def layer(inputs: int, width: int) -> list[nn.Module]:
            return [nn.Conv1d(inputs, CHANNELS, width, padding=width // 2), nn.BatchNorm1d(CHANNELS), nn.ReLU()]

        def half() -> list[nn.Module]:
            return [nn.MaxPool1d(2, ceil_mode=True), nn.Dropout(0.1)]

        # A column stands for 1 letter, then 2, then 4.
        self.layers = nn.Sequential(*layer(letters, MOTIF), *half(), *layer(CHANNELS, 5), *half(), *layer(CHANNELS, 5))
        places = min(16, -(-length // 4))
        self.map = nn.AdaptiveAvgPool1d(places)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(CHANNELS * (places + 1), classes))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(B, letters, L) -> logits (B, K)."""
        found = self.layers(rows)
        return self.head(torch.cat([self.map(found).flatten(1), found.amax(dim=2)], dim=1))


def cnn(data: Data) -> np.ndarray:
    """Probabilities (N, K) of a small CNN; of strand-symmetric tasks it sees both strands and averages them.

    An answer that no train row has gets a probability near 0; train rows of one class give `majority`.
    """
    if len(set(data.labels)) < 2:
        return majority(data)
    alphabet = sorted(set("".join(data.train)) - {" "})
    length = min(MAX_LENGTH, max(map(len, data.train)))
    codes = {name: encode(rows, alphabet, length) for name, rows in data.texts().items()}
    places = {answer: k for k, answer in enumerate(data.answers)}
    labels = torch.tensor([places[label] for label in data.labels])
    kept_labels = torch.tensor([places[label] for label in data.validation_labels])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(data.seed)
        network = Network(len(alphabet), length, len(data.answers))
        network = fit(network, codes["train"], labels, codes["validation"], kept_labels, data.symmetric, alphabet)
    return torch.exp(predict(network, codes["test"], data.symmetric, alphabet)).double().numpy()


def encode(texts: list[str], alphabet: list[str], length: int) -> torch.Tensor:
    """(N, L) letter numbers, centred; len(alphabet) stands for padding and for letters that no train row has."""
    table = np.full(128, len(alphabet), dtype=np.uint8)
    for number, letter in enumerate(alphabet):
        table[ord(letter)] = number
    codes = np.full((len(texts), length), len(alphabet), dtype=np.uint8)
    for row, text in enumerate(texts):
        start = max(0, (len(text) - length) // 2)
        found = table[np.frombuffer(text[start : start + length].encode("ascii"), dtype=np.uint8)]
        at = (length - len(found)) // 2
        codes[row, at : at + len(found)] = found
    return torch.from_numpy(codes)


def one_hot(codes: torch.Tensor, letters: int) -> torch.Tensor:
    """(B, L) -> (B, letters, L); padding and unknown letters are all zeros."""
    return nn.functional.one_hot(codes.long(), letters + 1)[..., :letters].transpose(1, 2).float()


def fit(
    network: Network, rows: torch.Tensor, labels: torch.Tensor, kept: torch.Tensor, kept_labels: torch.Tensor,
    symmetric: bool, alphabet: list[str],
) -> Network:  # fmt: skip
    """Train with AdamW and a falling rate; the weights of the pass with the lowest validation loss come back."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    passes = min(max(ROWS // len(rows), PASSES[0]), PASSES[1])
    steps = passes * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    best, weights, since = float("inf"), copy.deepcopy(network.state_dict()), 0
    for _ in range(passes):
        network.train()
        for chosen in torch.randperm(len(rows)).split(BATCH):
            if len(chosen) == 1:  # has no spread to be normalised by
                continue
            batch = rows[chosen]
            if symmetric:  # each row on a strand drawn anew in every pass
                turned = torch.rand(len(batch)) < 0.5
                batch = torch.where(turned[:, None], reverse(batch, alphabet), batch)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(one_hot(batch, len(alphabet))), labels[chosen])
            loss.backward()
            optimizer.step()
            schedule.step()
        value = nn.functional.nll_loss(predict(network, kept, symmetric, alphabet), kept_labels).item()
        if value < best:
            best, weights, since = value, copy.deepcopy(network.state_dict()), 0
        else:
            since += 1
        if since == PATIENCE:
            break
    network.load_state_dict(weights)
    return network


def predict(network: Network, rows: torch.Tensor, symmetric: bool, alphabet: list[str]) -> torch.Tensor:
    """Log-probabilities (N, K); the mean of both strands where the task has no direction."""
    network.eval()
    strands = [rows, reverse(rows, alphabet)] if symmetric else [rows]
    with torch.inference_mode():
        chances = [
            torch.cat([network(one_hot(batch, len(alphabet))).softmax(dim=1) for batch in strand.split(512)])
            for strand in strands
        ]
    return torch.stack(chances).mean(dim=0).clamp_min(1e-12).log()


def reverse(rows: torch.Tensor, alphabet: list[str]) -> torch.Tensor:
    """The other strand of letter numbers (N, L)."""
    partner = {letter: number for number, letter in enumerate(alphabet)}
    table = [partner.get(other_strand(letter), len(alphabet)) for letter in alphabet]
    return torch.tensor([*table, len(alphabet)], dtype=rows.dtype)[rows.long()].flip(1)
