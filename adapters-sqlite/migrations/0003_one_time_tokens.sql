-- Secrets are known by their SHA-256 alone. A row vanishes with the next write after it has expired.
CREATE TABLE one_time_tokens (
    digest     BLOB    NOT NULL,
    purpose    INTEGER NOT NULL,
    subject    TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (digest, purpose)
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_tokens_by_subject ON one_time_tokens (subject, purpose);
CREATE INDEX one_time_tokens_by_end ON one_time_tokens (expires_at);
