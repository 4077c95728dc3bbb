#!/usr/bin/env python3
"""Autoencoders of tables, each after the description in its paper: raw header fields in, raw header fields out.

- tvae: Xu et al., Modeling Tabular Data using Conditional GAN, 2019. Numbers by mode-specific normalization (a mixture of
  Gaussians for each column: the mode, and the place within it), choices one-hot; two dense layers each way; a standard
  deviation for each number is learned with the rest.
- tabsyn: the autoencoder of Zhang et al., Mixed-Type Tabular Data Synthesis with Score-Based Diffusion in Latent Space,
  2024. A token for each column, small transformers each way, a latent of as many tokens, numbers by their quantiles;
  KL's weight falls whenever the reconstruction stands still.
- ttvae: Wang, Nguyen, TTVAE: Transformer-Based Generative Modeling for Tabular Data Generation, 2025. Mode-specific
  normalization as in tvae, an attention over the row's columns each way, one latent for the row.
- goggle: after Liu et al., GOGGLE: Generative Modelling for Tabular Data by Learning Relational Structure, 2023. A latent
  for each column; which column tells of which is a matrix that is learned and kept sparse; messages go along it.

A packet is reconstructed from the mean of its latent. What is said here of sizes is a default; OPTIONS has what was tuned.
"""
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MODES = 10
FITTED = 2000  # rows that a mixture is fitted to
OPTIONS = {
    'tvae': {'steps': 4000, 'batch': 128, 'rate': 3e-3, 'decay': 1e-5, 'width': 128, 'latent': 128, 'factor': 100.},
    'tabsyn': {'steps': 1500, 'batch': 100, 'rate': 1e-2, 'decay': 0., 'width': 8, 'hidden': 128, 'layers': 2,
               'most': 1e-2, 'least': 1e-5, 'fall': .7},
    'ttvae': {'steps': 1500, 'batch': 100, 'rate': 3e-3, 'decay': 1e-5, 'width': 16, 'hidden': 64, 'layers': 1, 'heads': 2,
              'latent': 64, 'factor': 10.},
    'goggle': {'steps': 3000, 'batch': 128, 'rate': 5e-3, 'decay': 1e-5, 'width': 16, 'hidden': 128, 'latent': 8,
               'kl': .01, 'sparse': .01},
}


# What a network sees of a number: choices besides, and what is about 0.


class Modes:
    """Mode-specific normalization: of a column, which Gaussian, and how many times 4 standard deviations from its mean."""

    def __init__(self, column, seed):
        from sklearn.mixture import BayesianGaussianMixture
        some = np.random.default_rng(seed).permutation(column)[:FITTED, None]
        self.scale = max(np.abs(column).max(), 1e-9)
        fitted = BayesianGaussianMixture(n_components=min(MODES, len(np.unique(some))), max_iter=100,
                                         weight_concentration_prior=1e-3, weight_concentration_prior_type='dirichlet_process',
                                         random_state=seed)
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of a fit that is not quite at its end
            fitted.fit(some / self.scale)
        kept = fitted.weights_ > .005
        self.mean = fitted.means_[kept, 0]
        self.weight = fitted.weights_[kept]
        self.spread = np.sqrt(fitted.covariances_[kept, 0, 0])
        self.size = len(self.mean)

    def split(self, column):
        x = column[:, None] / self.scale
        score = np.log(self.weight) - np.log(self.spread) - .5 * ((x - self.mean) / self.spread)**2
        mode = score.argmax(1)
        return mode, np.clip((x[:, 0] - self.mean[mode]) / (4 * self.spread[mode]), -.99, .99)

    def join(self, mode, value):
        return (np.clip(value, -1, 1) * 4 * self.spread[mode] + self.mean[mode]) * self.scale


class Quantiles:
    """A column by its quantiles, as a normal distribution has them."""
    size = 0

    def __init__(self, column, _seed):
        self.known = np.quantile(column, np.linspace(0, 1, 1001))
        self.normal = (torch.special.ndtri(torch.linspace(0, 1, 1003, dtype=torch.float64)[1:-1])).numpy()

    def split(self, column):
        low = np.interp(column, self.known, self.normal)
        high = -np.interp(-column, -self.known[::-1], -self.normal[::-1])
        return None, (low + high) / 2  # what is frequent lies in the middle of its quantiles

    def join(self, _mode, value):
        return np.interp(value, self.normal, self.known)


class Standard:
    size = 0

    def __init__(self, column, _seed):
        self.mean, self.spread = column.mean(), max(column.std(), 1e-9)

    def split(self, column):
        return None, (column - self.mean) / self.spread

    def join(self, _mode, value):
        return value * self.spread + self.mean


SEEN_AS = {'tvae': Modes, 'tabsyn': Quantiles, 'ttvae': Modes, 'goggle': Standard}


