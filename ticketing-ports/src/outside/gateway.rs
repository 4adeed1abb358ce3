//! The payment gateway: where money is set aside, taken and given back.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::BoxError;
use crate::vocabulary::ids::{PaymentId, RefundId};
use crate::vocabulary::money::Money;
use crate::vocabulary::payment::{DeclineReason, NextAction, PaymentMethod};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    pub payment_id: PaymentId,
    pub amount: Money,
    pub method: PaymentMethod,
    /// Until when the seats are held; an answer after that comes too late.
    pub wanted_by: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    Approved {
        last_four: Option<String>,
    },
    Declined {
        reason: DeclineReason,
    },
    /// Not decided yet: the customer has to do something first.
    MustAct(NextAction),
    /// Not decided yet: the provider still works on it.
    Pending {
        /// When the provider wants to be asked again, if it says so.
        ask_again_at: Option<Timestamp>,
    },
}

/// What the gateway knows of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayRecord {
    /// It never heard of it.
    Unknown,
    /// What it says now: an authorisation that was not decided may be by now.
    Answered(Authorization),
}

#[derive(Debug, Error)]
pub enum GatewayError {
    /// The gateway did not do it; the same call may succeed later.
    #[error("the payment gateway is unavailable")]
    Unavailable(#[source] BoxError),
    /// The answer was lost: it may have been done. Ask or repeat, never assume.
    #[error("the outcome at the payment gateway is unknown")]
    Unknown(#[source] BoxError),
}

/// Moves money.
///
/// **Contract**
/// - `a_repeated_call_moves_money_once`: each call is idempotent in its payment id, refunds in their refund id.
/// - `racing_calls_move_money_once`.
/// - `a_repeated_authorisation_gets_the_first_answer`, or what was decided since.
/// - `a_lost_authorisation_can_be_looked_up` by its payment id.
/// - `a_declined_payment_takes_no_money`.
/// - `a_voided_payment_takes_no_money`.
/// - `refunds_add_up`.
/// - `who_must_act_is_told_how_and_until_when_each_time`: also by a look-up, so that nobody else has to keep it.
/// - `an_undecided_payment_takes_no_money`.
/// - `an_undecided_payment_is_decided_once`, and then says the same to everybody.
/// - `an_unavailable_gateway_has_not_moved_money`.
/// - `tokens_are_approved_or_declined_as_they_say`: those of a sandbox.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Sets the amount aside.
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError>;

    /// Takes the whole amount that was set aside.
    async fn capture(&self, payment: PaymentId, amount: Money) -> Result<(), GatewayError>;

    /// Lets go of an amount that was set aside and not taken.
    async fn void(&self, payment: PaymentId) -> Result<(), GatewayError>;

    /// Gives (a part of) a taken amount back.
    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError>;

    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError>;
}
