"""LanceDB with IVF_HNSW_SQ and its own settings."""

import lancedb
import pyarrow

BATCH = 10_000
# It trains its quantiser with at least as many.
LEAST_TO_INDEX = 256


class Lance:
    def __init__(self, folder, dimension):
        kind = pyarrow.list_(pyarrow.float32(), dimension)
        self.schema = pyarrow.schema([("id", pyarrow.int64()), ("vector", kind)])
        self.dimension = dimension
        database = lancedb.connect(str(folder))
        self.table = database.create_table("vectors", schema=self.schema, exist_ok=True)

    def insert(self, vectors):
        for start in range(0, len(vectors), BATCH):
            batch = vectors[start:start + BATCH]
            flat = pyarrow.array(batch.reshape(-1))
            columns = [pyarrow.array(range(start, start + len(batch))),
                       pyarrow.FixedSizeListArray.from_arrays(flat, self.dimension)]
            self.table.add(pyarrow.Table.from_arrays(columns, schema=self.schema))

    def index(self):
        if self.table.count_rows() >= LEAST_TO_INDEX:
            self.table.create_index(metric="cosine", index_type="IVF_HNSW_SQ")

    def search(self, query, k):
        found = self.table.search(query).distance_type("cosine").select(["id", "_distance"]).limit(k).to_arrow()
        return found["id"].to_pylist()