class Rows:
    """A table as a network sees it."""

    def __init__(self, sizes, numbers, kind, seed):
        self.columns = [kind(c, seed) for c in numbers.T]
        self.own = len(sizes)
        self.sizes = list(sizes) + [c.size for c in self.columns if c.size]

    def split(self, choices, numbers):
        seen = [c.split(n) for c, n in zip(self.columns, numbers.T)]
        modes = [m[:, None] for m, _ in seen if m is not None]
        values = np.stack([v for _, v in seen], 1)
        return torch.from_numpy(np.concatenate([choices, *modes], 1)), torch.from_numpy(values.astype('f4'))

    def join(self, choices, values):
        modes = iter(choices[:, self.own:].T)
        numbers = [c.join(next(modes) if c.size else None, v) for c, v in zip(self.columns, values.T)]
        return choices[:, :self.own], np.stack(numbers, 1)


# The networks. encode: mean and logarithm of the variance; decode: a row of scores for each choice, and the values


def one_hot(choices, sizes):
    return torch.cat([F.one_hot(c, n).float() for c, n in zip(choices.T, sizes)], 1)


def dense(*sizes):
    layers = [m for a, b in zip(sizes, sizes[1:-1]) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(*sizes[-2:]))


class Dense(nn.Module):
    """TVAE's."""

    def __init__(self, sizes, values, width, latent, **_):
        super().__init__()
        self.sizes, size = sizes, sum(sizes) + values
        self.encoder, self.decoder = dense(size, width, width, 2 * latent), dense(latent, width, width, size)
        self.spread = nn.Parameter(torch.full((values,), .1))

    def encode(self, choices, values):
        return self.encoder(torch.cat([one_hot(choices, self.sizes), values], 1)).chunk(2, 1)

    def decode(self, z):
        *scores, values = self.decoder(z).split([*self.sizes, len(self.spread)], 1)
        return scores, torch.tanh(values)


class Tokens(nn.Module):
    """A token for each column, and back."""

    def __init__(self, sizes, values, width):
        super().__init__()
        self.embed = nn.ModuleList(nn.Embedding(n, width) for n in sizes)
        self.weight = nn.Parameter(torch.randn(values, width) / math.sqrt(width))
        self.bias = nn.Parameter(torch.randn(len(sizes) + values, width) / math.sqrt(width))
        self.score = nn.ModuleList(nn.Linear(width, n) for n in sizes)
        self.value = nn.Parameter(torch.randn(values, width) / math.sqrt(width))
        self.offset = nn.Parameter(torch.zeros(values))

    def forward(self, choices, values):
        tokens = [e(c)[:, None] for e, c in zip(self.embed, choices.T)] + [values[..., None] * self.weight]
        return torch.cat(tokens, 1) + self.bias

    def back(self, tokens):
        n = len(self.score)
        return ([s(tokens[:, i]) for i, s in enumerate(self.score)],
                (tokens[:, n:] * self.value).sum(-1) + self.offset)


