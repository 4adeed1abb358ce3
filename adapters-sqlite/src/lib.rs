//! Event store, deadlines, idempotency records and users in one SQLite file.
