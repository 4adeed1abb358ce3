//! What is asked whether it works; the server has one for each thing that requests need.

use async_trait::async_trait;

/// One thing that works or does not.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    fn name(&self) -> &'static str;

    /// # Errors
    /// When it does not work, with a word for an operator and nothing from inside.
    async fn check(&self) -> Result<(), &'static str>;

    /// Whether requests cannot be served without it. A server that lacks something else should be looked after, and
    /// still get its requests.
    fn is_essential(&self) -> bool {
        true
    }
}