def transformer(width, heads, hidden, layers):
    layer = nn.TransformerEncoderLayer(width, heads, hidden, 0., batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class PerColumn(nn.Module):
    """TabSyn's: the latent has a token for each column."""

    def __init__(self, sizes, values, width, hidden, layers, **_):
        super().__init__()
        self.tokens = Tokens(sizes, values, width)
        self.mean, self.variance, self.decoder = (transformer(width, 1, hidden, layers) for _ in range(3))

    def encode(self, choices, values):
        tokens = self.tokens(choices, values)
        return self.mean(tokens), self.variance(tokens)

    def decode(self, z):
        return self.tokens.back(self.decoder(z))


class PerRow(nn.Module):
    """TTVAE's: the latent is one point for the row."""

    def __init__(self, sizes, values, width, hidden, layers, heads, latent, **_):
        super().__init__()
        count = len(sizes) + values
        self.tokens = Tokens(sizes, values, width)
        self.encoder, self.decoder = (transformer(width, heads, hidden, layers) for _ in range(2))
        self.narrow, self.wide = nn.Linear(count * width, 2 * latent), nn.Linear(latent, count * width)
        self.spread = nn.Parameter(torch.full((values,), .1))

    def encode(self, choices, values):
        return self.narrow(self.encoder(self.tokens(choices, values)).flatten(1)).chunk(2, 1)

    def decode(self, z):
        scores, values = self.tokens.back(self.decoder(self.wide(z).unflatten(1, (-1, self.tokens.bias.shape[1]))))
        return scores, torch.tanh(values)


class Graph(nn.Module):
    """GOGGLE's: messages between columns along a matrix that is learned."""

    def __init__(self, sizes, values, width, hidden, latent, **_):
        super().__init__()
        self.sizes, self.count = sizes, len(sizes) + values
        self.latent, size = latent, sum(sizes) + values
        self.encoder = dense(size, hidden, hidden, 2 * latent * self.count)
        self.edges = nn.Parameter(torch.randn(self.count, self.count) * .1)
        ways = latent, width, width
        self.own, self.told = (nn.ParameterList(nn.Parameter(torch.randn(self.count, a, b) / math.sqrt(a))
                                                for a, b in zip(ways, ways[1:])) for _ in range(2))
        self.tokens = Tokens(sizes, values, width)

    def matrix(self):
        return torch.sigmoid(self.edges) * (1 - torch.eye(self.count))

    def encode(self, choices, values):
        out = self.encoder(torch.cat([one_hot(choices, self.sizes), values], 1))
        return out.unflatten(1, (self.count, -1)).chunk(2, 2)

    def decode(self, z):
        edges = self.matrix()
        for own, told in zip(self.own, self.told):
            message = torch.einsum('nca,cab->ncb', z, told)
            z = F.relu(torch.einsum('nca,cab->ncb', z, own) + torch.einsum('cd,ndb->ncb', edges, message))
        return self.tokens.back(z)


NETWORKS = {'tvae': Dense, 'tabsyn': PerColumn, 'ttvae': PerRow, 'goggle': Graph}


# Losses


def kl(mean, variance):
    return -.5 * (1 + variance - mean**2 - variance.exp()).flatten(1).sum(1).mean()


def reconstruction(net, scores, said, choices, values):
    """Of the choices, and of the values: with a standard deviation that is learned, or by squares."""
    chosen = [F.cross_entropy(s, c) for s, c in zip(scores, choices.T)]
    if not hasattr(net, 'spread'):
        return sum(chosen) / len(chosen), ((said - values)**2).mean()
    squares = (said - values)**2 / 2 / net.spread**2 + torch.log(net.spread)
    return sum(chosen), squares.sum(1).mean()


class Falling:
    """KL's weight in TabSyn: less, whenever the reconstruction stood still for a fortieth of the training."""

    def __init__(self, o):
        self.weight, self.least, self.fall = o.get('most', 0), o.get('least', 0), o.get('fall', 1)
        self.every, self.sum, self.best, self.n = max(1, o['steps'] // 40), 0., math.inf, 0

    def take(self, loss):
        self.sum, self.n = self.sum + loss, self.n + 1
        if self.n % self.every == 0:
            if self.sum >= .98 * self.best:
                self.weight = max(self.least, self.weight * self.fall)
            self.best, self.sum = min(self.best, self.sum), 0.


def train(model, rows, table, options, seed):
    """The network, trained on a table (choices, values), in so many steps."""
    o = {**OPTIONS[model], **options}
    torch.manual_seed(seed)
    choices, values = table
    net = NETWORKS[model](rows.sizes, values.shape[1], **o)
    optimizer = torch.optim.Adam(net.parameters(), lr=o['rate'], weight_decay=o['decay'])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1, (s + 1) / 20, 4 * (1 - s / o['steps']) + .02))
    falling = Falling(o)
    for _ in range(o['steps']):
        i = torch.randint(len(choices), (o['batch'],))
        mean, variance = net.encode(choices[i], values[i])
        scores, said = net.decode(mean + torch.randn_like(mean) * torch.exp(variance / 2))
        chosen, squares = reconstruction(net, scores, said, choices[i], values[i])
        if model == 'tabsyn':
            loss = chosen + squares + falling.weight * kl(mean, variance)
            falling.take(float(chosen + squares))
        elif model == 'goggle':
            loss = chosen * len(rows.sizes) + squares * values.shape[1] + o['kl'] * kl(mean, variance) \
                + o['sparse'] * net.matrix().mean() * net.count
        else:
            loss = o['factor'] * (chosen + squares) + kl(mean, variance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if hasattr(net, 'spread'):
            net.spread.data.clamp_(.01, 1.)
    return net.eval()


@torch.no_grad()
def reconstructed(net, rows, table):
    """Choices and numbers of the table's rows, out of the means of their latents; and the rate in nats a row."""
    out, nats = [], 0.
    for choices, values in zip(*(t.split(2000) for t in table)):
        mean, variance = net.encode(choices, values)
        scores, said = net.decode(mean)
        out.append(rows.join(torch.stack([s.argmax(1) for s in scores], 1).numpy(), said.numpy().astype('f8')))
        nats += float(kl(mean, variance)) * len(choices)
    return *(np.concatenate(part) for part in zip(*out)), nats / len(table[0])


class Baseline:
    """One of them, learned from the first rows of a table."""

    def __init__(self, model, columns, learned, options, seed):
        choices, numbers = columns.choices, columns.numbers
        self.columns = columns
        self.rows = Rows(columns.sizes, numbers[:learned], SEEN_AS[model], seed)
        self.table = self.rows.split(choices, numbers)
        self.net = train(model, self.rows, [t[:learned] for t in self.table], options, seed)
        self.parameters = sum(p.numel() for p in self.net.parameters())

    def packets(self, first, last, start):
        """The packets of these rows, reconstructed; the share of right choices; nats."""
        part = [t[first:last] for t in self.table]
        choices, numbers, nats = reconstructed(self.net, self.rows, part)
        right = float((choices == self.columns.choices[first:last]).mean())
        return self.columns.packets(choices, numbers, start), right, nats
