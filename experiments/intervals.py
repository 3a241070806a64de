#!/usr/bin/env python3
"""How often intervals and verdicts are right, by simulation: the numbers of docs/statistics.md.

    pip install numpy scipy
    python3 experiments/intervals.py coverage    # the intervals of this program beside three bootstraps
    python3 experiments/intervals.py tables      # how often a table without differences has a wrong verdict
    python3 experiments/intervals.py power       # how often a difference of two points is found
    python3 experiments/intervals.py spreads results/tasks/records    # what the seeds of real trainings differ by

A training is right on an image where level + image + the kernel's own image + seed + noise > 0, all normal.
"""
import base64
import collections
import json
import os
import pathlib
import sys

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
from scipy import stats


def outcomes(random, kernels, k, n, seed, accuracy=0.97, loss=0.0, shared=2.0, own=0.5):
    """Kernels × k seeds × n images; `seed` is the deviation of seeds; the second kernel is worse by `loss`."""
    deviation = np.sqrt(1 + shared**2 + own**2 + seed**2)
    common = shared * random.standard_normal(n, dtype=np.float32)
    result = np.empty((kernels, k, n), np.float32)
    for kernel in range(kernels):
        level = deviation * stats.norm.ppf(accuracy - (loss if kernel == 1 else 0))
        image = common + own * random.standard_normal(n, dtype=np.float32)
        for row in range(k):
            noise = random.standard_normal(n, dtype=np.float32)
            result[kernel, row] = level + seed * random.standard_normal() + image + noise > 0
    return result


def parts(rows):
    """The mean, the variance of the seeds' means, the images' means, and the rest of a single outcome."""
    k, n = rows.shape
    mean, seeds, images = rows.mean(), rows.mean(1).var(ddof=1), rows.mean(0)
    explained = n * (k - 1) * seeds + k * (n - 1) * images.var(ddof=1)
    return mean, seeds, images, (((rows - mean) ** 2).sum() - explained) / ((k - 1) * (n - 1))


def spread(own, usual, degrees):
    if usual is None:
        return own, degrees
    return ((own + usual) / 2, 2 * degrees) if own < usual else (own, degrees * (1 + usual / own))


def difference(a, b, usual=None):
    """The difference of two networks of independent seeds, and half its interval by a probability."""
    k, n = a.shape
    (mean, s, x, rest), (other, t, y, left) = parts(a), parts(b)
    (s, u), (t, v) = spread(s, usual, k - 1), spread(t, usual, k - 1)
    seeds = (s + t) / k
    degrees = seeds**2 / ((s / k) ** 2 / u + (t / k) ** 2 / v) if seeds > 0 else 2 * k - 2
    images = np.append(x - y, [1, -1]).var(ddof=1) - (rest + left) / k
    images = max(images, 2 / (n + 1)) / (n + 2)

    def half(share):
        return np.sqrt(stats.t.isf(share / 2, degrees) ** 2 * seeds + stats.t.isf(share / 2, n - 1) ** 2 * images)

    return (mean - other) * n / (n + 2), half


def coverage(draws=1000, samples=600):
    print("seeds  spread of seeds, points   this program  percentile    BCa   t × deviation")
    for k in (2, 3, 5, 10):
        for seed in (0.05, 0.4):
            random, missed, spreads = np.random.default_rng(3), np.zeros(4), []
            for _ in range(draws):
                a, b = outcomes(random, 2, k, 382, seed)
                d = a - b
                mean, n = d.mean(), d.shape[1]
                spreads.append(a.mean(1).var(ddof=1))
                images = random.multinomial(n, np.full(n, 1 / n), size=samples).astype(np.float32)
                seeds = random.multinomial(k, np.full(k, 1 / k), size=samples) / k
                values = (images @ d.T / n * seeds).sum(1)
                low, high = np.quantile(values, [0.025, 0.975])
                place = np.clip(np.mean(values < mean) + np.mean(values == mean) / 2, 1 / samples, 1 - 1 / samples)
                z, r = stats.norm.ppf(place), d.mean(1)
                u = r - r.mean()
                a3 = (u**3).sum() / (6 * (u**2).sum() ** 1.5) if (u**2).sum() > 0 else 0
                ends = [stats.norm.cdf(z + (z + q) / (1 - a3 * (z + q))) for q in (-1.96, 1.96)]
                bca = np.quantile(values, ends)
                t = stats.t.isf(0.025, k - 1) * values.std(ddof=1) * np.sqrt(k / (k - 1))
                centre, half = difference(a, b)
                missed += [abs(centre) > half(0.05), not low <= 0 <= high, not bca[0] <= 0 <= bca[1], abs(mean) > t]
            rates = 100 - 100 * missed / draws
            print("%5d  %23.2f   %12.1f  %10.1f  %5.1f  %14.1f" % (k, 100 * np.sqrt(np.mean(spreads)), *rates), flush=True)


def usual(v, d):
    """What a table's variances usually are: their mean, or of enough their median over what that is to the mean."""
    if d < 4 or v.shape[1] < 6:
        return v.mean(1, keepdims=True)
    return np.median(v, axis=1, keepdims=True) / (1 - 2 / (9 * d)) ** 3


