//! Tests of passkeys, from the challenge to the answer, with an authenticator written in software.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod browser;
mod ceremonies;
mod public_url;
mod refused;
