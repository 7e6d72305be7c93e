"""qdrant-edge: HNSW over floats, with its own settings."""

from qdrant_edge import (Distance, EdgeConfig, EdgeShard, EdgeVectorParams, Point, Query, SearchRequest, UpdateOperation)

BATCH = 1_000


class QdrantEdge:
    def __init__(self, folder, dimension):
        if (folder / "edge_config.json").exists():
            self.shard = EdgeShard.load(str(folder))
            return
        folder.mkdir(parents=True, exist_ok=True)
        config = EdgeConfig(vectors=EdgeVectorParams(size=dimension, distance=Distance.Cosine))
        self.shard = EdgeShard.create(str(folder), config)

    def insert(self, vectors):
        for start in range(0, len(vectors), BATCH):
            points = [Point(start + at, vector.tolist()) for at, vector in enumerate(vectors[start:start + BATCH])]
            self.shard.update(UpdateOperation.upsert_points(points))
        self.shard.flush()

    def index(self):
        self.shard.optimize()
        self.shard.flush()

    def search(self, query, k):
        return [point.id for point in self.shard.search(SearchRequest(Query.Nearest(query.tolist()), k))]
