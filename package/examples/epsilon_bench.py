"""NumPy's processor time for what `epsilon_bench` times: a 4096 x 4096 W on 1000 anchors.

Three figures, best of the rounds: the product alone, the two errors alone, and all that the epsilon
stage reports (errors, median cosine, null control, bootstrap interval).
"""

import sys
import time

import numpy as np

DIMENSION, ANCHORS, RESAMPLES = 4096, 1000, 2000


def inner(left, right):
    return np.einsum("ij,ij->i", left, right, dtype=np.float64)


def single(*matrices):
    return (matrix.astype(np.float32, copy=False) for matrix in matrices)


def product(weight, source, target):
    weight, source = single(weight, source)
    return source @ weight.T


def errors(weight, source, target):
    (target,) = single(target)
    residual = product(weight, source, target) - target
    centred = target - target.mean(axis=0, dtype=np.float64).astype(np.float32)
    norms = [inner(matrix, matrix).sum() for matrix in (residual, target, centred)]
    return np.sqrt(norms[0] / norms[1]), np.sqrt(norms[0] / norms[2])


def everything(weight, source, target):
    (target,) = single(target)
    prediction = product(weight, source, target)
    residual, centred = prediction - target, target - target.mean(axis=0, dtype=np.float64).astype(np.float32)
    other = prediction - target[np.random.default_rng(2).permutation(len(target))]
    squares = [inner(matrix, matrix) for matrix in (residual, target, centred, other)]
    cosine = np.median(inner(prediction, target) / np.sqrt(inner(prediction, prediction) * squares[1]))
    null = np.sqrt(np.median(squares[3]) / squares[2].mean())
    draws = np.random.default_rng(3).integers(0, len(target), (RESAMPLES, len(target)))
    sums = [square[draws].sum(axis=1) for square in squares[:3]]
    interval = np.percentile(np.sqrt(sums[0] / np.minimum(sums[1], sums[2])), [2.5, 97.5])
    return cosine, null, interval


def best_ms(work, matrices, rounds):
    times = []
    for _ in range(rounds):
        started = time.thread_time()
        work(*matrices)
        times.append(time.thread_time() - started)
    return 1000 * min(times)


rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
random = np.random.default_rng(1)
for dtype in (np.float32, np.float16):
    matrices = [(random.random((rows, DIMENSION)) - 0.5).astype(dtype) for rows in (DIMENSION, ANCHORS, ANCHORS)]
    figures = [f"{work.__name__} {best_ms(work, matrices, rounds):.0f} ms" for work in (product, errors, everything)]
    print(f"{np.dtype(dtype).name}: " + ", ".join(figures))
