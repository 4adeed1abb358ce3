//! Lets a test stop, kill and restart a service that it alone uses.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::process::{Plan, Process};

/// A service as a process on this machine. When the last clone is dropped, the service ends and its data are removed.
#[derive(Debug, Clone)]
pub struct OwnProcess {
    process: Arc<Mutex<Process>>,
}

impl OwnProcess {
    /// Prepares a service, starts it, and returns its address.
    pub(crate) async fn start(plan: impl FnOnce() -> Result<Plan> + Send + 'static) -> Result<(SocketAddr, Self)> {
        blocking(|| Self::carry_out(plan()?)).await
    }

    /// Starts a prepared service and returns its address.
    pub(crate) fn carry_out(plan: Plan) -> Result<(SocketAddr, Self)> {
        let address = plan.recipe.address;
        let process = Arc::new(Mutex::new(Process::start(plan)?));
        Ok((address, Self { process }))
    }

    /// Stops the service in order: it finishes or undoes what is under way and closes its connections. It stays down.
    ///
    /// # Errors
    /// Fails if the service does not stop in time.
    pub async fn stop(&self) -> Result<()> {
        self.with(Process::stop).await
    }

    /// Kills the service and its children with SIGKILL, as in a crash. The service stays down.
    ///
    /// # Errors
    /// Fails if one of the processes does not end.
    pub async fn kill(&self) -> Result<()> {
        self.with(Process::kill).await
    }

    /// Starts the service on the same port and data and waits until it answers. Does nothing if the service runs.
    ///
    /// # Errors
    /// Fails with the last lines of the log if the service does not start.
    pub async fn start_again(&self) -> Result<()> {
        self.with(Process::start_again).await
    }

    /// Stops the service in order and starts it again.
    ///
    /// # Errors
    /// Fails if the service does not stop or does not start.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    async fn with(&self, step: fn(&mut Process) -> Result<()>) -> Result<()> {
        let process = Arc::clone(&self.process);
        blocking(move || step(&mut process.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

/// Runs blocking work on a thread of its own, so that other tasks of the runtime go on.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("the task panicked")?
}
