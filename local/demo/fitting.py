"""The linear map y = W x + b: how it is fitted and how its error is measured.

The penalty is chosen by cross-validation inside the fit set, by whole groups; the held-out anchors are never looked at
before the error is measured. Does not round and does not write files.
"""

import numpy as np

# Candidates for the penalty, as multiples of the mean diagonal of the source's Gram matrix.
PENALTIES = (1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
FOLDS = 3


def fit(source: np.ndarray, target: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(W, b, lambda) with the cross-validated penalty, refitted on every row."""
    scores = []
    for penalty in PENALTIES:
        errors = []
        for fold in range(FOLDS):
            inside = groups % FOLDS != fold
            weight, bias, _ = ridge(source[inside], target[inside], penalty)
            errors.append(epsilon(source[~inside], target[~inside], weight, bias)[1])
        scores.append(np.mean(errors))
    return ridge(source, target, PENALTIES[int(np.argmin(scores))])


def ridge(source: np.ndarray, target: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Ridge regression that shrinks towards `prior` instead of zero, with a free bias.

    MiniLM leaves three of its 384 coordinates empty. Ordinary ridge would give them zero rows in W, and a map with
    zero rows is singular; here they keep the prior's.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred_source, centred_target = source - source_mean, target - target_mean
    start = prior(centred_source, centred_target)
    gram = centred_source.T @ centred_source
    ridge_lambda = penalty * np.trace(gram) / len(gram)
    residual = centred_target - centred_source @ start.T
    correction = np.linalg.solve(gram + ridge_lambda * np.eye(len(gram)), centred_source.T @ residual)
    weight = start + correction.T
    return weight, target_mean - weight @ source_mean, float(ridge_lambda)


def prior(centred_source: np.ndarray, centred_target: np.ndarray) -> np.ndarray:
    """The identity, repeated downwards when the target is wider, scaled to the target's spread."""
    source_width, target_width = centred_source.shape[1], centred_target.shape[1]
    spread = np.sqrt((centred_target**2).mean() / (centred_source**2).mean())
    return spread * np.eye(source_width)[np.arange(target_width) % source_width]


def epsilon(source: np.ndarray, target: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> tuple[float, float]:
    """(relative, centred) Frobenius error of y = W x + b, in float64; the gate uses the larger."""
    source, target, weight, bias = (array.astype(np.float64) for array in (source, target, weight, bias))
    error = np.linalg.norm(source @ weight.T + bias - target)
    centred = np.linalg.norm(target - target.mean(axis=0))
    return float(error / np.linalg.norm(target)), float(error / centred)