def tables(draws=6000):
    """Without images, where the seeds' spread is all there is: the hardest case."""
    print("seeds  kernels  wrong tables and missed intervals, %:"
          " equal spread   unlike (e^0.5)   one × 4   two × 10   standard × 3")
    random = np.random.default_rng(4)
    for k in (2, 3, 5, 10):
        for kernels in (3, 6, 20):
            cells = []
            for case in range(5):
                s = np.ones((draws, kernels + 1))
                if case == 1:
                    s = np.exp(0.5 * random.standard_normal(s.shape))
                if case == 2:
                    s[:, 1] = 4
                if case == 3:
                    s[:, -2:] = 10
                if case == 4:
                    s[:, 0] = 3
                p = probabilities(random, s, k)
                cells += [100 * (p < 0.05 / kernels).any(1).mean(), 100 * (p < 0.05).mean()]
            print("%5d  %7d  " % (k, kernels)
                  + "   ".join("%4.1f %4.1f" % tuple(cells[i : i + 2]) for i in range(0, 10, 2)), flush=True)


def probabilities(random, s, k, loss=0.0, test="program"):
    """Of the differences to the first network, by its table's tests or by those of others, where the second is worse."""
    d, mean = k - 1, random.standard_normal(s.shape) * s / np.sqrt(k)
    mean[:, 1] -= loss
    v = s**2 * random.chisquare(d, s.shape) / d
    if test == "paired t":
        # Seeds are independent, so the differences' variance is that of both, with a single network's degrees of freedom.
        v = (s[:, 1:] ** 2 + s[:, :1] ** 2) * random.chisquare(d, s[:, 1:].shape) / d
        return 2 * stats.t.sf(np.abs(mean[:, 1:] - mean[:, :1]) / np.sqrt(v / k), d)
    if test == "Welch":
        w, f = v, np.full_like(v, d)
    else:
        u = usual(v, d)
        w, f = np.where(v < u, (u + v) / 2, v), np.where(v < u, 2 * d, d * (1 + u / v))
    sums = w[:, 1:] + w[:, :1]
    degrees = sums**2 / (w[:, 1:] ** 2 / f[:, 1:] + w[:, :1] ** 2 / f[:, :1])
    return 2 * stats.t.sf(np.abs(mean[:, 1:] - mean[:, :1]) / np.sqrt(sums / k), degrees)


def power(draws=20000):
    print("A difference of two points, five seeds, found, %; three tests of six kernels, and this program's")
    print("spread of seeds, points   paired t  Welch  this program   of which two fail   of twenty   eight seeds")
    random = np.random.default_rng(5)

    def found(kernels, s, k=5, failing=0, test="program"):
        spreads = np.full((draws, kernels + 1), s)
        spreads[:, kernels + 1 - failing :] *= 10
        return 100 * (probabilities(random, spreads, k, 2.0, test)[:, 0] < 0.05 / kernels).mean()

    for s in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.5, 2.0):
        row = [found(6, s, test="paired t"), found(6, s, test="Welch"), found(6, s), found(6, s, failing=2),
               found(20, s), found(6, s, 8)]
        print("%23.1f   %8.1f  %5.1f  %12.1f  %17.1f  %10.1f  %12.1f" % (s, *row), flush=True)


def spreads(folder, images=10_000):
    """The deviations of the seeds' accuracies in records, less the images' chance in them and with that of so many images;
    and the variance of the differences to standard over the sum of both networks': 1 where seeds are independent."""
    hits = collections.defaultdict(dict)
    for path in pathlib.Path(folder).glob("*.json"):
        record = json.loads(path.read_text())
        definition, result = record["definition"], record["result"]
        if definition["kind"] == "training" and "correct" in result:
            bits = np.frombuffer(base64.b64decode(result["correct"]), np.uint8)
            hits[definition["data"], definition["kernel"]][definition["seed"]] = np.unpackbits(bits)
    print("data               kernel               seeds   spread on %d images, points   differences" % images)
    for (data, kernel), own in sorted(hits.items()):
        rows = np.array(list(own.values()), float)
        # All splits here have whole bytes of images.
        seeds, rest, k, n = rows.mean(1).var(ddof=1), parts(rows)[3], *rows.shape
        spread = 100 * np.sqrt(max(0, seeds - rest / n) + rest / images)
        others = hits[data, "standard"]
        shared = sorted(own.keys() & others.keys())
        a, b = ([h[s].mean() for s in shared] for h in (own, others))
        both = np.var(a, ddof=1) + np.var(b, ddof=1)
        ratio = np.nan if kernel == "standard" else np.var(np.subtract(a, b), ddof=1) / both
        print("%-18s %-20s %5d   %28.2f   %11.2f" % (data, kernel, k, spread, ratio))


if __name__ == "__main__":
    {"coverage": coverage, "tables": tables, "power": power, "spreads": spreads}[sys.argv[1]](*sys.argv[2:])
