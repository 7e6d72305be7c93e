"""usearch: HNSW over components of 8 bits, with its own settings, on all cores."""

import numpy
from usearch.index import Index


class Usearch:
    def __init__(self, folder, dimension):
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "vectors.usearch"
        self.vectors = Index(ndim=dimension, metric="cos", dtype="i8")
        if self.file.exists():
            self.vectors.load(str(self.file))

    def insert(self, vectors):
        self.vectors.add(numpy.arange(len(vectors)), numpy.ascontiguousarray(vectors), threads=0)
        self.vectors.save(str(self.file))

    def index(self):
        """It is made by the insert."""

    def search(self, query, k):
        return self.vectors.search(query, k).keys
