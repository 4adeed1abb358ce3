//! Finds or starts the real services that tests run on: PostgreSQL, Redis, a Kafka-API broker, an OpenID
//! Connect issuer and a mail server.
//!
//! [`postgres`], [`redis`] and [`broker`] return servers that the tests of a process share. Each test uses a database,
//! a prefix or topics of its own there. [`OwnedPostgres`], [`OwnedRedis`] and [`OwnedBroker`] are private servers for
//! tests that stop or kill them. A [`SmallDisk`] can be filled up, [`issuer`] starts an issuer of OpenID Connect, and
//! [`smtp_sink`] starts a mail server that keeps the mails that it receives.
//!
//! If a service cannot be found or started, the test fails. No test passes without its service.
//!
//! Everything that a process starts with this crate ends when that process ends, by whatever signal, and leaves no
//! folder behind.

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
mod say;
mod service;
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
pub use ports::Port;
pub use postgres::{OwnedPostgres, Postgres, postgres};
pub use redis::{OwnedRedis, Redis, RedisDatabase, redis};
pub use small_disk::{SmallDisk, limit_file_sizes};
pub use smtp::{ReceivedMail, SmtpSink, SmtpTls, smtp_sink};
