"""all-MiniLM-L6-v2 in NumPy: tokens in, hidden states, keys, values and sentence embeddings out.

The forward pass is the published BERT architecture (six layers, twelve heads of 32, width 384), computed in
float64 so that two machines agree far below the half precision the packages are stored in. Texts are grouped by
token count, so no padding and no attention mask exist. Does not train and does not download anything.
"""

import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from safetensors import safe_open
from scipy.special import erf
from tokenizers import Tokenizer

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The three sentences and cosines printed in the Sentence Transformers documentation for this model.
DOCUMENTED_SENTENCES = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
DOCUMENTED_COSINES = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
HEADS = 12
HEAD_DIM = 32
WIDTH = HEADS * HEAD_DIM
BATCH_TOKENS_MAX = 4096


class MiniLM:
    """The model with the weights of `folder`, as published or rounded by `round_linear`."""

    def __init__(self, folder: Path, round_linear=None):
        weights_file = folder / "model.safetensors"
        digest = hashlib.sha256(weights_file.read_bytes()).hexdigest()
        if digest != WEIGHTS_SHA256:
            raise SystemExit(f"{weights_file.name} is not the published all-MiniLM-L6-v2 (sha256 {digest})")
        config = json.loads((folder / "config.json").read_text())
        self.layers = config["num_hidden_layers"]
        self.norm_epsilon = config["layer_norm_eps"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.weights = {}
        with safe_open(weights_file, framework="np") as tensors:
            for name in tensors.keys():
                tensor = tensors.get_tensor(name)
                if tensor.dtype.kind == "f":
                    tensor = tensor.astype(np.float64)
                    if round_linear and is_linear(name):
                        tensor = round_linear(tensor)
                self.weights[name] = tensor

    def token_ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def run(self, ids: np.ndarray):
        """Last hidden states [batch, tokens, 384], and each layer's (key, value), for equally long `ids`."""
        table = self.weights
        tokens = ids.shape[1]
        state = (
            table["embeddings.word_embeddings.weight"][ids]
            + table["embeddings.position_embeddings.weight"][:tokens]
            + table["embeddings.token_type_embeddings.weight"][0]
        )
        state = self._normalise("embeddings.LayerNorm", state)
        cache = []
        for layer in range(self.layers):
            state, key, value = self._layer(f"encoder.layer.{layer}", state)
            cache.append((key, value))
        return state, cache

    def embed(self, texts: list[str]) -> np.ndarray:
        """Sentence embeddings [texts, 384]: mean over tokens, then unit length, as the published pipeline does."""
        ids_of = [self.token_ids(text) for text in texts]
        rows_by_length = defaultdict(list)
        for row, ids in enumerate(ids_of):
            rows_by_length[len(ids)].append(row)
        embeddings = np.empty((len(texts), WIDTH))
        for length, rows in sorted(rows_by_length.items()):
            step = max(1, BATCH_TOKENS_MAX // length)
            for start in range(0, len(rows), step):
                batch = rows[start : start + step]
                state, _ = self.run(np.array([ids_of[row] for row in batch]))
                pooled = state.mean(axis=1)
                embeddings[batch] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return embeddings

    def check_documented_cosines(self):
        """Stops unless this forward pass gives the figures that the model's own documentation prints."""
        embeddings = self.embed(DOCUMENTED_SENTENCES)
        if np.abs(embeddings @ embeddings.T - DOCUMENTED_COSINES).max() > 5.1e-5:
            raise SystemExit("the forward pass disagrees with the model's documentation")

    def _layer(self, prefix: str, state: np.ndarray):
        query = self._heads(f"{prefix}.attention.self.query", state)
        key = self._heads(f"{prefix}.attention.self.key", state)
        value = self._heads(f"{prefix}.attention.self.value", state)
        scores = query @ key.swapaxes(-1, -2) / np.sqrt(HEAD_DIM)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        mixed = mixed.swapaxes(1, 2).reshape(state.shape)
        attended = self._linear(f"{prefix}.attention.output.dense", mixed)
        state = self._normalise(f"{prefix}.attention.output.LayerNorm", state + attended)
        inner = self._linear(f"{prefix}.intermediate.dense", state)
        inner = inner * 0.5 * (1.0 + erf(inner / np.sqrt(2.0)))
        outer = self._linear(f"{prefix}.output.dense", inner)
        return self._normalise(f"{prefix}.output.LayerNorm", state + outer), key, value

    def _heads(self, name: str, state: np.ndarray) -> np.ndarray:
        batch, tokens, _ = state.shape
        return self._linear(name, state).reshape(batch, tokens, HEADS, HEAD_DIM).swapaxes(1, 2)

    def _linear(self, name: str, state: np.ndarray) -> np.ndarray:
        return state @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _normalise(self, name: str, state: np.ndarray) -> np.ndarray:
        centred = state - state.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.norm_epsilon)
        return centred / scale * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def is_linear(name: str) -> bool:
    """Whether a weight belongs to a dense layer of the encoder: what integer quantisation usually covers."""
    return name.startswith("encoder.") and name.endswith(".weight") and "LayerNorm" not in name


def round_to_integers(bits: int):
    """Symmetric rounding of each output channel to `bits` bit integers and back, the usual weight-only scheme."""
    top = 2 ** (bits - 1) - 1

    def round_linear(weight: np.ndarray) -> np.ndarray:
        scale = np.abs(weight).max(axis=1, keepdims=True) / top
        return np.rint(weight / scale) * scale

    return round_linear
