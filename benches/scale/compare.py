"""The vector stages side by side: `compare.py PROGRAM STORE DATA COUNT FOLDER OUT [PEER...]`.

PROGRAM's engine answers from STORE, each peer from its own folder in FOLDER, which it fills first. Every one is a
process of its own; they answer the same queries, one at a time, a few of each in turn, so that whatever else the
machine does meets all of them. What numpy finds by comparing with every vector is the truth. OUT gets the figures.
"""

import json
import pathlib
import subprocess
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
OURS = "HiRAG Studio"
K = 10
IN_TURN = 5
WARM_UP = 10
# Scores that differ by less are equal, for numpy adds in another order.
EQUAL = 1e-6


class Side:
    def __init__(self, name, command):
        self.name, self.ms, self.ids, self.facts = name, [], [], {}
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def order(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"compare: {self.name} ended while it was asked to {order['do']}")
        return json.loads(answer)

    def search(self, start, end):
        return self.order(**{"do": "search", "from": start, "to": end, "k": K})

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def exact(vectors, queries):
    """The K best scores of each query, and all scores by id, part by part."""
    best = numpy.full((len(queries), K), -2, dtype=numpy.float32)
    for start in range(0, len(vectors), 50_000):
        scores = queries @ vectors[start:start + 50_000].T
        best = numpy.sort(numpy.concatenate([best, scores], axis=1), axis=1)[:, -K:]
    return best


def recall(side, vectors, queries, best):
    """The share of the answers that are as good as the true ones."""
    hits = 0
    for query, ids, scores in zip(queries, side.ids, best):
        found = vectors[numpy.array(ids, dtype=numpy.int64)] @ query if ids else numpy.empty(0)
        hits += min(K, int((found >= scores[0] - EQUAL).sum()))
    return hits / (K * len(side.ids))


def percentiles(times):
    return dict(zip(("p50", "p95", "p99"), (float(value) for value in numpy.percentile(times, [50, 95, 99]))))


def main():
    program, store, data, count, folder, out = sys.argv[1:7]
    data, folder, count = pathlib.Path(data), pathlib.Path(folder), int(count)
    vectors_file, queries_file = data / "vectors.f32", data / "queries.f32"
    dimension = 384
    vectors = numpy.memmap(vectors_file, dtype=numpy.float32, mode="r").reshape(-1, dimension)[:count]
    queries = numpy.fromfile(queries_file, dtype=numpy.float32).reshape(-1, dimension)
    asked = min(len(queries) - WARM_UP, 200 if count <= 100_000 else 100)

    sides = [Side(OURS, [program, "engine", store, data])]
    for name in sys.argv[7:]:
        command = [sys.executable, HERE / "peers" / "peer.py", name, folder / name, vectors_file, dimension, count,
                   queries_file]
        side = Side(name, command)
        built = folder / f"{name}.json"
        if built.exists():
            side.facts = json.loads(built.read_text())
        else:
            side.facts = side.order(do="build")
            built.write_text(json.dumps(side.facts))
        sides.append(side)
    for side in sides:
        side.facts["held_before_search"] = side.order(do="memory")
        side.search(asked, asked + WARM_UP)
    for start in range(0, asked, IN_TURN):
        for side in sides:
            answer = side.search(start, min(asked, start + IN_TURN))
            side.ms += answer["ms"]
            side.ids += answer["ids"]
    best = exact(vectors, queries[:asked])
    rows = []
    for side in sides:
        facts = side.facts | {"held": side.order(do="memory")}
        side.end()
        if "insert_s" in facts:
            facts["inserts_per_s"] = count / facts["insert_s"]
        rows.append({"name": side.name, "ms": percentiles(side.ms), "recall_at_10":
                     recall(side, vectors, queries[:asked], best), **facts})
    figures = {"data": data.name, "contexts": count, "queries": asked, "sides": rows}
    pathlib.Path(out).write_text(json.dumps(figures, indent=1))
    for row in rows:
        print(f"{row['name']:<18} p50 {row['ms']['p50']:9.3f} ms  p95 {row['ms']['p95']:9.3f}  recall@10 {row['recall_at_10']:.3f}")


main()
