-- Folders and files that are kept up to date. `rules` and `last_run` are JSON.
CREATE TABLE kept_sources (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections (id),
    name       TEXT    NOT NULL COLLATE NOCASE,
    path       TEXT    NOT NULL,
    watch      INTEGER NOT NULL CHECK (watch IN (0, 1)),
    rules      TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    last_run   TEXT
);
CREATE UNIQUE INDEX kept_sources_by_name ON kept_sources (collection, name);

-- Which of them a file belongs to, and the hash of its size, its times and what shaped the import:
-- a file with the same is not opened again.
ALTER TABLE sources ADD COLUMN kept_by INTEGER REFERENCES kept_sources (id);
ALTER TABLE sources ADD COLUMN stamp BLOB;
CREATE INDEX sources_kept ON sources (kept_by) WHERE kept_by IS NOT NULL;
