"""Writes safetensors files whose bytes depend on nothing but their content.

The header is sorted JSON padded to eight bytes and the tensors follow in the header's order; the safetensors package's
own writer keeps the metadata in a hash map, whose order changes from run to run. Does not read: `check.py` does.
"""

import json
from pathlib import Path

import numpy as np

DTYPES = {"float16": "F16", "float32": "F32", "int64": "I64"}
ALIGNMENT_BYTES = 8


def write(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    # Wide types first, so that every tensor is aligned to its element.
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header = {"__metadata__": dict(sorted(metadata.items()))}
    offset = 0
    for name in names:
        tensor = tensors[name]
        header[name] = {
            "dtype": DTYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT_BYTES)
    body = b"".join(tensors[name].astype(tensors[name].dtype.newbyteorder("<")).tobytes() for name in names)
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
