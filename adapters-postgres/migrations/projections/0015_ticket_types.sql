-- The ticket type of a line, for the sales of each type; null in a section without types.
ALTER TABLE read_models.sales ADD COLUMN ticket_type text;
ALTER TABLE read_models.sale_lines ADD COLUMN ticket_type text;
