-- How much money has gone back for a reservation. What went back before reservations recorded it is known only of their
-- payments.
ALTER TABLE read_models.reservations ADD COLUMN refunded bigint NOT NULL DEFAULT 0;
