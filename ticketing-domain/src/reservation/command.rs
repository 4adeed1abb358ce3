use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::event_details::HoldExtensions;
use ticketing_ports::vocabulary::ids::{CustomerId, PaymentId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::PaymentMethod;

use super::versioned::ReservationHeld;
use crate::inventory::ReleaseReason;
use crate::payment::{Charge, RefundCause};

/// A command to a reservation: what a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationCommand {
    /// Begin the reservation, for which the inventory has just held the seats.
    Open(ReservationHeld),
    /// Start a payment: ask the gateway for the money.
    StartPayment {
        /// Who asks.
        by: Buyer,
        /// A new id for the payment.
        payment_id: PaymentId,
        /// What the customer pays with.
        method: PaymentMethod,
        /// Whether the money is taken as soon as the provider has approved, or only set aside.
        charge: Charge,
    },
    /// Give up the payment under way, so that another payment can be started. The seats stay held.
    GivePaymentUp {
        /// Who asks.
        by: Buyer,
    },
    /// Complete the reservation at once, because its seats cost nothing.
    TakeForNothing {
        /// Who asks.
        by: Buyer,
    },
    /// Take the money that was set aside by a payment for this reservation.
    Capture {
        /// Who asks.
        by: Buyer,
        /// The authorised payment.
        payment_id: PaymentId,
    },
    /// Let the hold last longer.
    Extend {
        /// Who asks.
        by: Buyer,
        /// How many seconds longer the hold is to last.
        hold_seconds: u32,
        /// How often and how long the event lets holds be extended; `None` if it does not.
        extensions: Option<HoldExtensions>,
    },
    /// Cancel the reservation, whether it is paid or not.
    Cancel {
        /// Who asks.
        by: Buyer,
        /// How much goes back to the customer; zero if the customer gets nothing back.
        refund: Money,
    },
}

impl ReservationCommand {
    /// Returns who asks; `None` for [`Open`](Self::Open), for which no person asks.
    pub(super) fn by(&self) -> Option<Buyer> {
        match self {
            Self::Open(_) => None,
            Self::StartPayment { by, .. }
            | Self::GivePaymentUp { by }
            | Self::TakeForNothing { by }
            | Self::Capture { by, .. }
            | Self::Extend { by, .. }
            | Self::Cancel { by, .. } => Some(*by),
        }
    }
}

/// What a reservation decides on: a command, or a report of another aggregate, the gateway or a deadline.
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
    /// The provider has approved a payment: the money is set aside.
    PaymentAuthorized {
        /// The payment whose money is set aside.
        payment_id: PaymentId,
        /// Whether the money is to be taken at once, or only set aside.
        charge: Charge,
    },
    /// The provider has declined a payment, or the payment was given up.
    PaymentDeclined {
        /// The payment that was not approved.
        payment_id: PaymentId,
        /// Why there is no approval.
        reason: DeclineReason,
    },
    /// The money of a payment was taken.
    PaymentCaptured {
        /// The payment whose money was taken.
        payment_id: PaymentId,
    },
    /// Money of a payment was given back.
    PaymentRefunded {
        /// The payment.
        payment_id: PaymentId,
        /// How much went back.
        amount: Money,
        /// The sum of all refunds of the payment, this one included.
        refunded_in_total: Money,
        /// Whether the whole payment has now been given back.
        in_full: bool,
        /// Why the money went back.
        cause: RefundCause,
    },
    /// The inventory has sold the seats to this reservation.
    SeatsSold {
        /// To whom the seats are sold.
        customer_id: CustomerId,
        /// The payment for the seats; `None` if they cost nothing.
        payment_id: Option<PaymentId>,
    },
    /// No seat was sold to this reservation: the event was cancelled, or the seats of a line are not free any more.
    SeatsGone {
        /// The payment for the seats; `None` if they cost nothing.
        payment_id: Option<PaymentId>,
        /// Why the seats that the reservation still holds become free.
        release: ReleaseReason,
    },
}
