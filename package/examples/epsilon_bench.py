"""NumPy's time for the work that `epsilon_bench` times: both errors of a 4096 x 4096 W on 1000 anchors."""

import sys
import time

import numpy as np

DIMENSION, ANCHORS = 4096, 1000


def epsilon(weight, source, target):
    weight, source, target = (matrix.astype(np.float32, copy=False) for matrix in (weight, source, target))
    residual = source @ weight.T - target
    norm = np.sqrt(np.einsum("ij,ij->", residual, residual, dtype=np.float64))
    relative = norm / np.sqrt(np.einsum("ij,ij->", target, target, dtype=np.float64))
    centred = target - target.mean(axis=0, dtype=np.float64)
    return relative, norm / np.sqrt(np.einsum("ij,ij->", centred, centred))


rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
random = np.random.default_rng(1)
for dtype in (np.float32, np.float16):
    matrices = [(random.random((rows, DIMENSION)) - 0.5).astype(dtype) for rows in (DIMENSION, ANCHORS, ANCHORS)]
    times, products = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        epsilon(*matrices)
        times.append(time.perf_counter() - started)
        weight, source = (matrix.astype(np.float32) for matrix in matrices[:2])
        started = time.perf_counter()
        source @ weight.T
        products.append(time.perf_counter() - started)
    print(f"{np.dtype(dtype).name}: epsilon {1000 * np.median(times):.0f} ms, product {1000 * np.median(products):.0f} ms")
