"""A small generator of packets, whatever a packet is described by: a GRU over the trace, a pointer over live flows, and
flow matching for the description and for the time step.

It knows no field. A packet is a point of two blocks, *what* and *when*, and belongs to a flow. For each packet the
pointer takes one of the flows that spoke last, one of the others, or a new one; *what* is drawn given that flow's last
packets, its first one and a mean; *when* given *what*. Flow matching predicts the point, not the velocity.
"""
import copy
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

NEAR = 32  # flows that the pointer tells apart
FURTHER, NEW, NONE = NEAR, NEAR + 1, NEAR + 2
WINDOW = 6  # packets of a flow that are seen one by one
LONG = 32  # packets of a flow that its mean is of, about
RATE = 3e-3
STEPS = 16  # of a draw
# Where a draw stops on its way from noise to a point: evenly in the logarithm of noise to signal, since what is rare lies
# far off, and whether a point goes there is settled while there is fifty times as much noise.
TIMES = torch.cat([torch.zeros(1), 1 / (1 + torch.logspace(math.log10(60), -1, STEPS - 1)), torch.ones(1)])
SPREAD = 2.  # of the times that are learned, on the same scale
TRIES = 8  # draws of a packet that contradicts the pointer
SEGMENT, SEGMENTS, HELD_OUT = 64, 3, .08


class History:
    """Packets so far, each with what was known before it. Row `pad` stands for no packet."""

    def __init__(self, room, what, when):
        self.pad, self.n = room, 0
        self.x = np.zeros((room + 1, what + when), 'f4')
        self.mean = np.zeros((room + 1, what), 'f4')
        self.window = np.full((room + 1, WINDOW), room)
        self.first = np.full(room + 1, room)
        self.count = np.zeros(room + 1, 'f4')
        self.time = np.zeros(room + 1)
        self.choice = np.full(room + 1, NONE)
        self.before = np.full(room + 1, room)
        self.candidates = np.full((room + 1, NEAR), room)
        self.order, self.last, self.far = [], {}, []

    def look(self):
        """The flows that the pointer may take for the next packet."""
        near = [self.last[f] for f in self.order[:NEAR]]
        self.candidates[self.n, :len(near)] = near

    def take(self, x, seconds, flow, new):
        i, what = self.n, self.mean.shape[1]
        self.x[i], self.time[i] = x, seconds
        if new or flow not in self.last:
            self.choice[i] = NEW
            self.window[i, 0], self.first[i], self.count[i], self.mean[i] = i, i, 1, x[:what]
            if flow in self.last:
                self.order.remove(flow)
        else:
            j, rank = self.last[flow], self.order.index(flow)
            self.choice[i], self.before[i] = min(rank, FURTHER), j
            self.window[i, 0], self.window[i, 1:] = i, self.window[j, :-1]
            self.first[i], self.count[i] = self.first[j], self.count[j] + 1
            self.mean[i] = self.mean[j] + (x[:what] - self.mean[j]) / min(self.count[i], LONG)
            if rank >= NEAR:
                self.far.append(rank)
            del self.order[rank]
        self.order.insert(0, flow)
        self.last[flow] = i
        self.n += 1

    def flow(self, choice, rng):
        """The flow that a choice means; None for a new one."""
        if choice == NEW or not self.order:
            return None
        if choice == FURTHER:
            choice = self.far[rng.integers(len(self.far))] if self.far else FURTHER
        return self.order[min(choice, len(self.order) - 1)]


