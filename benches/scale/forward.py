"""The same model under onnxruntime: `forward.py MODEL_FOLDER TEXTS`; what `scale forward` does, on as many threads.

Prints one JSON document.
"""

import json
import pathlib
import sys
import time

import numpy
import onnxruntime
import tokenizers

THREADS, BATCH, TOKENS = 2, 32, 256


class Model:
    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options,
                                                    providers=["CPUExecutionProvider"])
        self.inputs = {given.name for given in self.session.get_inputs()}
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(TOKENS)
        # As long as the longest of the batch.
        self.tokenizer.enable_padding()

    def embed(self, texts):
        encoded = self.tokenizer.encode_batch(texts)
        mask = numpy.array([one.attention_mask for one in encoded], dtype=numpy.int64)
        given = {"input_ids": numpy.array([one.ids for one in encoded], dtype=numpy.int64), "attention_mask": mask,
                 "token_type_ids": numpy.zeros_like(mask)}
        hidden = self.session.run(None, {name: given[name] for name in given if name in self.inputs})[0]
        mask = mask[:, :, None].astype(numpy.float32)
        mean = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
        return mean / numpy.linalg.norm(mean, axis=1, keepdims=True)


def main():
    model = Model(pathlib.Path(sys.argv[1]))
    texts = pathlib.Path(sys.argv[2]).read_text("utf-8").splitlines()
    singles = []
    for number, text in enumerate(texts[:220]):
        start = time.perf_counter()
        model.embed([text])
        if number >= 20:
            singles.append((time.perf_counter() - start) * 1000)
    batched = texts[:len(texts) // BATCH * BATCH]
    start = time.perf_counter()
    for first in range(0, len(batched), BATCH):
        model.embed(batched[first:first + BATCH])
    rate = len(batched) / (time.perf_counter() - start)
    single = dict(zip(("p50", "p95", "p99"), (float(value) for value in numpy.percentile(singles, [50, 95, 99]))))
    print(json.dumps({"threads": THREADS, "single_ms": single, "batch": BATCH, "texts_per_s": rate}))


main()
