-- Until when the seats of a reservation are held whose hold was extended. The view says until when they were held at first.
ALTER TABLE read_models.reservations ADD COLUMN extended_until timestamptz;
