-- An order may hold places of several sections. The row in `holds` is of one of them, so that a build that knows nothing of
-- lines finds the hold of an order of one section where it always was; the other sections of an order have their rows here.
CREATE TABLE read_models.further_holds (
    reservation_id uuid        NOT NULL,
    section_id     uuid        NOT NULL,
    held_until     timestamptz NOT NULL,
    quantity       bigint      NOT NULL,
    PRIMARY KEY (reservation_id, section_id)
);

CREATE INDEX further_holds_of_section ON read_models.further_holds (section_id, held_until) INCLUDE (quantity);

-- The lines of a sale that has several. A sale of one line has its section and tier in `sales` only, and one of several
-- lines has those of the first line there.
CREATE TABLE read_models.sale_lines (
    reservation_id uuid    NOT NULL,
    -- Where the line stands in the order, from 0.
    place          integer NOT NULL,
    section        text    NOT NULL,
    tier           text    NOT NULL,
    quantity       bigint  NOT NULL,
    total_amount   bigint  NOT NULL,
    PRIMARY KEY (reservation_id, place)
);
