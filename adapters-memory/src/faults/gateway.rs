//! A wrapper that makes a payment gateway fail when a policy says so.

use std::sync::Arc;

use async_trait::async_trait;
use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;

use super::event_store::Fault;

/// Decides which fault strikes each call. The wrapper asks the policy once for each call, in the order in which calls
/// arrive. A closure is a policy too.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use adapters_memory::faults::{Fault, GatewayFaultPolicy};
///
/// /// Makes every third call fail before the gateway has done anything.
/// #[derive(Default)]
/// struct EveryThird(AtomicU32);
///
/// impl GatewayFaultPolicy for EveryThird {
///     fn fault(&self) -> Fault {
///         match self.0.fetch_add(1, Ordering::Relaxed) % 3 {
///             2 => Fault::FailBefore,
///             _ => Fault::None,
///         }
///     }
/// }
///
/// let policy = EveryThird::default();
/// let faults = [(); 4].map(|()| policy.fault());
/// assert_eq!(faults, [Fault::None, Fault::None, Fault::FailBefore, Fault::None]);
/// ```
pub trait GatewayFaultPolicy: Send + Sync {
    fn fault(&self) -> Fault;
}

impl<F: Fn() -> Fault + Send + Sync> GatewayFaultPolicy for F {
    fn fault(&self) -> Fault {
        self()
    }
}

/// Passes calls on to a gateway, with the faults that its policy chooses.
pub struct FaultyGateway<G> {
    inner: Arc<G>,
    policy: Arc<dyn GatewayFaultPolicy>,
}

impl<G> FaultyGateway<G> {
    pub fn new(inner: Arc<G>, policy: impl GatewayFaultPolicy + 'static) -> Self {
        Self {
            inner,
            policy: Arc::new(policy),
        }
    }

    async fn call<T>(&self, done: impl Future<Output = Result<T, GatewayError>> + Send) -> Result<T, GatewayError> {
        let injected = "a fault was injected into the gateway";
        match self.policy.fault() {
            Fault::None => done.await,
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                done.await
            }
            Fault::LoseAnswer => {
                done.await?;
                Err(GatewayError::Unknown(injected.into()))
            }
            Fault::FailBefore => Err(GatewayError::Unavailable(injected.into())),
            Fault::UnknownNotWritten => Err(GatewayError::Unknown(injected.into())),
        }
    }
}

impl<G> std::fmt::Debug for FaultyGateway<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyGateway").finish_non_exhaustive()
    }
}

#[async_trait]
impl<G: PaymentGateway> PaymentGateway for FaultyGateway<G> {
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError> {
        self.call(self.inner.authorize(request)).await
    }

    async fn capture(&self, payment: PaymentId, amount: Money) -> Result<(), GatewayError> {
        self.call(self.inner.capture(payment, amount)).await
    }

    async fn void(&self, payment: PaymentId) -> Result<(), GatewayError> {
        self.call(self.inner.void(payment)).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError> {
        self.call(self.inner.refund(payment, refund, amount)).await
    }

    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError> {
        self.call(self.inner.look_up(payment)).await
    }
}
