#!/usr/bin/env python3
"""Print what the tables of a space of networks say, as Markdown for a page.

    pip install pandas
    python3 experiments/space_findings.py results/mixed

The folder holds what `experiment sweep` of a space and then `experiment report` wrote.
"""
import pathlib
import sys

import pandas as pd

folder = pathlib.Path(sys.argv[1])
networks = pd.read_csv(folder / "networks.csv").dropna(subset=["top1_mean"])
quality = pd.read_csv(folder / "proxy_quality.csv")
operators = pd.read_csv(folder / "proxy_operators.csv")
stages = networks["kernel"].str.count(r"\+").max() + 1
places = networks["kernel"].map(lambda k: (k.split("+") * stages)[:stages])
kernels = list(dict.fromkeys(kernel for network in places for kernel in network))


def line(cells):
    print("| " + " | ".join(cells) + " |")


def table(header, rows):
    line(header)
    line(["---"] + ["---:"] * (len(header) - 1))
    for row in rows:
        line(row)
    print()


def estimate(row, name):
    if pd.isna(row[name]):
        return ""
    return f"{row[name]:.2f} ({row[name + '_low95']:.2f} to {row[name + '_high95']:.2f})"


print(f"## The operators\n{len(networks)} networks, mean test accuracy in percent by the operator of a stage, over all others:\n")
table(
    ["operator"] + [f"stage {stage + 1}" for stage in range(stages)],
    [
        [f"`{kernel}`"]
        + [f"{networks['top1_mean'][[p[stage] == kernel for p in places]].mean():.1f}" for stage in range(stages)]
        for kernel in kernels
    ],
)
print("The five most accurate; an interval is of one network, and of many the best was lucky, too:\n")
best = networks.nlargest(5, "top1_mean")
table(
    ["network", "top-1 %", "95 %", "parameters", "MACs"],
    [
        [f"`{r.kernel}`", f"{r.top1_mean:.1f}", f"{r.top1_low95:.1f} to {r.top1_high95:.1f}", f"{r.params:,}", f"{r.macs:,}"]
        for r in best.itertuples()
    ],
)
print("## The proxies\nKendall's τ with the mean accuracy, with 95 % intervals:\n")
names = ["kendall_tau", "partial_tau", "stratified_tau_params", "stratified_tau_macs", "top_tau", "top_share"]
shown = quality[quality["networks"] > 0]
table(
    ["proxy", "networks", "τ", "partial τ", "τ, same params", "τ, same MACs", "τ, best tenth", "share of the best tenth"],
    [
        [f"`{row['proxy']}`", f"{row['networks']}"] + [estimate(row, name) for name in names]
        for _, row in shown.iterrows()
    ],
)
print("How many percentiles too high each proxy ranks the networks with an operator; where 0 is in the interval, in brackets:\n")
rows = []
for proxy, group in operators.groupby("proxy", sort=False):
    cells = [f"`{proxy}`"]
    for kernel in kernels:
        found = group[group["operator"] == kernel]
        if found.empty:
            cells.append("")
            continue
        row = found.iloc[0]
        text = f"{row['rank_difference']:+.0f}"
        cells.append(f"({text})" if row["rank_difference_low95"] <= 0 <= row["rank_difference_high95"] else text)
    rows.append(cells)
table(["proxy"] + [f"`{kernel}`" for kernel in kernels], rows)
