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
    /// The inventory holds the seats; from here on they are this reservation's.
    Open(ReservationHeld),
    StartPayment {
        by: Actor,
        payment_id: PaymentId,
        method: PaymentMethod,
        charge: Charge,
    },
    /// Let go of the payment under way, as for another means of payment; the hold stays.
    GivePaymentUp { by: Actor },
    /// Take the seats, which cost nothing.
    TakeForNothing { by: Actor },
    /// Take the money that was set aside.
    Capture { by: Actor, payment_id: PaymentId },
    /// Give up. `refund` is what the event's policy gives back if it was paid.
    Cancel { by: Actor, refund: Money },
}

impl ReservationCommand {
    /// Who asks; `None` if it is not a person's to ask.
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

/// Whatever a reservation has to answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationInput {
    Asked(ReservationCommand),
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

/// What the world reports to a reservation. A timeout is an input like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaInput {
    /// The deadline of the hold came.
    HoldRanOut,
    EventCancelled,
    PaymentAuthorized {
        payment_id: PaymentId,
        charge: Charge,
    },
    PaymentDeclined {
        payment_id: PaymentId,
        reason: DeclineReason,
    },
    PaymentCaptured {
        payment_id: PaymentId,
    },
    PaymentRefunded {
        amount: Money,
        in_full: bool,
        cause: RefundCause,
    },
    /// The inventory sold the seats; there is no payment if they cost nothing.
    SeatsSold {
        payment_id: Option<PaymentId>,
    },
    /// The inventory no longer has them.
    SeatsGone {
        payment_id: Option<PaymentId>,
    },
}
