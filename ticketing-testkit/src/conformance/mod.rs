//! One suite for each store, for the bus and for the payment gateway: each line of the **Contract** of the port is a
//! rule that an adapter keeps or breaks.
//!
//! The macro of a suite makes a test of each rule in the `tests/conformance.rs` of an adapter. Rules are also values:
//! the tests of `adapters-memory` try each rule on a store that deliberately breaks it, to show that the rule notices.
//!
//! ```text
//! mod event_store {
//!     ticketing_testkit::event_store_conformance!(super::fresh().await);
//! }
//! ```
//!
//! The expression is evaluated once for each rule, in an async context. It must return a backend over an **empty**
//! store.

mod backend;
mod fixtures;
mod race;

pub mod buyers;
pub mod challenges;
pub mod dead_letters;
pub mod deadlines;
pub mod durability;
pub mod event_bus;
pub mod event_store;
pub mod followers;
pub mod gateway;
pub mod idempotency;
pub mod identities;
pub mod one_time_tokens;
pub mod passkeys;
pub mod rate_limiter;
pub mod read_models;
pub mod sessions;
pub mod snapshots;
pub mod users;

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;

pub use backend::{Backend, Keeping};

/// How long a rule may take at most. It is enough for the slowest adapter on a busy machine, the bus, which gives twenty
/// groups their partitions in one rule. A store that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Says how a store broke a rule.
#[derive(Debug)]
pub struct Broken(String);

/// The result of trying a rule: an error if the store broke it.
pub type Verdict = Result<(), Broken>;

/// A rule that an adapter must keep: one line of a contract. `B` is the backend on which the rule is tried.
pub struct Rule<B: ?Sized> {
    pub name: &'static str,
    pub run: for<'b> fn(&'b B) -> BoxFuture<'b, Verdict>,
}

impl<B: ?Sized> Rule<B> {
    /// Tries the rule on an empty store. If the rule does not end on a store within a minute, the store breaks it.
    pub async fn try_on(&self, backend: &B) -> Verdict {
        tokio::time::timeout(PATIENCE, (self.run)(backend))
            .await
            .unwrap_or_else(|_| Err(Broken(format!("the rule has not ended after {PATIENCE:?}"))))
    }
}

impl<B: ?Sized> fmt::Debug for Rule<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Tries the rule of that name on an empty store.
///
/// # Panics
/// Panics if the store breaks the rule, and says how.
pub async fn assert_holds<B: ?Sized>(rules: &[Rule<B>], name: &str, backend: &B) {
    let rule = rules
        .iter()
        .find(|rule| rule.name == name)
        .expect("the tests are generated from the list of rules");
    if let Err(broken) = rule.try_on(backend).await {
        panic!("{name}: {broken}");
    }
}

impl Broken {
    pub(crate) fn because(what: impl Into<String>) -> Self {
        const READABLE: usize = 1000;
        let mut what = what.into();
        if let Some((end, _)) = what.char_indices().nth(READABLE) {
            what.truncate(end);
            what.push('…');
        }
        Self(what)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An unexpected error breaks the rule. So rules can use `?`.
impl<E: std::error::Error> From<E> for Broken {
    fn from(error: E) -> Self {
        let mut text = format!("unexpected error: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self(text)
    }
}

/// Returns from the rule with `Broken` unless the condition is true.
macro_rules! ensure {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Broken::because(format!($($what)+)));
        }
    };
}

/// Returns from the rule with `Broken` unless both values are equal.
macro_rules! ensure_eq {
    ($actual:expr, $expected:expr, $($what:tt)+) => {
        match (&$actual, &$expected) {
            (actual, expected) => {
                if actual != expected {
                    let what = format!($($what)+);
                    return Err($crate::conformance::Broken::because(format!(
                        "{what}: {actual:?} instead of {expected:?}"
                    )));
                }
            }
        }
    };
}

/// Lists the rules of a suite: makes the constant `RULES`, and a macro that makes a test of each rule.
///
/// The first token must be a dollar sign, because a macro that defines another macro cannot write a dollar sign
/// itself.
macro_rules! suite {
    ($d:tt $(#[$doc:meta])* $macro_name:ident in $module:ident for $backend:ty { $($rule:ident,)+ }) => {
        /// The rules of this suite, in the order of the contract.
        pub const RULES: &[$crate::conformance::Rule<$backend>] = &[$(
            $crate::conformance::Rule { name: stringify!($rule), run: |backend| Box::pin($rule(backend)) },
        )+];

        $(#[$doc])*
        #[macro_export]
        macro_rules! $macro_name {
            ($d fresh:expr) => {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $rule() {
                    let backend = $d fresh;
                    let rules = $crate::conformance::$module::RULES;
                    $crate::conformance::assert_holds(rules, stringify!($rule), &backend).await;
                }
            )+};
        }
    };
}

pub(crate) use {ensure, ensure_eq, suite};
