//! A payment gateway that moves no money and behaves as its tokens say.
//!
//! | token | behaviour |
//! |---|---|
//! | `tok_visa`, `tok_mastercard` | succeed |
//! | `tok_declined`, `tok_insufficient_funds` | are declined |
//! | `tok_timeout` | charges, and answers only after the hold is gone |
//! | `tok_unknown` | charges, and loses the answer once |
//! | any other | is declined as unknown |
//!
//! It keeps no books across a restart, so it takes a capture, void or refund of a payment it does not know for one that
//! it has forgotten. A real gateway remembers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::clock::Clock;
use ticketing_ports::gateway::{
    Authorization, AuthorizeRequest, DeclineReason, GatewayError, GatewayRecord, PaymentGateway,
};
use ticketing_ports::ids::{PaymentId, RefundId};
use ticketing_ports::money::Money;

/// So many payments are remembered in any case; with more, those older than a day may be forgotten.
const REMEMBERED: usize = 10_000;

/// So long after the end of the hold does `tok_timeout` answer.
const LATE: TimeDelta = TimeDelta::seconds(1);

pub struct SandboxGateway {
    clock: Arc<dyn Clock>,
    latency: Duration,
    payments: Mutex<Payments>,
}

#[derive(Default)]
struct Payments {
    by_id: HashMap<PaymentId, Charge>,
    /// How many there were after the last sweep.
    swept: usize,
}

impl Payments {
    /// Drops what is old whenever the number has doubled: constant work for each payment.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_id.len() >= REMEMBERED.max(2 * self.swept) {
            self.by_id
                .retain(|_, charge| now - charge.authorized_at < TimeDelta::days(1));
            self.swept = self.by_id.len();
        }
    }
}

#[derive(Debug, Clone)]
struct Charge {
    authorization: Authorization,
    quirk: Quirk,
    wanted_by: Timestamp,
    authorized_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quirk {
    None,
    AnswersLate,
    LosesTheAnswer,
}

impl SandboxGateway {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            latency: Duration::ZERO,
            payments: Mutex::default(),
        }
    }

    /// Takes so long for every answer.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    fn payments(&self) -> MutexGuard<'_, Payments> {
        self.payments.lock().expect("no code panics while it holds this lock")
    }

    async fn think(&self) {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
    }
}

impl std::fmt::Debug for SandboxGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxGateway")
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}

fn verdict_on(token: &str) -> (Authorization, Quirk) {
    let approved = |last_four: &str| Authorization::Approved {
        last_four: Some(last_four.to_owned()),
    };
    let declined = |reason| (Authorization::Declined { reason }, Quirk::None);
    match token {
        "tok_visa" => (approved("4242"), Quirk::None),
        "tok_mastercard" => (approved("4444"), Quirk::None),
        "tok_timeout" => (approved("0408"), Quirk::AnswersLate),
        "tok_unknown" => (approved("0504"), Quirk::LosesTheAnswer),
        "tok_declined" => declined(DeclineReason::Declined),
        "tok_insufficient_funds" => declined(DeclineReason::InsufficientFunds),
        _ => declined(DeclineReason::InvalidToken),
    }
}

#[async_trait]
impl PaymentGateway for SandboxGateway {
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError> {
        self.think().await;
        let now = self.clock.now();
        let mut payments = self.payments();
        payments.sweep(now);
        let charge = payments.by_id.entry(request.payment_id).or_insert_with(|| {
            let (authorization, quirk) = verdict_on(request.method.token.expose());
            Charge {
                authorization,
                quirk,
                wanted_by: request.wanted_by,
                authorized_at: now,
            }
        });
        Ok(charge.authorization.clone())
    }

    async fn capture(&self, payment: PaymentId, _amount: Money) -> Result<(), GatewayError> {
        self.think().await;
        let answer_at = match self.payments().by_id.get_mut(&payment) {
            Some(charge) => match charge.quirk {
                Quirk::None => None,
                Quirk::AnswersLate => Some(charge.wanted_by + LATE),
                Quirk::LosesTheAnswer => {
                    charge.quirk = Quirk::None;
                    return Err(GatewayError::Unknown(
                        "the sandbox lost the answer, as its token says".into(),
                    ));
                }
            },
            None => None,
        };
        if let Some(answer_at) = answer_at {
            let wait = answer_at - self.clock.now();
            tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
        }
        Ok(())
    }

    async fn void(&self, _payment: PaymentId) -> Result<(), GatewayError> {
        self.think().await;
        Ok(())
    }

    async fn refund(&self, _payment: PaymentId, _refund: RefundId, _amount: Money) -> Result<(), GatewayError> {
        self.think().await;
        Ok(())
    }

    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError> {
        self.think().await;
        Ok(match self.payments().by_id.get(&payment) {
            Some(charge) => GatewayRecord::Answered(charge.authorization.clone()),
            None => GatewayRecord::Unknown,
        })
    }
}
