//! Tests of OpenID Connect against an issuer that misbehaves on purpose.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod issuer;
mod published_keys;
mod refused;
mod settings;
mod shop;
mod signing_in;
mod unavailable;
