#!/usr/bin/env python3
"""Write a made-up table of a space's networks, and what SciPy, pandas and NumPy say of its proxies.

    pip install numpy scipy pandas
    python experiments/peers/make_proxy_quality_fixture.py

`Tests/ExperimentsTests/Fixtures/proxy_quality/`:

    networks.csv, training.csv   64 networks, three seeds of two epochs; costs, proxies and accuracies have ties
    expected.json                for each proxy: tau and rho (scipy.stats), partial_tau and partial_rho (from the inverse
                                 of the matrix of correlations, as ppcor and pingouin do; partial_rho also from the
                                 residuals of ranks), stratified_tau_* (τ-b over the pairs of a quarter), top_tau,
                                 top_share (pandas ranks); for each operator the rank_difference; of the seeds another_seed
                                 and perfect_proxy, which a simulation of normal accuracies confirms to a hundredth
"""

import itertools
import json
import pathlib

import numpy as np
import pandas as pd
from scipy import stats

place = pathlib.Path(__file__).resolve().parents[2] / "Tests/ExperimentsTests/Fixtures/proxy_quality"
random = np.random.default_rng(3)
operators = {"standard": (900, 60, 3.0), "shift": (100, 10, 0.0), "adder": (900, 10, 2.0), "1x1": (200, 20, -3.0)}

rows, trainings = [], []
for network in itertools.product(operators, repeat=3):
    name = network[0] if len(set(network)) == 1 else "+".join(network)
    params = sum(operators[kernel][0] * 2**stage for stage, kernel in enumerate(network))
    macs = sum(operators[kernel][1] for kernel in network)
    level = 80 + sum(operators[kernel][2] for kernel in network) + random.normal()
    tests = np.round(level + random.normal(size=3) * 1.5, 1)
    shared = {"kernel": name, "model": "m", "replace": "spatial", "data": "d"}
    rows.append({
        **shared, "params": params, "macs": macs,
        "snip": round(level / 2 + params / 300 + random.normal(), 1),
        "synflow": None if "adder" in network else round(random.normal() * 3 - level),
        "top1_mean": round(tests.mean(), 3), "status": "ok",
    })
    for seed, test in enumerate(tests):
        for epoch in (1, 2):
            trainings.append({
                **shared, "seed": seed, "epoch": epoch, "test_top1": test if epoch == 2 else None,
                "validation_top1": round(test - 4 + 3 * epoch, 1),
            })
networks, training = pd.DataFrame(rows), pd.DataFrame(trainings)


def tau(x, y):
    return stats.kendalltau(x, y).statistic


def partial(frame, correlation):
    """Of the first two columns, all others partialled out."""
    matrix = [[correlation(frame[a], frame[b]) for b in frame] for a in frame]
    p = np.linalg.inv(np.array(matrix))
    return -p[0, 1] / np.sqrt(p[0, 0] * p[1, 1])


def residual_rho(frame):
    ranks = frame.rank().to_numpy()
    controls = np.column_stack([np.ones(len(ranks)), ranks[:, 2:]])
    rest = ranks[:, :2] - controls @ np.linalg.lstsq(controls, ranks[:, :2], rcond=None)[0]
    return np.corrcoef(rest.T)[0, 1]


def stratified(x, y, cost):
    quarter = np.searchsorted(np.quantile(cost, [0.25, 0.5, 0.75]), cost, side="left")
    concordance = in_x = in_y = 0
    for i, j in itertools.combinations(range(len(x)), 2):
        if quarter[i] == quarter[j]:
            a, b = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
            concordance, in_x, in_y = concordance + a * b, in_x + a * a, in_y + b * b
    return concordance / np.sqrt(in_x * in_y)


def top(values, count):
    values = pd.Series(values)
    last = values.nlargest(count).min()
    rest = count - (values > last).sum()
    return np.where(values > last, 1.0, np.where(values == last, rest / (values == last).sum(), 0.0))


def facts(proxy):
    known = networks.dropna(subset=[proxy]).reset_index()
    x, y = known[proxy].to_numpy(float), known["top1_mean"].to_numpy()
    others = [cost for cost in ("params", "macs") if cost != proxy]
    frame = known[[proxy, "top1_mean"] + others]
    rho = partial(frame, lambda a, b: stats.spearmanr(a, b).statistic)
    assert abs(rho - residual_rho(frame)) < 1e-12
    tenth = (len(x) + 5) // 10
    best = top(y, tenth) > 0
    percentiles = lambda values: (pd.Series(values).rank() - 1) / (len(x) - 1) * 100
    difference = percentiles(x) - percentiles(y)
    shift = {}
    for kernel in operators:
        weight = known["kernel"].map(lambda name: (name.split("+") * 3)[:3].count(kernel))
        if weight.sum() > 0:
            shift[kernel] = float((weight * difference).sum() / weight.sum())
    measures = {
        "kendall_tau": tau(x, y), "spearman_rho": stats.spearmanr(x, y).statistic,
        "partial_tau": partial(frame, tau), "partial_rho": rho,
        "stratified_tau_params": stratified(x, y, known["params"].to_numpy(float)),
        "stratified_tau_macs": stratified(x, y, known["macs"].to_numpy(float)),
        "top_tau": tau(x[best], y[best]), "top_share": float(top(x, tenth) @ top(y, tenth) / tenth),
    }
    return {"networks": len(x), "measures": measures, "operators": shift}


def expected_correlation(r, seeds):
    return np.sqrt(seeds * r / (1 + (seeds - 1) * r))


tests = training.dropna(subset=["test_top1"]).pivot(index="kernel", columns="seed", values="test_top1").to_numpy()
pairs = list(itertools.combinations(range(3), 2))
one_tau = np.mean([tau(tests[:, i], tests[:, j]) for i, j in pairs])
one_rho = np.mean([stats.spearmanr(tests[:, i], tests[:, j]).statistic for i, j in pairs])
ceiling_tau = 2 / np.pi * np.arcsin(expected_correlation(np.sin(np.pi / 2 * one_tau), 3))
ceiling_rho = 6 / np.pi * np.arcsin(expected_correlation(2 * np.sin(np.pi / 6 * one_rho), 3) / 2)

# Of normal accuracies whose seeds agree as well as these: the expected accuracy beside the mean of three seeds.
truth = random.normal(size=6000)
reliability = np.sin(np.pi / 2 * one_tau)
noise = np.sqrt(1 / reliability - 1)
seen = truth + noise * random.normal(size=(3, 6000)).mean(0)
assert abs(tau(truth, seen) - ceiling_tau) < 0.01, (tau(truth, seen), ceiling_tau)

place.mkdir(parents=True, exist_ok=True)
networks.to_csv(place / "networks.csv", index=False)
training.to_csv(place / "training.csv", index=False)
expected = {proxy: facts(proxy) for proxy in ("snip", "synflow", "params", "macs")}
for name, one, other in (("another_seed", one_tau, one_rho), ("perfect_proxy", ceiling_tau, ceiling_rho)):
    expected[name] = {
        "networks": len(networks), "measures": {"kendall_tau": one, "spearman_rho": other}, "operators": {}
    }
(place / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
