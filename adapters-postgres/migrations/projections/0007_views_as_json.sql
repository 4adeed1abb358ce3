-- A view is written often and read whole: JSON that is kept as it came costs half of what jsonb costs.
ALTER TABLE read_models.reservations ALTER COLUMN view TYPE json USING view::json;
ALTER TABLE read_models.payments ALTER COLUMN view TYPE json USING view::json;
ALTER TABLE read_models.sales ALTER COLUMN sale TYPE json USING sale::json;
