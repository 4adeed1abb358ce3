//! The engine of the box office: it runs the rules of `ticketing-domain` on the ports of `ticketing-ports`.
//!
//! Each event on sale has a *lane*. The lane has all that is known about the event in memory, decides one command after
//! another, and writes what it has decided to the event store in group commits. *Followers* handle the facts of the log
//! in order: they publish them and keep rows for reading. *Deadlines* wake lanes when time has passed.
//!
//! The crate depends on no adapter and contains no rule of the domain.
//!
//! # Where to find what
//!
//! Commands and questions about a single thing go to the [`BoxOffice`], all other questions to the [`Desk`].
//! [`Engine`] starts and stops everything.
//!
//! | folder or file | what it does | read first |
//! |---|---|---|
//! | `engine.rs`, `setup.rs` | start and stop all that runs; ports and settings | [`Engine::start`], [`EngineConfig`] |
//! | `box_office.rs`, `request.rs` | the front door for commands | [`BoxOffice::ask`] |
//! | `desk/` | questions: who may ask, and how fresh the answer is | [`Desk::catch_up`] |
//! | `lane/` | decides and commits | `lane/mod.rs`, then `decide.rs` and `outcome.rs` |
//! | `follow/` | handles the facts of the log | [`Follower`], then `follower_loop.rs` |
//! | `live/` | seats of watched events, in memory | [`LiveBoards`], then `board.rs` |
//! | `sign_in/` | sign-in by link, provider and passkey; sessions; accounts | [`SignIn`] |
//! | `deadlines.rs`, `housekeeping.rs` | report due deadlines; delete old idempotency records | |
//! | `token.rs`, `known_log.rs` | consistency tokens, for reading one's own writes | [`ConsistencyToken`] |
//! | `schema_floor.rs` | which versions of facts may be written while two builds run | [`check_schema_floor`] |
//! | `observer.rs`, `failure.rs`, `retry.rs` | metrics, errors, retries | [`Observer`], [`Failure`] |
//! | `spans.rs`, `trail.rs` | traces, and the log lines about facts and commands | [`Tracer`] |
//!
//! # Embedding
//!
//! An engine needs [`Ports`]. This one has everything in memory. It puts a concert on sale and sells a seat.
//!
//! ```
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! # use adapters_memory::{InMemoryEventStore, InMemoryGateway, SeededIds, TokioClock};
//! # use ticketing_ports::log::streams::CorrelationId;
//! # use ticketing_ports::outside::clock::Clock as _;
//! # use chrono::TimeDelta;
//! # use ticketing_domain::catalog::{EventDraft, SectionDraft};
//! # use ticketing_ports::Timestamp;
//! # use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
//! # use ticketing_ports::vocabulary::ids::UserId;
//! # use ticketing_ports::vocabulary::money::{Currency, Money};
//! # use ticketing_ports::vocabulary::seating::{Label, Seating};
//! # use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
//! # use ticketing_ports::vocabulary::roles::{Actor, Role};
//! # use ticketing_runtime::{Engine, EngineConfig, HoldSeats, PayReservation, Ports, Request};
//! # use uuid::Uuid;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (log, clock) = (Arc::new(InMemoryEventStore::new()), Arc::new(TokioClock::start()));
//! let draft = a_concert(clock.now()); // one section, "Floor", with ten seats
//! let ports = Ports {
//!     events: log.clone(),
//!     snapshots: log.clone(),
//!     deadlines: log.clone(),
//!     idempotency: log,
//!     gateway: Arc::new(InMemoryGateway::default()),
//!     clock,
//!     ids: Arc::new(SeededIds::new(1)),
//! };
//! let engine = Engine::start_write_side(ports, EngineConfig::default());
//! let office = engine.box_office();
//!
//! let organiser = Actor { user_id: UserId::new(Uuid::from_u128(1)), role: Role::EventOwner };
//! let event_id = office.create_event(request(organiser, draft)).await?.value.event_id;
//! office.publish(request(organiser, event_id)).await?;
//! office.open_sales(request(organiser, event_id)).await?;
//!
//! let alice = Actor { user_id: UserId::new(Uuid::from_u128(2)), role: Role::Customer };
//! let hold = HoldSeats::best(event_id, "Floor", 1);
//! let reservation_id = office.hold(request(alice, hold)).await?.value.reservation_id;
//! let card = PaymentMethod { kind: MethodKind::Card, token: MethodToken::new("tok_visa").expect("no card number") };
//! let pay = PayReservation { reservation_id, payment_id: None, method: Some(card) };
//! let paid = office.pay(request(alice, pay)).await?.value;
//! assert_eq!(paid.tickets.len(), 1);
//!
//! engine.shut_down(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//!
//! fn request<C>(by: Actor, command: C) -> Request<C> {
//!     let correlation_id = CorrelationId::parse("example").expect("visible ASCII characters");
//!     Request { by: by.into(), correlation_id, trace: None, idempotency: None, command }
//! }
//! # fn a_concert(now: Timestamp) -> EventDraft {
//! #     let label = |text: &str| Label::new(text).expect("a short plain text");
//! #     let (name, city, country, timezone) = (label("Hall"), label("Ghent"), label("BE"), label("UTC"));
//! #     let seating = Seating::GeneralAdmission { capacity: 10 };
//! #     let venue = Venue { name, city, country, timezone };
//! #     let price = Money::new(2_500, Currency::EUR);
//! #     EventDraft::new(
//! #         label("Chamber concert"),
//! #         Currency::EUR,
//! #         now + TimeDelta::days(30),
//! #         venue,
//! #         vec![SectionDraft::new(label("Floor"), seating)],
//! #         vec![PricingTier::always(label("Floor"), label("regular"), price)],
//! #     )
//! # }
//! ```
//!
//! `examples/sell_a_ticket_in_memory.rs` is the same as a program, and `examples/embed_the_router.rs` adds the HTTP
//! routes.
//!
//! # Adding a follower
//!
//! Something that happens after each fact (mail, a webhook, rows of your own) is a [`Follower`]:
//!
//! 1. For rows, write a [`Projection`](ticketing_domain::projection::Projection) and wrap it in a
//!    [`ProjectionFollower`]. For anything else, implement [`Follower`], which has an example.
//! 2. Choose its [`FollowerSpec`]: who keeps its mark, where it starts, and what becomes of a fact that it cannot
//!    handle.
//! 3. Register it with [`EngineBuilder::follow`] before the engine starts.
//! 4. Watch it with [`Engine::follower`].

