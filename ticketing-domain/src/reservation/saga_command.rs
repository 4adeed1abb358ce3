//! What the saga asks of the other aggregates.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, PaymentId, SectionId};

use super::event::ReservationEvent;
use super::line::Lines;
use crate::inventory::InventoryCommand;
use crate::payment::PaymentCommand;
use crate::reducer::Decision;

/// What follows for a reservation: facts to record, and commands to other aggregates.
pub type ReservationDecision = Decision<ReservationEvent, SagaCommand>;

/// A command of the saga to another aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaCommand {
    /// Give the inventory a command. If the inventory refuses it, nothing changes for the reservation.
    Inventory {
        /// The section that the inventory is of.
        section_id: SectionId,
        /// The command for the inventory.
        command: InventoryCommand,
    },
    /// Let the hold of a section last longer. If the section has given the seats to somebody else, because it saw the hold
    /// run out earlier, the whole command is refused: the hold ran out.
    ExtendHold {
        /// The section.
        section_id: SectionId,
        /// When the hold runs out from now on.
        held_until: Timestamp,
        /// When it ran out before.
        before: Timestamp,
    },
    /// Sell the seats of all lines of this reservation or none, and report
    /// [`SagaInput::SeatsSold`](super::SagaInput::SeatsSold) or [`SagaInput::SeatsGone`](super::SagaInput::SeatsGone)
    /// to the reservation.
    SellSeats {
        /// To whom the seats are sold.
        customer_id: CustomerId,
        /// The lines.
        lines: Lines,
        /// The payment for the seats; `None` if they cost nothing.
        payment_id: Option<PaymentId>,
    },
    /// Take the money if the inventory would sell the seats of all lines to this reservation now; if not, release the
    /// money.
    CaptureIfFree {
        /// The lines.
        lines: Lines,
        /// The authorised payment.
        payment_id: PaymentId,
    },
    /// Give the payment a command. If the payment refuses it, nothing changes for the reservation.
    Payment {
        /// The payment that gets the command.
        payment_id: PaymentId,
        /// The command for the payment.
        command: PaymentCommand,
    },
}
