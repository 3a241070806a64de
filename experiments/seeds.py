"""A row for each network and seed: what networks.csv says of the network, and what training.csv says of the seed.

    python experiments/seeds.py results/mixed/sweep results/mixed/networks.csv

Columns of networks.csv keep their names, so that `top1_mean` is the mean over the network's seeds in each of its rows. Added
are `seed`, and of the seed's chosen epoch `test_top1`, `test_loss`, `test_ece` and `validation_top1`. Needs pandas.
"""

import sys

import pandas as pd


def main(folder, output):
    networks = pd.read_csv(f"{folder}/networks.csv", dtype=str)
    training = pd.read_csv(f"{folder}/training.csv", dtype=str)
    # The test split is looked at in one epoch of each training.
    tested = training[training["test_top1"].notna()]
    chosen = ["seed", "test_top1", "test_loss", "test_ece", "validation_top1"]
    keys = [key for key in ["group", "kernel", "model", "replace", "data"] if key in networks and key in tested]
    table = networks.merge(tested[keys + chosen], on=keys, how="left", validate="one_to_many")
    table.dropna(axis="columns", how="all").to_csv(output, index=False)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Give a sweep's folder and the file to write.")
    main(*sys.argv[1:])
