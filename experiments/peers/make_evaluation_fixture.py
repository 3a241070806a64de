#!/usr/bin/env python3
"""Write the facts about tests of classifiers that the Swift tests check, as NumPy computes them in double precision.

    python experiments/peers/make_evaluation_fixture.py

`Tests/LearningTests/Fixtures/evaluation.json`:

    logits     200 × 7 numbers, rounded to 1/256, so that single precision has them as they are; flat
    labels     the right classes
    loss       mean cross-entropy, in nats
    top1, top5 in percent
    ece        expected calibration error over 15 equally wide intervals of confidence, each without its lower end (Guo et
               al., 2017, arXiv:1706.04599)
    confusion  7 × 7 counts: rows are labels, columns predictions
"""

import json
import pathlib

import numpy as np

random = np.random.default_rng(7)
labels = random.integers(0, 7, 200)
logits = random.normal(size=(200, 7)) * 2
logits[np.arange(200), labels] += 1.5
logits = np.round(logits * 256) / 256
probabilities = np.exp(logits - logits.max(1, keepdims=True))
probabilities /= probabilities.sum(1, keepdims=True)
predicted, confidence = probabilities.argmax(1), probabilities.max(1)
right = predicted == labels
edges, ece = np.linspace(0, 1, 16), 0.0
for low, high in zip(edges[:-1], edges[1:]):
    inside = (confidence > low) & (confidence <= high)
    if inside.any():
        ece += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
confusion = np.zeros((7, 7), int)
np.add.at(confusion, (labels, predicted), 1)
facts = {
    "logits": logits.ravel().tolist(),
    "labels": labels.tolist(),
    "loss": float(-np.log(probabilities[np.arange(200), labels]).mean()),
    "top1": float(100 * right.mean()),
    "top5": float(100 * (np.argsort(-logits, 1)[:, :5] == labels[:, None]).any(1).mean()),
    "ece": float(ece),
    "confusion": confusion.tolist(),
}
root = pathlib.Path(__file__).resolve().parents[2]
(root / "Tests/LearningTests/Fixtures/evaluation.json").write_text(json.dumps(facts, separators=(",", ":")) + "\n")
