use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::PaymentMethod;
use ticketing_ports::vocabulary::roles::Actor;

use super::event::ReservationHeld;
use crate::payment::{Charge, RefundCause};

/// What a person asks of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationCommand {
    /// Begin the reservation: the inventory has just held the seats for it.
    Open(ReservationHeld),
    /// Ask for the money.
    StartPayment {
        /// Who asks.
        by: Actor,
        /// A new id for the payment.
        payment_id: PaymentId,
        /// What the customer pays with.
        method: PaymentMethod,
        /// Whether an approval is followed by a capture.
        charge: Charge,
    },
    /// Let go of the payment under way, so that another can be started. The hold stays.
    GivePaymentUp {
        /// Who asks.
        by: Actor,
    },
    /// Complete the reservation at once, because its seats cost nothing.
    TakeForNothing {
        /// Who asks.
        by: Actor,
    },
    /// Take the money that was set aside.
    Capture {
        /// Who asks.
        by: Actor,
        /// The authorised payment.
        payment_id: PaymentId,
    },
    /// Give the reservation up, paid or not.
    Cancel {
        /// Who asks.
        by: Actor,
        /// What goes back to the customer; zero if nothing does.
        refund: Money,
    },
}

impl ReservationCommand {
    /// Returns who asks; `None` for [`Open`](Self::Open), which no person asks for.
    pub(super) fn by(&self) -> Option<Actor> {
        match self {
            Self::Open(_) => None,
            Self::StartPayment { by, .. }
            | Self::GivePaymentUp { by }
            | Self::TakeForNothing { by }
            | Self::Capture { by, .. }
            | Self::Cancel { by, .. } => Some(*by),
        }
    }
}

/// Everything that a reservation decides on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationInput {
    /// A person asks for something.
    Asked(ReservationCommand),
    /// Another aggregate, the gateway or a deadline reports something.
    Reported(SagaInput),
}

impl From<ReservationCommand> for ReservationInput {
    fn from(command: ReservationCommand) -> Self {
        Self::Asked(command)
    }
}

impl From<SagaInput> for ReservationInput {
    fn from(input: SagaInput) -> Self {
        Self::Reported(input)
    }
}

/// What other aggregates, the gateway and deadlines report to a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaInput {
    /// The deadline of the hold has come.
    HoldRanOut,
    /// The event on sale was cancelled.
    EventCancelled,
    /// The money is set aside.
    PaymentAuthorized {
        /// The payment.
        payment_id: PaymentId,
        /// Whether an approval is followed by a capture.
        charge: Charge,
    },
    /// There is no approval.
    PaymentDeclined {
        /// The payment.
        payment_id: PaymentId,
        /// Why there is no approval.
        reason: DeclineReason,
    },
    /// The money was taken.
    PaymentCaptured {
        /// The payment.
        payment_id: PaymentId,
    },
    /// Money was given back.
    PaymentRefunded {
        /// How much went back.
        amount: Money,
        /// Whether nothing of the payment is left.
        in_full: bool,
        /// Why it went back.
        cause: RefundCause,
    },
    /// The inventory has sold the seats.
    SeatsSold {
        /// The payment for them; `None` if they cost nothing.
        payment_id: Option<PaymentId>,
    },
    /// The inventory no longer has the seats.
    SeatsGone {
        /// The payment for them; `None` if they cost nothing.
        payment_id: Option<PaymentId>,
    },
}
