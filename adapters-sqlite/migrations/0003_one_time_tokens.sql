-- Subjects are addresses of people: a row is deleted when it is used and, by the next writer, when it has expired.
CREATE TABLE one_time_tokens (
    digest     BLOB    NOT NULL,
    purpose    INTEGER NOT NULL,
    subject    TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (digest, purpose)
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

CREATE INDEX one_time_tokens_by_subject ON one_time_tokens (subject, purpose);
