"""Re-reads what `make.py` wrote, with the safetensors package, and measures it again from the stored bytes.

Shares no code with the fit or the writer. Exit code 0 when every file is in the format and every figure agrees with
the manifest, else 1 with one line per fault. The deciding judge is the product's own validator, not this.
"""

import json
import re
from pathlib import Path

import numpy as np
from safetensors import safe_open

MATRIX_TENSORS = {"weight", "bias", "anchors.source", "anchors.target"}
MATRIX_METADATA = (
    "lpkg.version space source.model target.model layer pooling normalization anchors.prompts_sha256 "
    "fit.method fit.lambda epsilon.declared"
).split()
TOTAL_BYTES_MAX = 3 * 1024 * 1024
HEADER_BYTES_MAX = 256 * 1024
EPSILON_MAX = 0.10
ANCHORS_MIN = 128
CONDITION_MAX = 1e4


class Faults(list):
    def unless(self, condition: bool, message: str):
        if not condition:
            self.append(message)


def run(folder: Path) -> int:
    faults = Faults()
    entries = json.loads((folder / "manifest.json").read_text())
    print(f"{'W-Matrix':35} {'shape':8} {'n':>4} {'epsilon':>8} {'rel':>8} {'centred':>8} "
          f"{'identity':>8} {'cosine':>7} {'null':>6} {'cond':>7} {'rank':>6}  outcome")
    for entry in entries:
        matrix, matrix_metadata = read(folder / entry["wMatrixFile"], faults)
        package, package_metadata = read(folder / entry["packageFile"], faults)
        check_matrix(entry, matrix, matrix_metadata, faults)
        check_package(entry, package, package_metadata, matrix, faults)
    total = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    faults.unless(total <= TOTAL_BYTES_MAX, f"{total} bytes in all")
    kinds = {(entry["packageType"], entry["expected"]) for entry in entries}
    wanted = {("vector", "completed"), ("vector", "failed"), ("memory", "completed"), ("chain", "completed")}
    faults.unless(wanted <= kinds, f"missing {wanted - kinds}")
    print(f"{total} bytes in {2 * len(entries)} files")
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


def read(path: Path, faults: Faults) -> tuple[dict, dict]:
    header_bytes = int.from_bytes(path.open("rb").read(8), "little")
    faults.unless(header_bytes <= HEADER_BYTES_MAX, f"{path.name}: header of {header_bytes} bytes")
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        metadata = file.metadata()
    for name, tensor in tensors.items():
        faults.unless(tensor.size > 0 and np.isfinite(tensor).all(), f"{path.name}: {name} is empty or not finite")
    return tensors, metadata


def check_matrix(entry: dict, tensors: dict, metadata: dict, faults: Faults):
    name = entry["wMatrixFile"]
    faults.unless(set(tensors) == MATRIX_TENSORS, f"{name}: tensors {sorted(tensors)}")
    faults.unless(set(metadata) == set(MATRIX_METADATA), f"{name}: metadata {sorted(metadata)}")
    weight, bias, source, target = (
        tensors[tensor].astype(np.float64) for tensor in ("weight", "bias", "anchors.source", "anchors.target")
    )
    rows = len(source)
    shapes_agree = source.shape == (rows, weight.shape[1]) and target.shape == (rows, weight.shape[0])
    faults.unless(shapes_agree and bias.shape == weight.shape[:1] and rows >= ANCHORS_MIN, f"{name}: shapes")
    relative, centred = errors(source @ weight.T + bias, target)
    measured = max(relative, centred)
    # What the buyer would have without the map.
    identity = max(errors(source, target)) if source.shape == target.shape else float("nan")
    null = max(errors(source @ weight.T + bias, np.roll(target, rows // 2, axis=0)))
    singular = np.linalg.svd(weight, compute_uv=False)
    condition, share = singular[0] / singular[-1], singular / singular.sum()
    effective_rank = np.exp(-(share * np.log(share)).sum())
    faults.unless(weight.any(axis=0).all() and weight.any(axis=1).all(), f"{name}: a zero row or column")
    faults.unless(condition < CONDITION_MAX, f"{name}: condition number {condition:.3g}")
    faults.unless(effective_rank >= 0.5 * len(singular), f"{name}: effective rank {effective_rank:.1f}")
    faults.unless(null >= 0.9, f"{name}: permuted anchors score {null:.3f}")
    faults.unless(metadata["epsilon.declared"] == f"{measured:.6f}", f"{name}: measured {measured:.6f}")
    faults.unless(abs(entry["epsilon"] - measured) < 1e-6, f"{name}: the manifest says {entry['epsilon']}")
    faults.unless((measured <= EPSILON_MAX) == (entry["expected"] == "completed"), f"{name}: wrong expectation")
    model_names = (entry["sourceModel"], entry["targetModel"])
    faults.unless((metadata["source.model"], metadata["target.model"]) == model_names, f"{name}: model names")
    print(f"{name:35} {weight.shape[0]}x{weight.shape[1]:<4} {rows:4} {measured:8.6f} {relative:8.6f} {centred:8.6f} "
          f"{identity:8.6f} {cosine_median(source @ weight.T + bias, target):7.4f} {null:6.3f} {condition:7.2f} "
          f"{effective_rank:6.1f}  {entry['expected']}")


def errors(predicted: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    error = np.sqrt(((predicted - target) ** 2).sum())
    return error / np.sqrt((target**2).sum()), error / np.sqrt(((target - target.mean(axis=0)) ** 2).sum())


def cosine_median(predicted: np.ndarray, target: np.ndarray) -> float:
    lengths = np.linalg.norm(predicted, axis=1) * np.linalg.norm(target, axis=1)
    return float(np.median((predicted * target).sum(axis=1) / lengths))


def check_package(entry: dict, tensors: dict, metadata: dict, matrix: dict, faults: Faults):
    name, source_width = entry["packageFile"], matrix["weight"].shape[1]
    faults.unless(3 <= len(entry["name"]) <= 100, f"{name}: length of the name")
    faults.unless(10 <= len(entry["description"]) <= 1000, f"{name}: length of the description")
    widths, names = set(), set()
    if entry["packageType"] == "vector":
        names, widths = {"vector"}, {tensors["vector"].shape[1]}
    if entry["packageType"] == "memory":
        layers = sum(bool(re.fullmatch(r"layers\.\d+\.key", tensor)) for tensor in tensors)
        names = {f"layers.{layer}.{kind}" for layer in range(layers) for kind in ("key", "value")} | {"positions"}
        caches = [tensor.shape for key, tensor in tensors.items() if key != "positions"]
        widths = {heads * head_dim for heads, _, head_dim in caches}
        faults.unless({shape[1] for shape in caches} == {len(tensors["positions"])}, f"{name}: sequence lengths")
    if entry["packageType"] == "chain":
        steps = json.loads(metadata["steps"])
        names = {f"steps.{index}.state" for index in range(len(steps))}
        widths = {tensor.shape[1] for tensor in tensors.values()}
        for index, step in enumerate(steps):
            earlier = all(parent < index for parent in step["parents"])
            faults.unless(step["index"] == index and earlier and 0 <= step["confidence"] <= 1, f"{name}: step {index}")
    faults.unless(set(tensors) == names, f"{name}: tensors {sorted(tensors)}")
    faults.unless(widths == {source_width}, f"{name}: widths {widths}, the map reads {source_width}")
