"""Reads cases from standard input and prints, per case, what NumPy and SciPy make of them.

A case is one JSON line: {"weight", "bias", "source", "target"} as nested lists (bias may be null). The
answer is one JSON line. The formulas are written out here on purpose, in double precision and
without blocks: this is the other opinion.
"""

import json
import sys

import numpy as np
import scipy.linalg


def answer(case):
    weight, source, target = (np.array(case[key], dtype=np.float64) for key in ("weight", "source", "target"))
    prediction = source @ weight.T
    if case["bias"] is not None:
        prediction = prediction + np.array(case["bias"])
    residual = np.linalg.norm(prediction - target)
    cosines = np.sum(prediction * target, axis=1) / (
        np.linalg.norm(prediction, axis=1) * np.linalg.norm(target, axis=1)
    )
    singular = scipy.linalg.svdvals(weight)
    smaller = min(weight.shape)
    gram = weight @ weight.T if weight.shape[0] == smaller else weight.T @ weight
    result = {
        "relative": residual / np.linalg.norm(target),
        "centred": residual / np.linalg.norm(target - target.mean(axis=0)),
        "cosine": float(np.median(cosines)),
        "sigma_max": singular[0],
        "sigma_min": singular[-1],
        "condition": np.linalg.cond(weight),
        "orthogonality": np.linalg.norm(gram - np.eye(smaller)) / np.sqrt(smaller),
    }
    if source.shape == target.shape:
        _, result["procrustes"] = scipy.linalg.orthogonal_procrustes(source, target)
    return {key: float(value) for key, value in result.items()}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
