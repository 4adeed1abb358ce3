//! Finds or starts the real services that tests run on: PostgreSQL, Redis, a Kafka-API broker, an OpenID
//! Connect issuer and a mail server.
//!
//! [`postgres`], [`redis`] and [`broker`] give what the tests of a process share; a test takes a database, a key space or
//! topics of its own there. [`OwnedPostgres`], [`OwnedRedis`] and [`OwnedBroker`] are private servers for tests that stop
//! and kill them, and a [`SmallDisk`] is one to fill up; [`issuer`] starts an issuer that knows the addresses it is given, and
//! [`smtp_sink`] a mail server that keeps what it gets. A service that cannot be had is an error and never a test that passes without it.
//!
//! What a process starts here ends with it, by whatever signal, and leaves no folder behind.

mod background;
mod broker;
mod browser;
mod cache;
mod container;
mod finding;
mod issuer;
mod kind;
mod node;
mod own_process;
mod packages;
mod ports;
mod postgres;
mod probe;
mod process;
mod redis;
mod small_disk;
mod smtp;
mod state;
mod url;
mod watchdog;

pub use background::{Background, Part};
pub use broker::{Broker, MockBroker, OwnedBroker, RealBroker, broker};
pub use browser::{BrowserWalk, browser_walk};
pub use finding::Source;
pub use issuer::{Issuer, issuer};
pub use kind::Kind;
pub use own_process::OwnProcess;
pub use postgres::{OwnedPostgres, Postgres, postgres};
pub use redis::{OwnedRedis, Redis, RedisDatabase, redis};
pub use small_disk::{SmallDisk, limit_file_sizes};
pub use smtp::{ReceivedMail, SmtpSink, SmtpTls, smtp_sink};
