//! Tests of the HTTP API, told as stories of people who use a whole box office whose stores are in memory.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the right way to fail")]

mod access;
mod account;
mod analytics;
mod api_doc;
mod availability;
mod bad_requests;
mod blocking;
mod browsers;
mod codes;
mod consistency;
mod customer_limits;
mod envelope;
mod errors;
mod event_lists;
mod events;
mod examples;
mod extensions;
mod guest_addresses;
mod guests;
mod halls;
mod health;
mod hosted;
mod http_library;
mod idempotency;
mod limits;
mod lists;
mod live;
mod openapi;
mod overload;
mod passkeys;
mod payments;
mod prices;
mod providers;
mod race;
mod reservations;
mod roles;
mod several_sections;
mod sign_in;
mod support;
mod ticket_types;
mod trace_context;
mod who_may;
