-- Questions and answers, each in a conversation. A name is taken by one conversation at a time that
-- is not marked as deleted.
CREATE TABLE conversations (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    session    TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER
);
CREATE UNIQUE INDEX one_conversation ON conversations (session) WHERE deleted_ms IS NULL;
CREATE INDEX conversations_by_time ON conversations (updated_ms);

-- `account` is the answer as JSON, with its sources by id and without their texts.
CREATE TABLE answers (
    id           BLOB    PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations (seq),
    position     INTEGER NOT NULL,
    asked_ms     INTEGER NOT NULL,
    question     TEXT    NOT NULL,
    answer       TEXT    NOT NULL,
    account      TEXT    NOT NULL,
    -- 1 where someone found it useful, 0 where not.
    useful       INTEGER CHECK (useful IN (0, 1)),
    note         TEXT,
    judged_ms    INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX answers_in_order ON answers (conversation, position);
CREATE INDEX answers_judged ON answers (useful) WHERE useful IS NOT NULL;
