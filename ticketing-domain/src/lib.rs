//! The pure rules of a box office.
//!
//! A command runs on a [`book`], which has the states of a lane's streams in memory. It asks reducers to decide, and
//! what they decide is staged until the engine has committed it.
//!
//! | to find | look into |
//! |---|---|
//! | what people, the gateway and deadlines can ask | [`commands`], [`questions`] |
//! | the traits of commands and questions | [`command`] |
//! | the rules of an aggregate | [`catalog`], [`inventory`], [`reservation`], [`payment`] |
//! | the rules of signing in | [`sign_in`] |
//! | why something is refused | [`refusal`], [`transition`] |
//! | who may do what | [`policy`] |
//! | prices, refunds, and how a status changes as time passes | [`pricing`], [`refunds`], [`status`] |
//! | how facts are stored, and updated between builds | [`stored`], [`generations`], [`facts`] |
//! | rows for readers, and which of them a list shows | [`projection`], [`views`], [`event_list`] |
//!
//! This crate contains no async code, no clock, no randomness, no logging and no map in random order. Time and ids
//! are arguments, so that any run can be replayed byte for byte.

#![deny(missing_docs)]

pub mod book;
pub mod catalog;
pub mod command;
pub mod commands;
pub mod event_list;
pub mod facts;
pub mod generations;
pub mod inventory;
#[cfg(feature = "made-up-version")]
pub mod made_up_version;
pub mod on_offer;
pub mod payment;
pub mod policy;
pub mod pricing;
pub mod projection;
pub mod questions;
pub mod quotas;
pub mod reducer;
pub mod refunds;
pub mod refusal;
pub mod reservation;
pub mod sign_in;
pub mod snapshot;
pub mod status;
pub mod stored;
pub mod transition;
pub mod views;
