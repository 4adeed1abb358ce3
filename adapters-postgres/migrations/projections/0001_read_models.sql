-- Everything here is derived from the log. A rebuild makes the same tables in another schema and renames the two.
CREATE SCHEMA read_models;

CREATE TABLE read_models.checkpoint (
    id       boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (id),
    position bigint  NOT NULL
) WITH (fillfactor = 10);

INSERT INTO read_models.checkpoint (position) VALUES (0);

CREATE TABLE read_models.events (
    event_id              uuid        NOT NULL PRIMARY KEY,
    owner_id              uuid        NOT NULL,
    status                text        NOT NULL,
    version               bigint      NOT NULL,
    starts_at             timestamptz NOT NULL,
    -- Grows by one with every change of a count.
    availability_sequence bigint      NOT NULL DEFAULT 0,
    -- As it was created; `status` and `version` are those of today.
    view                  jsonb       NOT NULL
);

CREATE INDEX events_by_start ON read_models.events (starts_at, event_id);

CREATE TABLE read_models.sections (
    section_id   uuid        NOT NULL PRIMARY KEY,
    event_id     uuid        NOT NULL,
    -- Orders the sections of an event as they were opened.
    place        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    name         text        NOT NULL,
    capacity     bigint      NOT NULL,
    available    bigint      NOT NULL CHECK (available >= 0),
    held         bigint      NOT NULL CHECK (held >= 0),
    sold         bigint      NOT NULL CHECK (sold >= 0),
    blocked      bigint      NOT NULL CHECK (blocked >= 0),
    last_updated timestamptz NOT NULL,
    CHECK (available + held + sold + blocked = capacity)
) WITH (fillfactor = 50);

CREATE INDEX sections_of_event ON read_models.sections (event_id, place);

CREATE TABLE read_models.reservations (
    reservation_id uuid        NOT NULL PRIMARY KEY,
    customer_id    uuid        NOT NULL,
    created_at     timestamptz NOT NULL,
    status         text        NOT NULL,
    version        bigint      NOT NULL,
    payment_id     uuid,
    completed_at   timestamptz,
    tickets        jsonb       NOT NULL,
    -- As it was held; the columns are those of today.
    view           jsonb       NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX reservations_of_customer ON read_models.reservations (customer_id, created_at, reservation_id);

CREATE TABLE read_models.payments (
    payment_id      uuid        NOT NULL PRIMARY KEY,
    customer_id     uuid        NOT NULL,
    created_at      timestamptz NOT NULL,
    status          text        NOT NULL,
    version         bigint      NOT NULL,
    updated_at      timestamptz NOT NULL,
    last_four       text,
    refunded_amount bigint      NOT NULL,
    -- As it was requested; the columns are those of today.
    view            jsonb       NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX payments_of_customer ON read_models.payments (customer_id, created_at, payment_id);

CREATE TABLE read_models.sales (
    reservation_id uuid        NOT NULL PRIMARY KEY,
    event_id       uuid        NOT NULL,
    customer_id    uuid        NOT NULL,
    section        text        NOT NULL,
    tier           text        NOT NULL,
    quantity       bigint      NOT NULL,
    total_amount   bigint      NOT NULL,
    currency       text        NOT NULL,
    sold_at        timestamptz NOT NULL,
    refunded       bigint      NOT NULL DEFAULT 0,
    -- The tickets were given back.
    returned       boolean     NOT NULL DEFAULT false,
    sale           jsonb       NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX sales_of_event ON read_models.sales (event_id);
CREATE INDEX sales_of_customer ON read_models.sales (customer_id, sold_at, reservation_id);
