//! Creating an event: a draft and the inventory of each section.
//!
//! The command is refused if the caller may not create events, or if fields of the draft are invalid; the refusal
//! then names all invalid fields.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Stop, UnitOfWork};
use crate::catalog::{Catalog, CatalogCommand, EventDraft};
use crate::command::{Address, Command, Never, Outcome};

/// Creates an event as a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateEvent {
    /// The id that the new event gets.
    pub event_id: EventId,
    /// How the organiser describes the event.
    pub draft: Box<EventDraft>,
}

impl Command for CreateEvent {
    const NAME: &'static str = "create_event";

    type Reply = EventView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let create = CatalogCommand::Create {
            event_id: self.event_id,
            by: unit.person()?,
            draft: self.draft.clone(),
        };
        unit.begin::<Catalog>(self.event_id);
        unit.decide::<Catalog>(self.event_id, &create)?;
        Ok(Outcome::Reply(self.event_id))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ticketing_ports::vocabulary::money::Currency;
    use ticketing_ports::vocabulary::seating::{Label, RowPlan, Seating};

    use super::*;
    use crate::commands::given::{ALICE, EVENT, House, ORGANISER, a_draft, balcony, label};
    use crate::refusal::Refusal;

    #[test]
    fn a_draft_opens_every_section_with_all_places_free() {
        let mut house = a_draft();
        let event_id = EventId::new(uuid::Uuid::from_u128(3));
        let draft = Box::new(house.draft());
        let created = house.asks(ORGANISER, CreateEvent { event_id, draft }).unwrap();
        assert_eq!(created.facts(), ["EventCreated", "SectionOpened", "SectionOpened"]);
        assert_eq!(
            created.staged.deadlines.len(),
            1,
            "one deadline is set, for the start of the event"
        );
    }

    #[test]
    fn an_id_that_is_taken_creates_nothing() {
        let mut house = a_draft();
        let draft = Box::new(house.draft());
        let again = house.asks(ORGANISER, CreateEvent { event_id: EVENT, draft });
        assert_eq!(again.unwrap_err(), Refusal::AlreadyExists);
    }

    /// Changes a valid draft by `change`, and returns the names of the fields for which its creation is then refused.
    fn wrong_with(change: impl FnOnce(&mut EventDraft)) -> Vec<String> {
        let mut house = a_draft();
        let mut draft = Box::new(house.draft());
        change(&mut draft);
        let event_id = EventId::new(uuid::Uuid::from_u128(3));
        match house.asks(ORGANISER, CreateEvent { event_id, draft }) {
            Ok(_) => Vec::new(),
            Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    fn recorded(text: &str) -> Label {
        Label::recorded(text).unwrap()
    }

    #[test]
    fn a_time_zone_a_country_and_a_currency_are_ones_that_there_are() {
        assert_eq!(wrong_with(|_| {}), [""; 0]);
        for nowhere in ["Mars/Phobos", "../../etc/passwd", "europe/brussels"] {
            let wrong = wrong_with(|draft| draft.venue.timezone = label(nowhere));
            assert_eq!(wrong, ["venue.timezone"], "{nowhere}");
        }
        for nowhere in ["ZZ", "be", "EU", "Belgium"] {
            let wrong = wrong_with(|draft| draft.venue.country = label(nowhere));
            assert_eq!(wrong, ["venue.country"], "{nowhere}");
        }
        for none in ["XXX", "XAU", "AAA"] {
            let wrong = wrong_with(|draft| {
                draft.currency = Currency::new(none).unwrap();
                for tier in &mut draft.pricing_tiers {
                    tier.price.currency = draft.currency;
                }
            });
            assert_eq!(wrong, ["currency"], "{none}");
        }
    }

    #[test]
    fn a_leap_second_is_no_time_for_anything() {
        let leap = DateTime::parse_from_rfc3339("2027-02-01T18:59:60Z").unwrap().to_utc();
        assert_eq!(wrong_with(|draft| draft.starts_at = leap), ["starts_at"]);
        let wrong = wrong_with(|draft| {
            draft.pricing_tiers[0].available_from = Some(leap);
            draft.pricing_tiers[1].available_until = Some(leap);
        });
        assert_eq!(
            wrong,
            ["pricing_tiers[0].available_from", "pricing_tiers[1].available_until"]
        );
    }

    #[test]
    fn names_that_people_take_for_the_same_are_not_two_sections_or_rows() {
        for [one, other] in [
            ["Caf\u{e9}", "CAFE\u{301}"],
            ["VIP", "vip"],
            ["Straße", "STRASSE"],
            ["ＶＩＰ", "VIP"],
        ] {
            let wrong = wrong_with(|draft| {
                for (index, name) in [one, other].into_iter().enumerate() {
                    draft.sections[index].name = label(name);
                    draft.pricing_tiers[index].section = label(name);
                }
            });
            assert_eq!(wrong, ["sections[1].name"], "{one} {other}");
            let wrong = wrong_with(|draft| {
                let rows = [one, other].map(|row| RowPlan::numbered(label(row), 2));
                draft.sections[1].seating = Seating::Numbered { rows: rows.to_vec() };
            });
            assert_eq!(wrong, ["sections[1].seating.rows[1].row"], "{one} {other}");
        }
    }

    #[test]
    fn a_section_and_a_row_of_former_times_are_meant_by_each_way_to_type_them() {
        let mut house = House::with(|draft| {
            draft.sections[1].name = recorded("Cafe\u{301}");
            draft.pricing_tiers[1].section = recorded("Cafe\u{301}");
            let rows = vec![RowPlan::numbered(recorded("e\u{301}"), 2)];
            draft.sections[1].seating = Seating::Numbered { rows };
        });
        for (section, row, number) in [("Caf\u{e9}", "\u{e9}", 1), ("Cafe\u{301}", "e\u{301}", 2)] {
            let mut hold = balcony(&[&format!("{row}-{number}")]);
            hold.lines[0].section = section.to_owned();
            let held = house.asks(ALICE, hold).unwrap().reply();
            assert_eq!(
                held.lines[0].seats[0].to_string(),
                format!("e\u{301}-{number}"),
                "the seat is spelled as it is recorded"
            );
        }
    }

    #[test]
    fn a_customer_creates_no_events() {
        let mut house = a_draft();
        let draft = Box::new(house.draft());
        let event_id = EventId::new(uuid::Uuid::from_u128(3));
        let refused = house.asks(ALICE, CreateEvent { event_id, draft });
        assert_eq!(refused.unwrap_err(), Refusal::Forbidden);
        assert_eq!(
            house.version(event_id),
            None,
            "the refused event has left no stream in the book"
        );
    }
}
