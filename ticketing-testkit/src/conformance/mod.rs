//! One suite per port: the lines of its **Contract** as rules that a store keeps or breaks.
//!
//! A rule is an ordinary value, so that a store can be asked about one by one: an adapter's `tests/conformance.rs` turns
//! each into a named test with the suite's macro, and the tests of this kit show that each rule is broken by at least
//! one deliberately wrong store.
//!
//! ```text
//! mod event_store {
//!     ticketing_testkit::event_store_conformance!(super::fresh().await);
//! }
//! ```
//!
//! The expression is evaluated in an async context, once a rule, and gives a backend over an **empty** store.

mod backend;
mod fixtures;
mod race;

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

/// Long enough for the slowest backend on a busy machine; a store that hangs is broken, not patient.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a store did instead of what its contract says.
#[derive(Debug)]
pub struct Broken(String);

/// Whether a rule held.
pub type Verdict = Result<(), Broken>;

/// One line of a contract, to be tried on an empty store behind `B`.
pub struct Rule<B: ?Sized> {
    pub name: &'static str,
    pub run: for<'b> fn(&'b B) -> BoxFuture<'b, Verdict>,
}

impl<B: ?Sized> Rule<B> {
    /// Tries the rule; not getting to the end is breaking it.
    pub async fn try_on(&self, backend: &B) -> Verdict {
        tokio::time::timeout(PATIENCE, (self.run)(backend))
            .await
            .unwrap_or_else(|_| Err(Broken(format!("no verdict after {PATIENCE:?}"))))
    }
}

impl<B: ?Sized> fmt::Debug for Rule<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Tries the rule of that name.
///
/// # Panics
/// When the rule is broken, with what happened instead.
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

/// An error where none was expected breaks the rule, so that rules read as stories with `?`.
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

/// Breaks the rule unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Broken::because(format!($($what)+)));
        }
    };
}

/// Breaks the rule unless both are equal.
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

/// Lists the rules of a suite once: as `RULES` and as a macro that makes a test of each.
///
/// The first token is a dollar sign, which a macro that defines a macro can't write itself.
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
