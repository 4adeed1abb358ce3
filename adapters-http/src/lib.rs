//! The HTTP API of the box office as an axum router.
