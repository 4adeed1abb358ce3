//! A whole box office in one process, and the people who use it.

mod actor;
mod answer;
mod server;

pub(crate) use actor::Actor;
pub(crate) use answer::Answer;
pub(crate) use server::{TestServer, event_request};
