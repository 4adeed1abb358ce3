-- How far the warehouse has come; its facts and dimensions come with the service that fills them.
CREATE TABLE checkpoint (
    id       boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (id),
    position bigint  NOT NULL
);

INSERT INTO checkpoint (position) VALUES (0);
