-- What lists are filtered, sorted and counted by, in the order of storing and without the texts:
-- a list of a hundred thousand is sorted from some megabytes instead of from everything.
CREATE INDEX contexts_listed ON contexts (
    collection, seq, deleted_ms, level, agent, session, created_ms, updated_ms, accessed_ms,
    access_count, token_count
);
