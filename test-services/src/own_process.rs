//! The handle by which a test stops, kills and restarts a service of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::process::{Plan, Process};

/// A service as a process of this machine; it is gone, and its data with it, when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct OwnProcess {
    process: Arc<Mutex<Process>>,
}

impl OwnProcess {
    /// Makes a plan, starts it, and says where the service is.
    pub(crate) async fn start(plan: impl FnOnce() -> Result<Plan> + Send + 'static) -> Result<(SocketAddr, Self)> {
        blocking(|| Self::carry_out(plan()?)).await
    }

    /// Starts what is planned, and says where the service is.
    pub(crate) fn carry_out(plan: Plan) -> Result<(SocketAddr, Self)> {
        let address = plan.recipe.address;
        let process = Arc::new(Mutex::new(Process::start(plan)?));
        Ok((address, Self { process }))
    }

    /// Stops it properly: what is under way is finished or undone, connections are closed. It stays down.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub async fn stop(&self) -> Result<()> {
        self.with(Process::stop).await
    }

    /// Ends it and its children with SIGKILL, as a crash does. It stays down.
    ///
    /// # Errors
    /// When one of its processes outlives the signal.
    pub async fn kill(&self) -> Result<()> {
        self.with(Process::kill).await
    }

    /// Starts it on the same port and data and waits until it answers; nothing happens if it runs.
    ///
    /// # Errors
    /// When it does not come up, with the end of its log.
    pub async fn start_again(&self) -> Result<()> {
        self.with(Process::start_again).await
    }

    /// Stops it and starts it again.
    ///
    /// # Errors
    /// When it does not stop, or does not come up.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    async fn with(&self, step: fn(&mut Process) -> Result<()>) -> Result<()> {
        let process = Arc::clone(&self.process);
        blocking(move || step(&mut process.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

/// Runs what starts processes and waits for them beside the runtime, whose other tasks go on.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("it panicked")?
}