class Matching(nn.Module):
    """Draws points of a distribution under a condition, by flow matching."""

    def __init__(self, size, given, width):
        super().__init__()
        self.size = size
        self.point_in, self.given = nn.Linear(size, width), nn.Linear(given, width)
        self.clock = nn.Linear(16, 2 * width, bias=False)
        self.deep = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.out, self.straight = nn.Linear(width, size), nn.Linear(size, size, bias=False)

    def clock_of(self, tau):
        angle = torch.logit(tau, 1e-3) * 2. ** torch.arange(-3, 5)
        return self.clock(torch.cat([torch.sin(angle), torch.cos(angle)], -1))

    def point(self, x, clock, given):
        gain, shift = clock.chunk(2, -1)
        h = F.relu(self.point_in(x) * (1 + gain) + given + shift)
        for layer in self.deep:
            h = h + F.relu(layer(h))
        return self.out(h) + self.straight(x)

    def loss(self, target, given):
        tau = torch.sigmoid(SPREAD * torch.randn(len(target), 1) - 1)
        x = (1 - tau) * torch.randn_like(target) + tau * target
        error = (self.point(x, self.clock_of(tau), self.given(given)) - target)**2
        return (error.mean(1, keepdim=True) / (1 - tau).clamp(min=.1)).mean()

    def draw(self, given):
        x, given = torch.randn(self.size), self.given(given)
        clocks = self.clock_of(TIMES[:-1, None])
        before = None
        for k, clock in enumerate(clocks):
            point = self.point(x, clock, given)
            # Of the second order (DPM-Solver++, 2M), without which what is rare comes too rarely.
            goal = 1.5 * point - .5 * before if 1 < k < STEPS - 1 else point
            x = x + (goal - x) * (TIMES[k + 1] - TIMES[k]) / (1 - TIMES[k])
            before = point
        return x


class Generator(nn.Module):
    def __init__(self, what, when, embedded=64, hidden=128, given=192):
        super().__init__()
        size = what + when
        self.what_size, self.hidden = what, hidden
        self.embed, self.embed_choice = nn.Linear(size, embedded), nn.Embedding(NONE + 1, embedded)
        self.gru = nn.GRU(embedded, hidden, batch_first=True)
        self.candidate = nn.Linear(2 * size + what, 48)
        self.candidate_age, self.candidate_rank = nn.Linear(2, 48), nn.Embedding(NEAR, 48)
        self.candidate_now = nn.Linear(hidden, 48)
        self.score = nn.Sequential(nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
        self.others = nn.Linear(hidden, 2)
        self.recent = nn.Linear(size, 48)
        self.flow = nn.Linear(WINDOW * 48 + 2 * size + what + 2, given)
        self.now, self.chosen = nn.Linear(hidden, given), nn.Embedding(NONE, given)
        self.mix = nn.Sequential(nn.ReLU(), nn.Linear(given, given), nn.ReLU(), nn.Dropout(.1))
        self.drop = nn.Dropout(.1)
        self.what = Matching(what, given, 256)
        self.told = nn.Linear(what, given)
        self.when = Matching(when, given, 96)

    def blurred(self, x):
        """What is fed back while generating isn't exactly what was learned."""
        return x + .1 * torch.randn_like(x) if self.training else x

    def entry(self, h, i):
        return self.embed(self.blurred(h.x[i])) + self.embed_choice(h.choice[i])

    def summary(self, h, last):
        return torch.cat([h.x[last], h.x[h.first[last]], h.mean[last]], -1)

    def age(self, h, last, now):
        """How long a flow has been silent, and how many packets it had."""
        silent = torch.log1p((h.time[now] - h.time[last]).clamp(min=0) * 1e6).float() / 8
        return torch.stack([silent, torch.log1p(h.count[last]) / 4], -1) * (last < h.pad)[..., None]

    def pointer(self, h, state, i, now):
        """Scores of the near flows, of the others, of a new one."""
        flows = h.candidates[i]
        some, place = torch.unique(flows, return_inverse=True)
        u = self.candidate(self.summary(h, some))[place] + self.candidate_age(self.age(h, flows, now[..., None]))
        u = u + self.candidate_rank.weight + self.candidate_now(state)[..., None, :]
        near = self.score(u)[..., 0].masked_fill(flows == h.pad, -1e4)
        return torch.cat([near, self.others(state)], -1)

    def context(self, h, state, choice, last, now):
        window = h.window[last]
        recent = F.relu(self.recent(self.blurred(h.x[window]))) * (window < h.pad)[..., None]
        flow = self.flow(torch.cat([recent.flatten(-2), self.summary(h, last), self.age(h, last, now)], -1))
        return self.mix(flow + self.now(state) + self.chosen(choice))

    def loss(self, h, starts):
        i = starts[:, None] + torch.arange(SEGMENT)
        state = self.drop(self.gru(self.entry(h, i - 1))[0])
        target, choice = h.x[i].flatten(0, 1), h.choice[i]
        who = F.cross_entropy(self.pointer(h, state, i, i - 1).flatten(0, 1), choice.flatten())
        given = self.context(h, state, choice, h.before[i], i - 1).flatten(0, 1)
        what = target[:, :self.what_size]
        when = self.when.loss(target[:, self.what_size:], given + self.told(self.blurred(what)))
        return who + 10 * self.what.loss(what, given) + 2 * when


class Tensors:
    """A History as tensors over the same memory."""

    def __init__(self, history):
        self.pad = history.pad
        for name in ('x', 'mean', 'window', 'first', 'count', 'time', 'choice', 'before', 'candidates'):
            setattr(self, name, torch.from_numpy(getattr(history, name)))


class Budget:
    """How much of a training is done: of seconds of processor time, or of steps, which give the same network on a busy
    machine and an idle one."""

    def __init__(self, seconds=None, steps=None):
        self.seconds, self.steps, self.start = seconds, steps, time.process_time()

    def spent(self, step):
        return step / self.steps if self.steps else (time.process_time() - self.start) / self.seconds


def train(history, what, when, seed, **budget):
    """The generator that did best on the end of the history, after so many seconds of processor time, or steps."""
    torch.manual_seed(seed)
    rng, h = np.random.default_rng(seed), Tensors(history)
    net = Generator(what, when)
    mean, best, best_loss = copy.deepcopy(net), None, math.inf
    averaged, current = list(mean.parameters()), list(net.parameters())
    rate, cut = RATE, int(history.n * (1 - HELD_OUT))
    held_out = torch.arange(cut, history.n - SEGMENT, SEGMENT)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, betas=(.9, .98), foreach=True)
    budget, step, due = Budget(**budget), 0, 1 / 8
    while True:
        spent = budget.spent(step)
        if spent >= due or spent >= 1:
            due += 1 / 8
            loss = judged(mean, h, held_out, seed)
            if loss < best_loss:
                best, best_loss, best_step = copy.deepcopy(mean), loss, step
        if spent >= 1:
            break
        optimizer.param_groups[0]['lr'] = rate * min(1, (step + 1) / 30) * max(.03, 1 - spent)
        loss = net.loss(h, torch.from_numpy(rng.integers(1, cut - SEGMENT, SEGMENTS)))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.)
        optimizer.step()
        step += 1
        with torch.no_grad():
            keep = min(.995, step / (step + 10))
            torch._foreach_mul_(averaged, keep)
            torch._foreach_add_(averaged, current, alpha=1 - keep)
    return best.eval(), {'steps': step, 'best': best_step, 'loss': best_loss,
                         'parameters': sum(p.numel() for p in net.parameters())}


