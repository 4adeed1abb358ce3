//! Ending a code: nobody can enter it any more. What is held and sold with it stays so, at its price.
//!
//! The command is refused if the caller does not manage the event, the event is over or cancelled, or it has no such code.
//! Ending a code twice changes nothing.

use serde::{Deserialize, Serialize};
use ticketing_ports::vocabulary::ids::{CodeId, EventId};

use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::{CatalogCommand, Codes};
use crate::command::{Address, Command, Never, Outcome};

/// Ends a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndCode {
    /// The event on sale.
    pub event_id: EventId,
    /// The code.
    pub code_id: CodeId,
}

impl Command for EndCode {
    const NAME: &'static str = "end_code";

    type Reply = Codes;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.event_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let end = CatalogCommand::EndCode {
            by: unit.person()?,
            code_id: self.code_id,
        };
        Ok(Outcome::Reply(unit.decide_on_event(&end)?))
    }
}
