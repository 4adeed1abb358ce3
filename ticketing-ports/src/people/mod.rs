//! People: their accounts, the ways into them, their sessions, and how a person is forgotten.
//!
//! | module | what it stores or does |
//! |---|---|
//! | [`buyers`] | under which id the person with an address buys |
//! | [`users`] | users, by id and by address |
//! | [`identities`] | which accounts at identity providers are linked to which users |
//! | [`passkeys`] | the WebAuthn credentials of users |
//! | [`sessions`] | who is signed in |
//! | [`one_time_tokens`] | links, sign-in codes and WebSocket tickets |
//! | [`challenges`] | the state of a passkey or OAuth ceremony between its two requests |
//! | [`rate_limiter`] | how often something may be tried |
//! | [`relying_party`] | makes WebAuthn challenges and checks their answers |
//! | [`erase`] | forgets a person, in each store that keeps something of people |
//! | [`stores`] | the stores of people in two bundles |

pub mod buyers;
pub mod challenges;
pub mod erase;
pub mod identities;
pub mod one_time_tokens;
pub mod passkeys;
pub mod rate_limiter;
pub mod relying_party;
pub mod sessions;
pub mod stores;
pub mod users;
