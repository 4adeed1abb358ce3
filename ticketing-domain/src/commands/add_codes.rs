//! Adding codes to an event: customers who enter one pay less, or may buy ticket types that are sold only with a code.
//!
//! The command is refused if the caller does not manage the event, the event is over or cancelled, a text is a code of the
//! event already, or the rules of the codes do not fit the event.

use serde::{Deserialize, Serialize};
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::Label;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::{CatalogCommand, Codes};
use crate::command::{Address, Command, Never, Outcome};

/// Adds codes that all do the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddCodes {
    /// The event on sale.
    pub event_id: EventId,
    /// What customers enter.
    pub codes: Vec<Label>,
    /// What each of the codes does.
    pub rules: CodeRules,
}

impl Command for AddCodes {
    const NAME: &'static str = "add_codes";

    type Reply = Codes;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.event_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let add = CatalogCommand::AddCodes {
            by: unit.person()?,
            codes: self.codes.clone(),
            rules: self.rules.clone(),
        };
        Ok(Outcome::Reply(unit.decide_on_event(&add)?))
    }
}
