//! The engine that runs the domain.
//!
//! One *lane* for each event on sale decides commands one after another in memory and hands their facts to the event
//! store in group commits; a projector follows the log into the read models; deadlines wake lanes up. [`BoxOffice`] is
//! the front door for what changes something, [`Desk`] for questions.
//!
//! Never here: knowledge of a concrete adapter, or a rule of the domain.

mod batch;
mod box_office;
mod commit;
mod deadlines;
mod desk;
mod engine;
mod failure;
mod gateway_calls;
mod housekeeping;
mod idempotency;
mod job;
mod lane;
mod lanes;
mod projector;
mod relay;
mod routes;
mod sign_in;
mod tail;
mod turn;

pub use box_office::{
    Answer, AuthorizePayment, BoxOffice, CancelEvent, HistoryEntry, HoldSeats, IdempotencyRequest, PayReservation,
    RefundPayment, Request,
};
pub use desk::{ConsistencyToken, Desk, DeskPorts, READ_YOUR_WRITES_PATIENCE};
pub use engine::{Engine, EngineConfig, Ports, ProjectionPorts};
pub use failure::{Failure, UnavailableCause};
pub use projector::{READ_MODELS, rebuild};
pub use relay::RELAY;
pub use sign_in::{Ensured, SignIn, SignInConfig, SignInFailure, SignInPorts};
