//! The interface of health checks. A server has one check for each thing that it needs.

use std::time::Duration;

use async_trait::async_trait;

/// The result of a check. `Finding::default()` says that the checked thing works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Finding {
    /// Why the checked thing does not work, for an operator. The text must contain no secret and no address. `None`
    /// if the thing works.
    pub fault: Option<&'static str>,
    /// The condition of a follower of the log. `None` if the checked thing is not a follower.
    pub follower: Option<FollowerFinding>,
}

/// The condition of a follower of the log, and how far the follower is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FollowerFinding {
    /// What the follower does in this process, in one word. `None` if the follower does not run in this process.
    pub condition: Option<&'static str>,
    /// How many facts of the log the follower has not applied yet, and how long ago the oldest of these facts was
    /// recorded. `None` if that is unknown.
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
///
/// ```
/// use std::path::PathBuf;
///
/// use adapters_http::{Finding, HealthCheck};
/// use async_trait::async_trait;
///
/// /// Checks that the folder for exports is there.
/// struct ExportFolder(PathBuf);
///
/// #[async_trait]
/// impl HealthCheck for ExportFolder {
///     fn name(&self) -> &'static str {
///         "exports"
///     }
///
///     async fn check(&self) -> Finding {
///         let is_there = if self.0.is_dir() { Ok(()) } else { Err("the folder is not there") };
///         is_there.into()
///     }
///
///     fn is_essential(&self) -> bool {
///         false
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(ExportFolder(std::env::temp_dir()).check().await, Finding::default());
/// let gone = ExportFolder("/nowhere".into()).check().await;
/// assert_eq!(gone.fault, Some("the folder is not there"));
/// # }
/// ```
#[async_trait]
pub trait HealthCheck: Send + Sync {
    fn name(&self) -> &'static str;

    async fn check(&self) -> Finding;

    /// Returns whether requests cannot be served without the checked thing. A server that lacks a thing that is not
    /// essential still serves requests, and reports that it is `degraded`, so that an operator looks at it.
    fn is_essential(&self) -> bool {
        true
    }
}