def judged(net, h, starts, seed):
    kept = torch.get_rng_state()
    torch.manual_seed(seed)
    net.eval()
    with torch.no_grad():
        loss = float(net.loss(h, starts))
    torch.set_rng_state(kept)
    return loss


@torch.no_grad()
def generate(net, history, count, place, seed):
    """Goes on with `count` packets; returns the share of the draws that could be used. A draw goes to place(what, when,
    flow, last try), which says what became of it: (what, when, seconds, flow, new), or None where it can't be a packet
    of that flow, or of a new one where flow is None."""
    torch.manual_seed(seed)
    rng, h = np.random.default_rng(seed), Tensors(history)
    _, hidden = net.gru(net.entry(h, torch.arange(max(0, history.n - 8 * SEGMENT), history.n)[None]))
    draws = 0
    for _ in range(count):
        i = history.n
        history.look()
        now, state = torch.tensor(i - 1), hidden[0, 0]
        scores = net.pointer(h, state, torch.tensor(i), now)
        if len(history.order) <= NEAR:
            scores[FURTHER] = -1e4
        choice = int(torch.multinomial(torch.softmax(scores, 0), 1))
        flow = history.flow(choice, rng)
        last = torch.tensor(history.pad if flow is None else history.last[flow])
        given = net.context(h, state, torch.tensor(choice), last, now)
        for k in range(TRIES):
            draws += 1
            what = net.what.draw(given)
            when = net.when.draw(given + net.told(what))
            placed = place(what.numpy(), when.numpy(), flow, k == TRIES - 1)
            if placed:
                break
        what, when, seconds, flow, new = placed
        history.take(np.concatenate([what, when]), seconds, flow, new)
        _, hidden = net.gru(net.entry(h, torch.tensor([[i]])), hidden)
    return count / draws
