//! What is neither ours nor a store: time, the payment gateway, mail, identity providers.

pub mod clock;
pub mod gateway;
pub mod identity_providers;
pub mod mailer;
