//! Finds or starts the real services that tests run on: PostgreSQL, Redis and a Kafka-API broker.
