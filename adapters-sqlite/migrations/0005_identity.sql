-- Which log this is, and which life of it: one row. The id is minted once, a UUID of version 4.
CREATE TABLE log (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    log_id      BLOB    NOT NULL,
    incarnation INTEGER NOT NULL DEFAULT 1
) STRICT;

INSERT INTO log (id, log_id) VALUES (1, unhex(
    hex(randomblob(6))
    || '4' || substr(hex(randomblob(2)), 2)
    || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2)
    || hex(randomblob(6))
));
