//! Event store, read models, users and passkeys in PostgreSQL.
