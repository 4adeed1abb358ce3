//! The codes of an event, each with for how many tickets it is used. Only those who manage the event see them.

use std::collections::BTreeMap;

use ticketing_ports::vocabulary::ids::{CodeId, EventId};

use crate::book::{Stop, UnitOfWork};
use crate::catalog::Code;
use crate::command::{Address, Question};
use crate::inventory::Inventory;

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
        let mut uses: BTreeMap<CodeId, u32> = BTreeMap::new();
        for (_, section) in unit.every::<Inventory>()? {
            for (code, quantity) in section.uses_of_codes() {
                *uses.entry(code).or_default() += quantity;
            }
        }
        let used = listing.codes.all().map(|code| UsedCode {
            uses: uses.get(&code.named.code_id).copied().unwrap_or(0),
            code,
        });
        Ok(used.collect())
    }
}
