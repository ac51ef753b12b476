#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The same computations in numpy and scipy, for times and for values side by side.

Needs Debian's python3-numpy and python3-scipy. Reads real elections from $HESABU_SHARED (default
../shared). Prints "name value unit" lines; usage: bench/forensics_peer.py [spikes resamples]."""
import csv
import io
import lzma
import os
import sys
import time

import numpy as np
from scipy.special import i0e
from scipy.stats import binom

SHARED = os.environ.get("HESABU_SHARED") or "../shared"


def rows(name):
    with lzma.open(os.path.join(SHARED, "data", name), "rt", encoding="utf-8") as f:
        return list(csv.DictReader(io.StringIO(f.read())))


def column(table, *names):
    return sum(np.array([int(r[n] or 0) for r in table]) for n in names)


def chance(n, a):
    """P(Bin(n, a/n) within .05 points of a whole percentage), by binomial distribution functions."""
    p, total = a / n, np.zeros(len(n))
    for k in range(101):
        high = (20 * k + 1) * n // 2000
        low = -((-(20 * k - 1) * n) // 2000) - 1
        total += binom.cdf(high, n, p) - np.where(low < 0, 0, binom.cdf(low, n, p))
    return total


def integers(registered, issued, counted, votes):
    ok = (counted > 0) & (registered >= 100) & (100 * issued <= 99 * registered) & (100 * votes <= 99 * counted)
    n, g, r, v = registered[ok], issued[ok], counted[ok], votes[ok]

    def hit(a, b):
        rest = 100 * a % b
        return 20 * np.minimum(rest, b - rest) <= b

    p = 1 - (1 - chance(n, g)) * (1 - chance(r, v))
    excess = (hit(g, n) | hit(v, r)).sum() - p.sum()
    return excess, excess / np.sqrt((p * (1 - p)).sum())


def comb(votes, step, plain):
    k = np.arange(20, 301)
    h = np.bincount(np.minimum(votes, 3000), minlength=3001).astype(float)
    s = np.convolve(h, np.ones(31) / 31, "same")[20:301]
    h = h[20:301]
    if not plain:
        for d in range(10):
            w = k % 10 == d
            s[w] *= h[w].sum() / s[w].sum()
    best = (0, None)
    x = np.arange(700)
    for units in range(4000, 6501, step):
        if abs(units - 5000) <= 20:
            continue
        for half in (0, 2500):
            c = np.bincount((units * x + half) // 5000, minlength=1000)[20:301]
            for p in (.05, .1, .2, .3, .5, .75, .999):
                f = (1 - p) + p * units / 5000 * c
                with np.errstate(divide="ignore", invalid="ignore"):
                    d = np.where(h > 0, h * np.log(f), 0).sum() - (s * f - s).sum()
                if d > best[0]:
                    best = (d, units / 5000)
    return best


def duplicates(votes, area):
    total, found, expected = votes.sum(1), 0, 0.0
    groups = {}
    for i, a in enumerate(area):
        if total[i] >= 50:
            groups.setdefault(a, []).append(i)
    for ix in groups.values():
        v = votes[ix].astype(float)
        for i in range(len(ix) - 1):
            r = np.sqrt(v[i] * v[i + 1:])
            expected += np.exp((np.log(i0e(2 * r)) + 2 * r - v[i] - v[i + 1:]).sum(1)).sum()
            found += (v[i] == v[i + 1:]).all(1).sum()
    return found, expected


def constancy(lead, both, times, rng):
    def v(order):
        n = len(order) // 200 * 200
        a, b = lead[order][:n].reshape(-1, 200).sum(1), both[order][:n].reshape(-1, 200).sum(1)
        return (a * a / b).sum() / b.sum() - (a.sum() / b.sum()) ** 2
    observed = v(np.lexsort((rng.random(len(lead)), times)))
    permuted = [v(rng.permutation(len(lead))) for _ in range(2000)]
    return observed / np.mean(permuted)


def spikes(n, t, v, resamples, rng):
    """Redraws about each station's own figures only (no mixture): a lower bound of the work."""
    def density(v, t):
        w = np.bincount(np.rint(1000 * v / np.maximum(t, 1)).astype(int), minlength=1001).astype(float)
        w[0] = 0
        return w / w.sum()
    observed, drawn = density(v, t), []
    for _ in range(resamples):
        p = rng.beta(t + .5, n - t + .5)
        tt = rng.binomial(n, p)
        q = rng.beta(v + .5, t - v + .5)
        drawn.append(density(rng.binomial(tt, q), tt))
    drawn = np.array(drawn)
    above = observed > drawn.max(0)
    return 100 * (observed - drawn.mean(0))[above].sum()


def timed(name, function, *args):
    start = time.perf_counter()
    value = function(*args)
    print(f"peer.{name} {time.perf_counter() - start:.2f} s {value}", flush=True)


def main():
    resamples = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[1] == "spikes" else 20
    rng = np.random.default_rng(1)
    u = rows("uganda2016/stations_2016.csv.xz")
    names = [k for k in u[0] if k not in ("order", "district", "constituency", "sub_county", "parish",
                                          "station", "reg_voters", "valid_votes", "invalid_votes", "total_votes")]
    votes = np.stack([column(u, k) for k in names], 1)
    lead, reg = column(u, "yoweri_kaguta_museveni"), column(u, "reg_voters")
    counted = column(u, "valid_votes", "invalid_votes")
    timed("integers.uganda", integers, reg, counted, counted, lead)
    timed("comb.uganda", comb, lead, 1, False)
    timed("duplicates.uganda", duplicates, votes, [r["sub_county"] for r in u])
    k = rows("kenya2022/form34a_2022_crowd.csv.xz")
    o, r = column(k, "odinga"), column(k, "ruto")
    when = np.array([x["upload_time_local"] for x in k])
    timed("constancy.kenya", constancy, r, o + r, np.unique(when, return_inverse=True)[1], rng)
    for year in ("2012", "2018"):
        t = rows(f"russia/stations_{year}.csv.xz")
        timed(f"integers.russia{year}", integers, column(t, "registered"),
              column(t, "issued_early", "issued_station", "issued_home"), column(t, "valid", "invalid"),
              column(t, "putin"))
    c = rows("canada2011/polls_2011.csv.xz")
    n, t, v = column(c, "N"), column(c, "t"), column(c, "v")
    ok = (t > 0) & (t <= n) & (v <= t)
    timed(f"spikes.canada.r{resamples}", spikes, n[ok], t[ok], v[ok], resamples, rng)


main()
