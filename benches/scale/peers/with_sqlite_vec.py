"""sqlite-vec on SQLite by apsw, which can load extensions whatever Python was built with."""

import apsw
import sqlite_vec

BATCH = 1_000


class Float:
    """Floats, compared one after another."""

    columns = "vector float[{}] distance_metric=cosine"
    values = "?, ?"

    def __init__(self, folder, dimension):
        folder.mkdir(parents=True, exist_ok=True)
        self.connection = apsw.Connection(str(folder / "vectors.db"))
        self.connection.enable_load_extension(True)
        self.connection.load_extension(sqlite_vec.loadable_path())
        # As the program's own database is written.
        self.connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
        columns = self.columns.format(*[dimension] * self.columns.count("{}"))
        self.connection.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS vectors USING vec0(id integer primary key, {columns})")

    def row(self, id, vector):
        return (id, vector.tobytes())

    def insert(self, vectors):
        for start in range(0, len(vectors), BATCH):
            with self.connection:
                rows = (self.row(start + at, vector) for at, vector in enumerate(vectors[start:start + BATCH]))
                self.connection.executemany(f"INSERT INTO vectors VALUES ({self.values})", rows)

    def index(self):
        pass

    def search(self, query, k):
        found = self.connection.execute("SELECT id FROM vectors WHERE vector MATCH ? AND k = ? ORDER BY distance",
                                        (query.tobytes(), k))
        return [row[0] for row in found]


class Bits(Float):
    """One bit a component; the ten times as many best of them are compared as floats."""

    columns = "bits bit[{}], +vector blob"
    values = "?1, vec_quantize_binary(?2), ?2"

    def search(self, query, k):
        found = self.connection.execute(
            "SELECT id FROM (SELECT id, vector FROM vectors WHERE bits MATCH vec_quantize_binary(?1) AND k = ?2) "
            "ORDER BY vec_distance_cosine(vector, ?1) LIMIT ?3", (query.tobytes(), k * 10, k))
        return [row[0] for row in found]
