//! The health checks: a server has one for each thing that it needs.

use std::time::Duration;

use async_trait::async_trait;

/// The result of a check. The default says that the thing works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Finding {
    /// Why the thing does not work, for an operator. It must contain no secret and no address. `None` if the thing
    /// works.
    pub fault: Option<&'static str>,
    /// The condition of a follower of the log. `None` if the thing is no follower.
    pub follower: Option<FollowerFinding>,
}

/// The condition of a follower of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FollowerFinding {
    /// What the follower does in this process, in one word. `None` if it does not run here.
    pub condition: Option<&'static str>,
    /// How many facts of the log the follower has not applied, and how long ago the oldest of them was recorded. `None`
    /// if that is unknown.
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

/// Checks one thing that a server needs.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    fn name(&self) -> &'static str;

    async fn check(&self) -> Finding;

    /// Returns whether requests cannot be served without the thing. A server that lacks another thing is `degraded`: it
    /// needs an operator and still serves requests.
    fn is_essential(&self) -> bool {
        true
    }
}
