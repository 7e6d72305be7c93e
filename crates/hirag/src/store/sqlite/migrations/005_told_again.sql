-- What was wrong with a file when it was read, as JSON: it is told again while the file stays as it
-- is, without opening it.
ALTER TABLE sources ADD COLUMN problem TEXT;
-- 1 where the file stood on another file system than the root of its source: one that may be
-- disconnected.
ALTER TABLE sources ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
