//! The words of [`Refusal::InvalidStateTransition`](crate::refusal::Refusal::InvalidStateTransition): the state of an
//! event, a reservation or a payment, and the action that is not possible in that state.

use std::fmt;

use serde::{Deserialize, Serialize};
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;

macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Returns the word by which answers to clients name this state or action.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The state of an event on sale, a reservation or a payment, whichever the refused action was about.
    pub enum StateName {
        /// Nothing has been recorded under this id.
        Absent = "absent",
        /// An event that only those who manage it see.
        Draft = "draft",
        /// An event that everybody sees, and whose seats nobody can buy yet.
        Published = "published",
        /// An event whose seats are on sale.
        SalesOpen = "sales_open",
        /// An event whose seats are no longer on sale.
        SalesClosed = "sales_closed",
        /// An event or a reservation that was cancelled.
        Cancelled = "cancelled",
        /// An event that has begun, or a reservation that is paid.
        Completed = "completed",
        /// A reservation whose seats are held and wait for a payment.
        Held = "held",
        /// A reservation with a payment under way.
        PaymentPending = "payment_pending",
        /// A reservation whose hold ran out.
        Expired = "expired",
        /// A reservation that was undone because it could not be paid.
        Compensated = "compensated",
        /// A reservation or a payment whose money was given back.
        Refunded = "refunded",
        /// A payment about which the provider has not decided.
        Pending = "pending",
        /// A payment whose money is set aside.
        Authorized = "authorized",
        /// A payment whose money was taken.
        Captured = "captured",
        /// A payment that was declined or voided.
        Failed = "failed",
        /// A payment of which a part was given back.
        PartiallyRefunded = "partially_refunded",
    }
}

words! {
    /// The action that is not possible in the current state.
    pub enum Action {
        /// Publish a draft.
        Publish = "publish",
        /// Put an event on sale.
        OpenSales = "open_sales",
        /// Take an event off sale.
        CloseSales = "close_sales",
        /// Cancel an event or a reservation.
        Cancel = "cancel",
        /// Hold seats.
        Reserve = "reserve",
        /// Block seats.
        BlockSeats = "block_seats",
        /// Add or end codes.
        ChangeCodes = "change_codes",
        /// Pay for a reservation.
        Pay = "pay",
        /// Take the money that was set aside by a payment.
        Capture = "capture",
        /// Let a hold last longer.
        Extend = "extend",
        /// Give money back.
        Refund = "refund",
        /// Do anything to a reservation that does not exist.
        Change = "change",
    }
}

impl From<EventStatus> for StateName {
    fn from(status: EventStatus) -> Self {
        match status {
            EventStatus::Draft => Self::Draft,
            EventStatus::Published => Self::Published,
            EventStatus::SalesOpen => Self::SalesOpen,
            EventStatus::SalesClosed => Self::SalesClosed,
            EventStatus::Cancelled => Self::Cancelled,
            EventStatus::Completed => Self::Completed,
        }
    }
}

impl From<ReservationStatus> for StateName {
    fn from(status: ReservationStatus) -> Self {
        match status {
            ReservationStatus::Held => Self::Held,
            ReservationStatus::PaymentPending => Self::PaymentPending,
            ReservationStatus::Completed => Self::Completed,
            ReservationStatus::Expired => Self::Expired,
            ReservationStatus::Cancelled => Self::Cancelled,
            ReservationStatus::Compensated => Self::Compensated,
            ReservationStatus::Refunded => Self::Refunded,
        }
    }
}

impl From<PaymentStatus> for StateName {
    fn from(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Pending => Self::Pending,
            PaymentStatus::Authorized => Self::Authorized,
            PaymentStatus::Captured => Self::Captured,
            PaymentStatus::Failed => Self::Failed,
            PaymentStatus::Refunded => Self::Refunded,
            PaymentStatus::PartiallyRefunded => Self::PartiallyRefunded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;

    #[test]
    fn each_status_is_named_as_its_aggregate_spells_it() {
        for status in EventStatus::ALL {
            assert_eq!(StateName::from(status).as_str(), status.as_str());
        }
        for status in ReservationStatus::ALL {
            assert_eq!(StateName::from(status).as_str(), status.as_str());
        }
        for status in PaymentStatus::ALL {
            assert_eq!(StateName::from(status).as_str(), status.as_str());
        }
    }

    #[test]
    fn a_refused_transition_is_written_with_the_words_that_clients_know() {
        let refused = Refusal::state(EventStatus::SalesOpen, Action::OpenSales);
        let written = r#"{"invalid_state_transition":{"from":"sales_open","action":"open_sales"}}"#;
        assert_eq!(serde_json::to_string(&refused).unwrap(), written);
        assert_eq!(serde_json::from_str::<Refusal>(written).unwrap(), refused);
        assert_eq!(refused.to_string(), "open_sales is not possible in state sales_open");
    }
}
