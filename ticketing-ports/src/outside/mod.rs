//! What the box office needs from outside apart from stores: time, the payment gateway, mail and identity providers.

pub mod clock;
pub mod gateway;
pub mod identity_providers;
pub mod mailer;
