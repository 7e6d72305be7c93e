-- Counters of the whole database: `operation` numbers deletions for undo.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE collections (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

-- Vectors belong to a model and a dimension. One set a collection is active and serves; another
-- may be building beside it. The vectors of set N stand in the virtual table vectors_N.
CREATE TABLE vector_sets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections (id),
    model      TEXT    NOT NULL,
    dimension  INTEGER NOT NULL CHECK (dimension > 0),
    active     INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX one_active_set ON vector_sets (collection) WHERE active = 1;
CREATE UNIQUE INDEX one_building_set ON vector_sets (collection) WHERE active = 0;

CREATE TABLE contexts (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           BLOB    NOT NULL UNIQUE,
    collection   INTEGER NOT NULL REFERENCES collections (id),
    text         TEXT    NOT NULL,
    level        INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3),
    agent        TEXT,
    session      TEXT,
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    accessed_ms  INTEGER NOT NULL,
    access_count INTEGER NOT NULL DEFAULT 0,
    token_count  INTEGER NOT NULL,
    word_count   INTEGER NOT NULL,
    content_hash BLOB    NOT NULL,
    metadata     TEXT    NOT NULL,
    source       TEXT,
    source_key   TEXT,
    position     INTEGER NOT NULL,
    expires_ms   INTEGER,
    -- 1 when expires_ms follows from the level's time-to-live, 0 when someone chose it.
    level_expiry INTEGER NOT NULL DEFAULT 0,
    deleted_ms   INTEGER,
    deleted_by   INTEGER,
    priority     INTEGER NOT NULL,
    -- 1 while it waits for its vector of the active set.
    pending      INTEGER NOT NULL
);
CREATE INDEX contexts_by_level ON contexts (collection, level, accessed_ms) WHERE deleted_ms IS NULL;
CREATE INDEX contexts_by_agent ON contexts (agent) WHERE agent IS NOT NULL;
CREATE INDEX contexts_by_session ON contexts (session, position) WHERE session IS NOT NULL;
CREATE UNIQUE INDEX contexts_by_source ON contexts (collection, source, source_key)
    WHERE source_key IS NOT NULL AND deleted_ms IS NULL;
CREATE INDEX contexts_pending ON contexts (collection, priority DESC, seq) WHERE pending = 1;
CREATE INDEX contexts_expiring ON contexts (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE INDEX contexts_deleted ON contexts (deleted_by, deleted_ms) WHERE deleted_ms IS NOT NULL;

-- One row for each scalar in the metadata, so that filters are answered by an index. `path` joins
-- keys with dots; the elements of an array share its path. `kind` is b, n or t.
CREATE TABLE context_fields (
    path  TEXT    NOT NULL,
    kind  TEXT    NOT NULL,
    value         NOT NULL,
    seq   INTEGER NOT NULL,
    PRIMARY KEY (path, kind, value, seq)
) WITHOUT ROWID;
CREATE INDEX context_fields_by_context ON context_fields (seq);

-- The words of context `seq` under rowid `seq`. Contentless: the text stands in `contexts`.
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
);

-- The same words, a row for each place where one stands: how often a context has a word.
CREATE VIRTUAL TABLE word_instances USING fts5vocab (words, instance);

-- What has been imported from each source, so that importing again is a no-op.
CREATE TABLE sources (
    collection   INTEGER NOT NULL REFERENCES collections (id),
    source       TEXT    NOT NULL,
    fingerprint  BLOB    NOT NULL,
    contexts     INTEGER NOT NULL,
    imported_ms  INTEGER NOT NULL,
    PRIMARY KEY (collection, source)
) WITHOUT ROWID;

CREATE TABLE traces (
    id    BLOB PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    body  BLOB    NOT NULL
) WITHOUT ROWID;
CREATE INDEX traces_by_time ON traces (at_ms);
