CREATE TABLE passkeys (
    credential_id BLOB    NOT NULL PRIMARY KEY,
    user_id       BLOB    NOT NULL,
    name          TEXT    NOT NULL,
    credential    BLOB    NOT NULL,
    counter       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER,
    suspect       INTEGER NOT NULL
) STRICT;

CREATE INDEX passkeys_of_user ON passkeys (user_id, created_at, credential_id);

CREATE TABLE identities (
    issuer    TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    user_id   BLOB    NOT NULL,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT;

CREATE INDEX identities_of_user ON identities (user_id, linked_at);
