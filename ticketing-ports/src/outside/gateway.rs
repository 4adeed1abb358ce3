//! The payment gateway, through which the box office sets money aside, captures it and pays it back.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::BoxError;
use crate::vocabulary::ids::{PaymentId, RefundId};
use crate::vocabulary::money::Money;
use crate::vocabulary::payment::{DeclineReason, NextAction, PaymentMethod};

/// The request to set money aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    /// The id of the payment, by which the gateway recognises a repeated request.
    pub payment_id: PaymentId,
    /// How much to set aside.
    pub amount: Money,
    /// The means by which the customer pays.
    pub method: PaymentMethod,
    /// When the hold of the seats runs out. An approval after this time comes too late to keep the seats.
    pub wanted_by: Timestamp,
}

/// What the gateway answers to a request to set money aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// The gateway has set the money aside.
    Approved {
        /// The last four digits of the card; `None` if the gateway does not tell them.
        last_four: Option<String>,
    },
    /// The gateway does not set the money aside.
    Declined {
        /// Why the gateway does not set the money aside.
        reason: DeclineReason,
    },
    /// The gateway has not decided yet, because the customer must do something first.
    MustAct(NextAction),
    /// The gateway has not decided yet, and the customer need not do anything.
    Pending {
        /// When the gateway wants to be asked again; `None` if the gateway does not say.
        ask_again_at: Option<Timestamp>,
    },
}

/// What the gateway knows about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayRecord {
    /// The gateway never received the payment.
    Unknown,
    /// What the gateway answers now. If its first answer was that it had not decided yet, this answer may be another.
    Answered(Authorization),
}

/// Why a call to the gateway failed.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The gateway did nothing. The same call may succeed later.
    #[error("the payment gateway is unavailable")]
    Unavailable(#[source] BoxError),
    /// The gateway's answer was lost, so the gateway may have done what was asked or not. The caller looks the
    /// payment up or repeats the call.
    #[error("the answer of the payment gateway was lost, so the gateway may have done what was asked or not")]
    Unknown(#[source] BoxError),
}

/// Moves money. Every call may be repeated with the same payment id or refund id: the repetition moves no more money.
///
/// ```
/// use adapters_memory::InMemoryGateway;
/// use chrono::DateTime;
/// use ticketing_ports::outside::gateway::{AuthorizeRequest, Authorization, PaymentGateway};
/// use ticketing_ports::vocabulary::ids::PaymentId;
/// use ticketing_ports::vocabulary::money::{Currency, Money};
/// use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let gateway = InMemoryGateway::new();
/// let request = AuthorizeRequest {
///     payment_id: PaymentId::new(Uuid::from_u128(1)),
///     amount: Money::new(2_500, Currency::EUR),
///     method: PaymentMethod {
///         kind: MethodKind::Card,
///         token: MethodToken::new("tok_visa").unwrap(),
///     },
///     wanted_by: DateTime::UNIX_EPOCH,
/// };
/// let (payment, amount) = (request.payment_id, request.amount);
/// let answer = gateway.authorize(request).await.unwrap();
/// assert!(matches!(answer, Authorization::Approved { .. }));
/// gateway.capture(payment, amount).await.unwrap();
/// # });
/// ```
///
/// **Contract**
/// - `a_repeated_call_moves_money_once`: calls with the same payment id, or refunds with the same refund id, count
///   once.
/// - `racing_calls_move_money_once`.
/// - `a_repeated_authorisation_gets_the_first_answer`, or the gateway's decision if it was made after that answer.
/// - `a_lost_authorisation_can_be_looked_up` by its payment id.
/// - `a_declined_payment_takes_no_money`.
/// - `a_voided_payment_takes_no_money`.
/// - `refunds_add_up`.
/// - `who_must_act_is_told_how_and_until_when_each_time`, also by `look_up`, so that the box office need not store
///   the [`NextAction`].
/// - `an_undecided_payment_takes_no_money`.
/// - `an_undecided_payment_is_decided_once`, and from then on every caller gets that decision.
/// - `an_unavailable_gateway_has_not_moved_money`.
/// - `tokens_are_approved_or_declined_as_they_say`: a sandbox gateway decides by the text of the token.
#[async_trait]
pub trait PaymentGateway: std::fmt::Debug + Send + Sync {
    /// Asks the gateway to set the amount aside.
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError>;

    /// Takes the whole amount that was set aside.
    async fn capture(&self, payment: PaymentId, amount: Money) -> Result<(), GatewayError>;

    /// Releases an amount that was set aside and has not been taken.
    async fn void(&self, payment: PaymentId) -> Result<(), GatewayError>;

    /// Pays back an amount that was taken, or a part of it.
    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError>;

    /// Returns what the gateway knows about a payment.
    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError>;
}