#![deny(missing_docs)]

mod box_office;
mod deadlines;
mod desk;
mod engine;
mod failure;
mod follow;
mod housekeeping;
mod known_log;
mod lane;
mod latest_snapshots;
mod live;
mod observer;
mod request;
mod retry;
mod schema_floor;
mod setup;
mod sign_in;
mod spans;
mod token;
mod trail;

pub use box_office::BoxOffice;
pub use desk::{AvailabilityAnswer, Desk, DeskPorts, PagedList, READ_YOUR_WRITES_PATIENCE};
pub use engine::{Engine, EngineBuilder, ProjectionPorts};
pub use failure::{Failure, UnavailableCause};
pub use follow::{
    Bus, Facts, FactsFrom, FollowError, FollowPorts, Follower, FollowerCondition, FollowerProgress, FollowerSpec, Lag,
    LoggedFact, MarkKept, OnBadFact, OnLostPast, ProjectionFollower, READ_MODELS, RELAY, Reached, Runs, StartAt, Twin,
    rebuild, relay_id,
};
pub use lane::{Load, LoadMeter};
pub use live::{
    BoardGone, BoardReader, BoardSection, BoardState, BoardTick, Kept, LIVE_BOARDS, LiveBoards, SeatChanges,
    SectionChange,
};
pub use observer::{Counts, NoObserver, Observed, Observer, SaleStep, Setback, SocketStep, Totals};
pub use request::{Answer, HistoryEntry, IdempotencyRequest, Request};
pub use schema_floor::{LogNotReadable, check_schema_floor, finish_update};
pub use setup::{EngineConfig, Ports};
pub use sign_in::{
    Accounts, Ceremonies, Ensured, SessionChange, Sessions, SignIn, SignInConfig, SignInFailure, SignInPorts,
};
pub use spans::{Detail, NoTracer, Span, Tracer};
/// The commands that a [`BoxOffice`] takes.
pub use ticketing_domain::commands::{
    AddCodes, AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, EndCode, ExtendHold, GatewayAnswer,
    HoldFor, HoldSeats, MAX_LINES, PayReservation, RefundPayment, ReportPayment, UnblockSeats, WantedLine,
};
pub use token::ConsistencyToken;
