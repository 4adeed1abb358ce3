CREATE TABLE users (
    user_id    uuid        NOT NULL PRIMARY KEY,
    email      text        NOT NULL UNIQUE,
    role       text        NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE passkeys (
    credential_id bytea       NOT NULL PRIMARY KEY,
    user_id       uuid        NOT NULL,
    name          text        NOT NULL,
    credential    bytea       NOT NULL,
    counter       bigint      NOT NULL,
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    suspect       boolean     NOT NULL
);

CREATE INDEX passkeys_of_user ON passkeys (user_id, created_at, credential_id);
