-- By which path the file is open, as bytes; nothing once it was closed. The newest rows of a file that was not closed are
-- in a file beside it that is named after this path.
ALTER TABLE log ADD COLUMN opened_as BLOB;
-- Whether how far the log has come is noted beside the file: it is, since a build opened it that does so.
ALTER TABLE log ADD COLUMN head_is_noted INTEGER NOT NULL DEFAULT 0;
