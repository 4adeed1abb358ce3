//! A whole box office in one process, and the people who use it, for the tests of the API.

mod actor;
mod answer;
pub(crate) mod blessed;
mod contract;
pub(crate) mod guest;
mod provider;
mod server;
mod socket;

pub(crate) use actor::Actor;
pub(crate) use answer::Answer;
pub(crate) use provider::{Script, ScriptedProvider};
pub(crate) use server::{TestServer, event_request};
pub(crate) use socket::{Socket, Wire};
