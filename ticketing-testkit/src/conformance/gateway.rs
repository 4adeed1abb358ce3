//! The conformance tests that every [`PaymentGateway`] must pass. They pay with the tokens of the sandbox.

use std::fmt;
use std::sync::Arc;

use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayRecord, PaymentGateway};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{ActionKind, MethodKind, MethodToken, PaymentMethod};
use uuid::Uuid;

use super::fixtures::at;
use super::race::race;
use super::{Broken, Verdict, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for a payment gateway. Its argument is an expression that returns a
    /// `Gateway` without payments.
    payment_gateway_conformance in gateway for Gateway {
        tokens_are_approved_or_declined_as_they_say,
        a_repeated_call_moves_money_once,
        racing_calls_move_money_once,
        a_repeated_authorisation_gets_the_first_answer,
        a_lost_authorisation_can_be_looked_up,
        a_declined_payment_takes_no_money,
        a_voided_payment_takes_no_money,
        refunds_add_up,
        who_must_act_is_told_how_and_until_when_each_time,
        an_undecided_payment_takes_no_money,
        an_undecided_payment_is_decided_once,
    }
}

/// Returns how much was taken for a payment and not paid back.
pub type Kept = Arc<dyn Fn(PaymentId) -> i64 + Send + Sync>;

/// Makes the gateway decide a payment that waits, as if the customer had acted or time had passed.
pub type Decide = Arc<dyn Fn(PaymentId) + Send + Sync>;

/// A gateway, and its records if it keeps any.
#[derive(Clone)]
pub struct Gateway {
    gateway: Arc<dyn PaymentGateway>,
    decide: Decide,
    kept: Option<Kept>,
}

impl Gateway {
    pub fn without_books(gateway: Arc<dyn PaymentGateway>, decide: Decide) -> Self {
        Self {
            gateway,
            decide,
            kept: None,
        }
    }

    pub fn with_books(gateway: Arc<dyn PaymentGateway>, decide: Decide, kept: Kept) -> Self {
        Self {
            gateway,
            decide,
            kept: Some(kept),
        }
    }

    async fn authorize(&self, payment: PaymentId, token: &str) -> Result<Authorization, Broken> {
        let request = AuthorizeRequest {
            payment_id: payment,
            amount: eur(5_000),
            method: PaymentMethod {
                kind: MethodKind::Card,
                token: MethodToken::new(token).expect("the rules use proper tokens"),
            },
            wanted_by: at(300),
        };
        Ok(self.gateway.authorize(request).await?)
    }

