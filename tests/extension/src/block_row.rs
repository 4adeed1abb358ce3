//! A command that the box office does not have: it blocks all seats of a row.

use serde::{Deserialize, Serialize};
use ticketing_domain::book::{Stop, UnitOfWork, Wants};
use ticketing_domain::catalog::Catalog;
use ticketing_domain::command::{Address, Command, Never, Outcome};
use ticketing_domain::inventory::{Inventory, InventoryCommand, TakenSeats};
use ticketing_domain::policy;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::Seating;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRow {
    pub event_id: EventId,
    pub section: String,
    pub row: String,
}

impl Command for BlockRow {
    const NAME: &'static str = "block_row";

    type Reply = SectionAvailability;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.event_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        let listing = unit.get::<Catalog>(self.event_id)?.listing();
        let listing = listing.ok_or(Refusal::EventNotFound(self.event_id))?;
        if !policy::may_manage(by, listing.owner_id) {
            return Err(Refusal::Forbidden.into());
        }
        let section = listing.details.section(&self.section);
        let section = section.ok_or_else(|| Refusal::SectionNotFound(self.section.clone()))?;
        let section_id = section.section_id;
        let Seating::Numbered { rows } = &section.seating else {
            return Err(Refusal::invalid("section", "has no rows").into());
        };
        let row = rows.iter().find(|plan| plan.row.as_str() == self.row);
        let row = row.ok_or_else(|| Refusal::invalid("row", "the section has no such row"))?;
        let seats = TakenSeats::Seats(row.seats().collect());
        unit.decide::<Inventory>(section_id, &InventoryCommand::Block { seats })
            .map_err(|declined| declined.or_refuse(|_| Refusal::invalid("row", "not all of its seats are free")))?;
        Ok(Outcome::Reply(section_id))
    }
}
