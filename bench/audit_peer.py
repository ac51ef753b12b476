#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The same audit in straightforward numpy, for times and figures beside bench_audit.

usage: audit_peer.py POPULATION.csv"""
import csv
import hashlib
import heapq
import sys
import time

import numpy as np
from scipy.optimize import brentq

SEED = "06712221796172622814"
ALPHA = 0.05


def clock(what, f, repeat=3):
    best, out = 1e9, None
    for _ in range(repeat):
        t = time.perf_counter()
        out = f()
        best = min(best, time.perf_counter() - t)
    print(f"  numpy   {what:44s} {best * 1e3:10.2f} ms")
    return out


with open(sys.argv[1]) as f:
    rows = list(csv.DictReader(f))
b = np.array([int(r["ballots"]) for r in rows], dtype=np.int64)
v = np.array([[int(r[c]) for c in "ABC"] for r in rows], dtype=np.int64)
bounds = 2 * v[:, 0] + b - v.sum(axis=1)  # the majority's assorter, T = N
total, null = bounds.sum(), b.sum()
margin = total / null - 1
c = 1 - 2.0 ** (-np.arange(1, 21) / 2)


def size():
    return int(np.ceil(brentq(lambda n: np.mean((1 + c * margin) ** n) - 1 / ALPHA, 1, 1e4)))


def draw_integer(n):
    below = np.cumsum(bounds << 20)
    seen, out, i = set(), [], 0
    while len(out) < n:
        i += 1
        k = int.from_bytes(hashlib.sha256(f"{SEED},{i}".encode()).digest(), "big") % int(below[-1])
        g = int(np.searchsorted(below, k, side="right"))
        if g not in seen:
            seen.add(g)
            out.append(g)
    return out


def mixture(draws):
    a = bounds[draws].astype(float)
    s = np.concatenate(([0], np.cumsum(a)[:-1]))
    mu = (null - s) / (total - s)  # x = A/R = 1, W = R
    m = np.exp(np.cumsum(np.log1p(c[None, :] * (1 / mu[:, None] - 1)), axis=0)).mean(axis=1)
    return min(1, 1 / m.max())


def arlo_like():
    p = bounds / total
    g = np.random.default_rng(int(hashlib.sha256(SEED.encode()).hexdigest(), 16))
    n = int(np.ceil(np.log(ALPHA) / np.log(null / total)))
    d = g.choice(len(p), n, p=p, replace=True)
    return (null / total) ** len(d)


def decimal_like():
    """U batch by batch in Decimal, over each pair, as published MACRO code does."""
    from decimal import Decimal
    t = v.sum(axis=0)
    u = Decimal(0)
    for ballots, votes in zip(b.tolist(), v.tolist()):
        u += max(Decimal(votes[0] - votes[l] + ballots) / Decimal(int(t[0] - t[l])) for l in (1, 2))
    return (1 - 1 / u) ** int((Decimal(ALPHA).ln() / (1 - 1 / u).ln()).to_integral_value())


def bootstrap(draws, rounds):
    rng = np.random.default_rng(1)
    a = bounds[draws].astype(float)
    out = []
    for _ in range(rounds):
        x = rng.choice([1.0, 1.0, 1.0, 0.99, 1.01], len(draws))
        s = np.concatenate(([0], np.cumsum(a * x)[:-1]))
        w = total - np.concatenate(([0], np.cumsum(a)[:-1]))
        mu = (null - s) / w
        m = np.exp(np.cumsum(np.log1p(c[None, :] * (x[:, None] / mu[:, None] - 1)), axis=0)).mean(axis=1)
        hit = np.nonzero(m >= 1 / ALPHA)[0]
        out.append(hit[0] + 1 if len(hit) else len(draws))
    return np.quantile(out, 0.9)


def tickets(n):
    head = hashlib.sha256(SEED.encode()).hexdigest()
    return heapq.nsmallest(1000, (
        f"{int(hashlib.sha256(f'{head}{i}'.encode()).hexdigest(), 16):064d}"[::-1] for i in range(n)))


n = clock("size of the first round", size)
draws = clock(f"integer PPEB, {n} draws", lambda: draw_integer(n))
p = clock("risk, mixture, one assertion", lambda: mixture(draws))
print(f"          {n} draws, p = {p:.9f}")
p = clock("size + draw + risk as Arlo: MACRO, numpy choice", arlo_like)
print(f"          p = {p:.9f}")
clock("U and p of MACRO in Decimal, two pairs", decimal_like)
more = draw_integer(3 * n)
clock("1,000 bootstrap rounds, one assertion", lambda: bootstrap(more, 1000), 1)
t = time.perf_counter()
tickets(200000)
each = (time.perf_counter() - t) / 200000
print(f"  numpy   15 M tickets, from 200,000                    {each * 15e6:10.1f} s")
