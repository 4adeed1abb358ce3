//! The box office as one binary.
