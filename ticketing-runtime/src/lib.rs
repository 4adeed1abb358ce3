//! The engine that runs the domain.
//!
//! A *lane* for each event on sale decides commands one after another in memory and hands their facts to the event store
//! in group commits; followers of the log publish it and keep the read models; deadlines wake lanes up. [`BoxOffice`] is
//! the front door for what changes something, [`Desk`] for questions.
//!
//! Never here: knowledge of a concrete adapter, or a rule of the domain.

mod box_office;
mod deadlines;
mod desk;
mod engine;
mod failure;
mod floor;
mod follow;
mod housekeeping;
mod known_log;
mod lane;
mod observer;
mod retry;
mod setup;
mod sign_in;
mod token;

pub use box_office::{Answer, BoxOffice, HistoryEntry, IdempotencyRequest, Request};
pub use desk::{Desk, DeskPorts, PagedList, READ_YOUR_WRITES_PATIENCE};
pub use engine::{Engine, EngineBuilder, ProjectionPorts};
pub use failure::{Failure, UnavailableCause};
pub use floor::{LogNotReadable, check_schema_floor, finish_update};
pub use follow::{
    Bus, Facts, FactsFrom, FollowError, FollowPorts, Follower, FollowerCondition, FollowerProgress, FollowerSpec, Lag,
    LoggedFact, MarkKept, OnBadFact, OnLostPast, ProjectionFollower, READ_MODELS, RELAY, Reached, Runs, StartAt, Twin,
    rebuild, relay_id,
};
pub use observer::{Counts, NoObserver, Observed, Observer, Setback, Totals};
pub use setup::{EngineConfig, Ports};
pub use sign_in::{Accounts, Ceremonies, Ensured, Sessions, SignIn, SignInConfig, SignInFailure, SignInPorts};
/// What can be asked of a [`BoxOffice`].
pub use ticketing_domain::commands::{
    AuthorizePayment, BlockSeats, CancelEvent, GatewayAnswer, HoldFor, HoldSeats, PayReservation, RefundPayment,
    ReportPayment, UnblockSeats,
};
pub use token::ConsistencyToken;