    fn ensure_kept(&self, payment: PaymentId, amount: i64, when: &str) -> Verdict {
        if let Some(kept) = &self.kept {
            ensure_eq!(kept(payment), amount, "money kept {when}");
        }
        Ok(())
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

fn payment(number: u128) -> PaymentId {
    PaymentId::new(Uuid::from_u128(0x9A_0000_0000 + number))
}

fn refund(number: u128) -> RefundId {
    RefundId::new(Uuid::from_u128(0x4E_0000_0000 + number))
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn approved() -> Authorization {
    Authorization::Approved {
        last_four: Some("4242".to_owned()),
    }
}

async fn tokens_are_approved_or_declined_as_they_say(gateway: &Gateway) -> Verdict {
    let declined = |reason| Authorization::Declined { reason };
    let tokens = [
        ("tok_visa", approved()),
        ("tok_declined", declined(DeclineReason::Declined)),
        ("tok_insufficient_funds", declined(DeclineReason::InsufficientFunds)),
        ("tok_of_somebody_else", declined(DeclineReason::InvalidToken)),
    ];
    for (number, (token, expected)) in (1..).zip(tokens) {
        let answer = gateway.authorize(payment(number), token).await?;
        ensure_eq!(answer, expected, "answer to {token}");
    }
    Ok(())
}

async fn a_repeated_call_moves_money_once(gateway: &Gateway) -> Verdict {
    let one = payment(1);
    for _ in 0..3 {
        ensure_eq!(gateway.authorize(one, "tok_visa").await?, approved(), "authorisation");
    }
    gateway.ensure_kept(one, 0, "before the capture")?;
    for _ in 0..3 {
        gateway.gateway.capture(one, eur(5_000)).await?;
        gateway.ensure_kept(one, 5_000, "after the capture")?;
    }
    for _ in 0..3 {
        gateway.gateway.refund(one, refund(1), eur(2_000)).await?;
        gateway.ensure_kept(one, 3_000, "after the refund")?;
    }
    // The money was taken already, so it is too late to void the payment.
    gateway.gateway.void(one).await?;
    gateway.gateway.capture(one, eur(5_000)).await?;
    gateway.ensure_kept(one, 3_000, "after a late void and capture")
}

async fn racing_calls_move_money_once(gateway: &Gateway) -> Verdict {
    for number in 1..=10 {
        let one = payment(number);
        let outcomes = race(16, |_| {
            let gateway = gateway.clone();
            async move {
                gateway.authorize(one, "tok_visa").await?;
                gateway.gateway.capture(one, eur(5_000)).await?;
                gateway.gateway.refund(one, refund(number), eur(2_000)).await?;
                Ok(())
            }
        })
        .await?;
        outcomes.into_iter().collect::<Verdict>()?;
        gateway.ensure_kept(one, 3_000, "after sixteen at once")?;
    }
    Ok(())
}

async fn a_repeated_authorisation_gets_the_first_answer(gateway: &Gateway) -> Verdict {
    for (number, first, second) in [(1, "tok_visa", "tok_declined"), (2, "tok_declined", "tok_visa")] {
        let answer = gateway.authorize(payment(number), first).await?;
        let again = gateway.authorize(payment(number), second).await?;
        ensure_eq!(again, answer, "the second answer");
    }
    Ok(())
}

async fn a_lost_authorisation_can_be_looked_up(gateway: &Gateway) -> Verdict {
    for (number, token) in [(1, "tok_visa"), (2, "tok_insufficient_funds")] {
        let unheard = gateway.gateway.look_up(payment(number)).await?;
        ensure_eq!(
            unheard,
            GatewayRecord::Unknown,
            "record of a payment that the gateway does not know"
        );
        let lost = gateway.authorize(payment(number), token).await?;
        let record = gateway.gateway.look_up(payment(number)).await?;
        ensure_eq!(record, GatewayRecord::Answered(lost), "record");
    }
    Ok(())
}

/// The gateway may return an error or not, but must take nothing.
async fn a_declined_payment_takes_no_money(gateway: &Gateway) -> Verdict {
    gateway.authorize(payment(1), "tok_declined").await?;
    let _ = gateway.gateway.capture(payment(1), eur(5_000)).await;
    gateway.ensure_kept(payment(1), 0, "for a declined payment")
}

/// The gateway may return an error or not, but must take nothing.
async fn a_voided_payment_takes_no_money(gateway: &Gateway) -> Verdict {
    gateway.authorize(payment(1), "tok_visa").await?;
    gateway.gateway.void(payment(1)).await?;
    gateway.gateway.void(payment(1)).await?;
    let _ = gateway.gateway.capture(payment(1), eur(5_000)).await;
    gateway.ensure_kept(payment(1), 0, "for a voided payment")
}

async fn refunds_add_up(gateway: &Gateway) -> Verdict {
    for number in [1, 2] {
        gateway.authorize(payment(number), "tok_visa").await?;
        gateway.gateway.capture(payment(number), eur(5_000)).await?;
    }
    for (number, left) in [(1, 4_000), (2, 3_000), (1, 3_000), (3, 2_000)] {
        gateway.gateway.refund(payment(1), refund(number), eur(1_000)).await?;
        gateway.ensure_kept(payment(1), left, "after a refund")?;
    }
    gateway.ensure_kept(payment(2), 5_000, "for another payment")
}

async fn who_must_act_is_told_how_and_until_when_each_time(gateway: &Gateway) -> Verdict {
    let tokens = [
        ("tok_must_act", ActionKind::Redirect),
        ("tok_must_act_secret", ActionKind::ClientSecret),
        ("tok_must_act_declined", ActionKind::Redirect),
        ("tok_must_act_given_up", ActionKind::Redirect),
    ];
    for (number, (token, kind)) in (1..).zip(tokens) {
        let answer = gateway.authorize(payment(number), token).await?;
        let Authorization::MustAct(action) = &answer else {
            return Err(Broken::because(format!(
                "{token} is answered with {answer:?}, although the customer must act"
            )));
        };
        ensure_eq!(action.wanted.kind, kind, "kind of action that {token} asks for");
        ensure_eq!(
            action.expose().is_empty(),
            false,
            "whether the next action for {token} is empty"
        );
        let record = gateway.gateway.look_up(payment(number)).await?;
        ensure_eq!(record, GatewayRecord::Answered(answer.clone()), "record of {token}");
        ensure_eq!(
            gateway.authorize(payment(number), token).await?,
            answer,
            "answer to the repeated call"
        );
    }
    Ok(())
}

/// The gateway may return an error or not, but must take nothing.
async fn an_undecided_payment_takes_no_money(gateway: &Gateway) -> Verdict {
    for (number, token) in [(1, "tok_must_act"), (2, "tok_pending")] {
        gateway.authorize(payment(number), token).await?;
        let _ = gateway.gateway.capture(payment(number), eur(5_000)).await;
        gateway.ensure_kept(payment(number), 0, "for an undecided payment")?;
    }
    Ok(())
}

async fn an_undecided_payment_is_decided_once(gateway: &Gateway) -> Verdict {
    let declined = |reason| Authorization::Declined { reason };
    let tokens = [
        ("tok_must_act", None),
        ("tok_must_act_secret", None),
        ("tok_must_act_declined", Some(declined(DeclineReason::Declined))),
        ("tok_must_act_given_up", Some(declined(DeclineReason::Interrupted))),
        ("tok_pending", Some(Authorization::Pending { ask_again_at: None })),
    ];
    for (number, (token, expected)) in (1..).zip(tokens) {
        let one = payment(number);
        gateway.authorize(one, token).await?;
        (gateway.decide)(one);
        let decided = gateway.gateway.look_up(one).await?;
        let GatewayRecord::Answered(answer) = &decided else {
            return Err(Broken::because(format!(
                "the gateway has no answer on record for {token}"
            )));
        };
        match expected {
            Some(expected) => ensure_eq!(*answer, expected, "decision about {token}"),
            None => {
                let approved = matches!(answer, Authorization::Approved { .. });
                ensure_eq!(approved, true, "whether {token} is approved");
                gateway.gateway.capture(one, eur(5_000)).await?;
                gateway.ensure_kept(one, 5_000, "after the capture")?;
            }
        }
        (gateway.decide)(one);
        ensure_eq!(gateway.gateway.look_up(one).await?, decided, "record of {token} later");
        ensure_eq!(gateway.authorize(one, token).await?, *answer, "answer to {token} later");
    }
    Ok(())
}
