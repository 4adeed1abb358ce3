//! The codes of an event, each with for how many tickets it is used. Only those who manage the event see them.

use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Stop, UnitOfWork};
use crate::catalog::Code;
use crate::command::{Address, Question};
use crate::inventory::{Counted, Inventory};

/// Asks for the codes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeeCodes {
    /// The event on sale.
    pub event_id: EventId,
}

/// A code, with for how many tickets it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedCode {
    /// The code.
    pub code: Code,
    /// For how many tickets it is used, held and sold. Holds that have run out count until they are released.
    pub uses: u32,
}

impl Question for SeeCodes {
    const NAME: &'static str = "see_codes";

    type Answer = Vec<UsedCode>;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Vec<UsedCode>, Stop> {
        let listing = unit.listing_managed_by(unit.person()?)?;
        let sections = unit.every::<Inventory>()?;
        let used = listing.codes.all().iter().map(|code| {
            let counted = Counted::Code(code.named.code_id);
            UsedCode {
                code: code.clone(),
                uses: sections.iter().map(|(_, section)| section.taken(counted)).sum(),
            }
        });
        Ok(used.collect())
    }
}
