-- Who holds places, and until when: a hold that has run out counts as available although nobody has released it yet. A row
-- lasts as long as its hold. What has run out in a section is one range of the index.
CREATE TABLE read_models.holds (
    reservation_id uuid        NOT NULL PRIMARY KEY,
    section_id     uuid        NOT NULL,
    held_until     timestamptz NOT NULL,
    quantity       bigint      NOT NULL
);

CREATE INDEX holds_of_section ON read_models.holds (section_id, held_until) INCLUDE (quantity);

-- Those that have not run out hold their places for sure. One that has may have lost them to somebody else already; it
-- counts as held, as it did until now, until it is recorded as expired, seconds after the servers run.
INSERT INTO read_models.holds (reservation_id, section_id, held_until, quantity)
SELECT reservation_id, section_id, (reservation.view ->> 'expires_at')::timestamptz,
       (reservation.view ->> 'quantity')::bigint
FROM read_models.reservations AS reservation
JOIN read_models.sections AS section
  ON section.event_id = (reservation.view ->> 'event_id')::uuid AND section.name = reservation.view ->> 'section'
WHERE reservation.status IN ('held', 'payment_pending')
  AND (reservation.view ->> 'expires_at')::timestamptz > now()
ON CONFLICT DO NOTHING;
