//! What is asked whether it works; the server has one for each thing that requests need.

use std::time::Duration;

use async_trait::async_trait;

/// What was found out about one thing. By default: it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Finding {
    /// Why it does not work, with a word for an operator and nothing from inside.
    pub fault: Option<&'static str>,
    /// More about something that follows the log.
    pub follower: Option<FollowerFinding>,
}

/// How something is that follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FollowerFinding {
    /// What it does in this process, in one word; `None` if it does not run here.
    pub condition: Option<&'static str>,
    /// How many facts of the log it has not taken, and how long ago the oldest of them was recorded; `None` if nobody
    /// can say.
    pub lag: Option<(u64, Duration)>,
}

impl From<Result<(), &'static str>> for Finding {
    fn from(outcome: Result<(), &'static str>) -> Self {
        Self {
            fault: outcome.err(),
            follower: None,
        }
    }
}

/// One thing that works or does not.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    fn name(&self) -> &'static str;

    async fn check(&self) -> Finding;

    /// Whether requests cannot be served without it. A server that lacks something else should be looked after, and
    /// still get its requests.
    fn is_essential(&self) -> bool {
        true
    }
}
