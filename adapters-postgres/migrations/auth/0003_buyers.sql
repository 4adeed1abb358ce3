-- Under which id the person with an address buys. An account that is made later for the address gets the same id.
CREATE TABLE buyers (
    email   text NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL
);

CREATE INDEX buyers_by_id ON buyers (user_id);

-- The address that was given for a guest's order.
CREATE TABLE order_addresses (
    reservation_id uuid NOT NULL PRIMARY KEY,
    email          text NOT NULL
);

CREATE INDEX order_addresses_by_email ON order_addresses (email);
