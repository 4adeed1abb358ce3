//! The event bus over the Kafka API.
