"""One peer as a process of its own: `peer.py NAME FOLDER VECTORS DIMENSION COUNT QUERIES`.

Orders come as JSON, one a line, on standard input, and each is answered by one line:

    {"do": "build"}                      stores the first COUNT vectors of the file; {"insert_s", "index_s", "disk_bytes"}
    {"do": "search", "from": 0, "to": 10, "k": 10}   one query at a time; {"ms": [...], "ids": [[...], ...]}
    {"do": "memory"}                     {"rss_bytes", "anonymous_bytes"}

The program's own side of the comparison speaks the same (`benches/scale/engine.rs`).
"""

import importlib
import json
import pathlib
import sys
import time

import numpy

NAMES = {
    "sqlite-vec-float": ("with_sqlite_vec", "Float"),
    "sqlite-vec-bits": ("with_sqlite_vec", "Bits"),
    "lancedb": ("with_lancedb", "Lance"),
    "usearch": ("with_usearch", "Usearch"),
    "qdrant-edge": ("with_qdrant_edge", "QdrantEdge"),
}


def memory():
    """What the process holds, as Linux tells it: with the pages of mapped files, and without."""
    facts = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    of = {key: int(facts[key].split()[0]) * 1024 for key in ("VmRSS", "RssAnon")}
    return {"rss_bytes": of["VmRSS"], "anonymous_bytes": of["RssAnon"]}


def disk(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def main():
    name, folder, vectors, dimension, count, queries = sys.argv[1:7]
    folder, dimension, count = pathlib.Path(folder), int(dimension), int(count)
    module, kind = NAMES[name]
    peer = getattr(importlib.import_module(module), kind)(folder, dimension)
    vectors = numpy.memmap(vectors, dtype=numpy.float32, mode="r").reshape(-1, dimension)[:count]
    queries = numpy.fromfile(queries, dtype=numpy.float32).reshape(-1, dimension)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "build":
            start = time.perf_counter()
            peer.insert(vectors)
            inserted = time.perf_counter()
            peer.index()
            answer = {"insert_s": inserted - start, "index_s": time.perf_counter() - inserted, "disk_bytes": disk(folder)}
        elif order["do"] == "search":
            answer = {"ms": [], "ids": []}
            for query in queries[order["from"]:order["to"]]:
                start = time.perf_counter()
                ids = peer.search(query, order["k"])
                answer["ms"].append((time.perf_counter() - start) * 1000)
                answer["ids"].append([int(id) for id in ids])
        else:
            answer = memory()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
