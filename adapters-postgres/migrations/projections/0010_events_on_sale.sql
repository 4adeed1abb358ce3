-- The list that most people read: what can be bought, the soonest first. It does not grow with all that was ever on sale.
CREATE INDEX events_on_sale ON read_models.events (starts_at, event_id) WHERE status = 'sales_open';
