//! How services of each kind are started, and asked for their version. The module of each kind has one [`Service`],
//! so that the code which finds services does not depend on these modules.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::kind::Kind;
use crate::process::Plan;

/// How services of one kind are started, and asked for their version.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) kind: Kind,
    /// Prepares a service that tests share. It does not wait for the disk, because no test crashes the machine.
    pub(crate) plan: fn() -> Result<Plan>,
    /// Prepares a service whose commits wait for the disk as those of a production server do. Only for PostgreSQL
    /// does this differ from `plan`.
    pub(crate) plan_durable: fn() -> Result<Plan>,
    /// Asks the service at an address for its name and version. Fails if it does not answer, or is another service.
    pub(crate) ask: for<'a> fn(&'a str) -> BoxFuture<'a, Result<String>>,
}
