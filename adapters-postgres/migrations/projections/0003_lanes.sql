-- Nobody noted the lane of what was parked until now. It is no longer asked for once the letter is retried.
ALTER TABLE dead_letters ADD COLUMN lane text NOT NULL DEFAULT 'event-00000000-0000-0000-0000-000000000000';
ALTER TABLE dead_letters ALTER COLUMN lane DROP DEFAULT;
