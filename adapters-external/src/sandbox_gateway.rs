//! A payment gateway that moves no money. The token of a payment decides how the gateway behaves:
//!
//! | token | behaviour |
//! |---|---|
//! | `tok_visa`, `tok_mastercard` | succeed |
//! | `tok_declined`, `tok_insufficient_funds` | are declined |
//! | `tok_timeout` | is approved; its capture is answered only after the hold has run out |
//! | `tok_unknown` | is approved; the answer to its first capture is lost |
//! | `tok_must_act` | sends the customer to a page; is approved three seconds later, as if the customer had agreed there |
//! | `tok_must_act_secret` | likewise, with a client secret |
//! | `tok_must_act_declined` | likewise, and is declined |
//! | `tok_must_act_given_up` | sends the customer to a page on which nothing happens; is given up after ten seconds |
//! | `tok_pending` | stays undecided |
//! | any other | is declined as an unknown token |
//!
//! After a restart the gateway has forgotten all payments. A capture, void or refund of a payment that it does not know
//! therefore succeeds. A real gateway remembers its payments.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::NextAction;

/// The gateway remembers at least this many payments. Beyond that number it may forget payments older than a day.
const REMEMBERED: usize = 10_000;

/// How long after the end of the hold the gateway answers the capture of a `tok_timeout` payment.
const LATE: TimeDelta = TimeDelta::seconds(1);

/// If the customer has to act, the gateway decides the payment this long after the request, as if the customer had
/// acted then.
const ACTED: TimeDelta = TimeDelta::seconds(3);

/// How long a customer may take to act, according to the time limit that the gateway tells its callers.
const TIME_TO_ACT: TimeDelta = TimeDelta::minutes(10);

/// After this time the gateway gives up a payment of `tok_must_act_given_up`, whose customer never acts. The time is
/// short, so that tests and demonstrations soon see the payment given up.
const GIVEN_UP: TimeDelta = TimeDelta::seconds(10);

pub struct SandboxGateway {
    clock: Arc<dyn Clock>,
    latency: Duration,
    payments: Mutex<Payments>,
}

#[derive(Default)]
struct Payments {
    by_id: HashMap<PaymentId, Charge>,
    /// How many payments the gateway still remembered after it last dropped old ones.
    swept: usize,
}

impl Payments {
    /// Drops payments older than a day, but only when the number of payments has doubled since the last time.
    /// Dropping thus costs a constant time per payment on average.
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
    /// From this time on the gateway answers with `authorization`, its final verdict. `None` if the payment stays
    /// undecided.
    decided_at: Option<Timestamp>,
    undecided: Option<Authorization>,
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

    /// Makes the gateway wait for `latency` before each answer.
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

/// How the gateway treats a payment with a certain token: its final verdict, any odd behaviour, and what it answers
/// until it gives the verdict.
struct Script {
    verdict: Authorization,
    quirk: Quirk,
    first: First,
}

enum First {
    Decided,
    MustAct {
        with_a_secret: bool,
        decided_after: TimeDelta,
        until: TimeDelta,
    },
    Pending,
}

fn script_of(token: &str) -> Script {
    let approved = |last_four: &str| Authorization::Approved {
        last_four: Some(last_four.to_owned()),
    };
    let declined = |reason| Authorization::Declined { reason };
    let must_act = |with_a_secret| First::MustAct {
        with_a_secret,
        decided_after: ACTED,
        until: TIME_TO_ACT,
    };
    let nobody_acts = First::MustAct {
        with_a_secret: false,
        decided_after: GIVEN_UP,
        until: GIVEN_UP,
    };
    let (verdict, quirk, first) = match token {
        "tok_visa" => (approved("4242"), Quirk::None, First::Decided),
        "tok_mastercard" => (approved("4444"), Quirk::None, First::Decided),
        "tok_timeout" => (approved("0408"), Quirk::AnswersLate, First::Decided),
        "tok_unknown" => (approved("0504"), Quirk::LosesTheAnswer, First::Decided),
        "tok_must_act" => (approved("3155"), Quirk::None, must_act(false)),
        "tok_must_act_secret" => (approved("3220"), Quirk::None, must_act(true)),
        "tok_must_act_declined" => (declined(DeclineReason::Declined), Quirk::None, must_act(false)),
        "tok_must_act_given_up" => (declined(DeclineReason::Interrupted), Quirk::None, nobody_acts),
        "tok_pending" => (declined(DeclineReason::Interrupted), Quirk::None, First::Pending),
        "tok_declined" => (declined(DeclineReason::Declined), Quirk::None, First::Decided),
        "tok_insufficient_funds" => (declined(DeclineReason::InsufficientFunds), Quirk::None, First::Decided),
        _ => (declined(DeclineReason::InvalidToken), Quirk::None, First::Decided),
    };
    Script { verdict, quirk, first }
}

/// Returns the gateway's answer before a payment is decided, and the time of the decision. The outer `None` means
/// that the payment is decided at once, the inner `None` that it is never decided.
fn until_then(first: &First, payment: PaymentId, now: Timestamp) -> Option<(Authorization, Option<Timestamp>)> {
    match *first {
        First::Decided => None,
        First::Pending => Some((Authorization::Pending { ask_again_at: None }, None)),
        First::MustAct {
            with_a_secret,
            decided_after,
            until,
        } => {
            let action = if with_a_secret {
                NextAction::client_secret(format!("{payment}_secret_sandbox"), now + until)
            } else {
                NextAction::redirect(format!("https://sandbox.invalid/payments/{payment}"), now + until)
            };
            Some((Authorization::MustAct(action), Some(now + decided_after)))
        }
    }
}

impl Charge {
    fn new(request: &AuthorizeRequest, now: Timestamp) -> Self {
        let script = script_of(request.method.token.expose());
        let (undecided, decided_at) = match until_then(&script.first, request.payment_id, now) {
            Some((undecided, decided_at)) => (Some(undecided), decided_at),
            None => (None, Some(now)),
        };
        Self {
            decided_at,
            undecided,
            authorization: script.verdict,
            quirk: script.quirk,
            wanted_by: request.wanted_by,
            authorized_at: now,
        }
    }

    /// Returns the gateway's answer about this payment at the time `now`.
    fn says(&self, now: Timestamp) -> Authorization {
        let decided = self.decided_at.is_some_and(|at| now >= at);
        let undecided = self.undecided.as_ref().filter(|_| !decided);
        undecided.unwrap_or(&self.authorization).clone()
    }
}

#[async_trait]
impl PaymentGateway for SandboxGateway {
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError> {
        self.think().await;
        let now = self.clock.now();
        let mut payments = self.payments();
        payments.sweep(now);
        let charge = payments.by_id.entry(request.payment_id);
        Ok(charge.or_insert_with(|| Charge::new(&request, now)).says(now))
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
                        "the sandbox gateway lost the answer, as the token tok_unknown demands".into(),
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
            Some(charge) => GatewayRecord::Answered(charge.says(self.clock.now())),
            None => GatewayRecord::Unknown,
        })
    }
}
