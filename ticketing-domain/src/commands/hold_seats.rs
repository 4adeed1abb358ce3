//! Holding seats: they are set aside for a few minutes, at the price that is in force now.
//!
//! The command reads the terms from the catalog, has each section hold the seats of all its lines, and opens the
//! reservation with the deadline of the hold. The command is refused if the event is not on sale, or is a draft that the
//! caller may not see, a section or ticket type is unknown, not sold now or named twice, no price is in force, the
//! quantity of all lines together is above the limit, the customer does not exist, the customer would have more seats or
//! holds than one customer may have, fewer tickets are left in a quota, or the seats of a line are not free. If one line
//! is refused, no line is held.

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::event_details::TicketType;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, LineId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::LineKind;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::seating::Allocation;

use super::line_prices::line_prices;
use super::party::{Party, parties};
use super::section_refusals::refused;
use super::shares::{Share, shares};
use super::wanted_line::{MAX_LINES, WantedLine, field};
use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::{Code, Listing, SaleTerms};
use crate::command::{Address, Command, Never, Outcome};
use crate::inventory::{self, Inventory, InventoryCommand, InventoryEvent, PARTS_SINCE, SeatsHeld, TakenSeats};
use crate::pricing::LinePrice;
use crate::quotas::parts_of;
use crate::refusal::{FieldError, Refusal};
use crate::reservation::{Line, Reservation, ReservationCommand, ReservationHeld};

/// Sets seats aside for a customer: those of all lines, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldSeats {
    /// The event on sale that the sections belong to.
    pub event_id: EventId,
    /// What the customer wants, with each ticket type of a section once.
    pub lines: Vec<WantedLine>,
    /// For whom the seats are held.
    pub customer: HoldFor,
    /// The code that the customer enters; `None` if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// For whom seats are held. The domain cannot tell whether a customer exists, so whoever calls the engine looks that
/// up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldFor {
    /// The seats are held for whoever sends the command.
    Caller,
    /// The seats are held for this customer. Only an admin may hold seats for somebody else.
    Customer(CustomerId),
    /// A customer who does not exist, or was deleted: the command is refused.
    Nobody(CustomerId),
}

impl Command for HoldSeats {
    const NAME: &'static str = "hold_seats";

    type Reply = ReservationView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.event_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.buyer()?;
        let reservation_id = unit.mint::<Reservation>();
        let customer_id = self.customer(by, reservation_id)?;
        let listing = unit.listing_seen_by(by.account())?.clone();
        let details = &listing.details;
        let terms = self.terms(&listing, unit.now())?;
        unit.may_hold_more(by, customer_id, self.quantity())?;
        let code = listing.code(self.code.as_deref(), unit.now())?;
        let code = code.as_ref();
        self.are_opened_by(code, &terms)?;
        let parties = parties(&self.lines, &terms)?;
        if parties.len() > 1 {
            load_all(unit, &parties)?;
        }
        if details.has_quotas() && unit.ctx().floor < PARTS_SINCE {
            // A line without the id of its tier would not count in the quota of that tier later on.
            return Err(Refusal::UpdateUnderWay.into());
        }
        let shares = shares(unit, details, &self.lines, &terms, code)?;
        let prices = line_prices(details, &shares)?;
        let tickets: Vec<_> = shares.iter().map(Share::tickets).collect();
        unit.may_use_codes(customer_id, &tickets)?;
        unit.make_room(&listing, &tickets)?;
        let held_until = terms[0].held_until;
        let mut seats = vec![None; terms.len()];
        for party in &parties {
            let hold = inventory::HoldSeats {
                reservation_id,
                customer_id,
                quantity: party.quantity(),
                wish: party.wish(),
                held_until,
                parts: parts_of(details, party.section_id, &tickets),
            };
            let held = hold_party(unit, hold, party)?;
            for (line, taken) in party.divide(held.seats) {
                seats[line] = Some((taken, held.allocation));
            }
        }
        let lines = shares.iter().zip(prices).enumerate();
        let lines: Vec<_> = lines
            .map(|(index, (share, price))| {
                let (seats, allocation) = seats[share.line].as_mut().expect("each line is of one party");
                let line_id = match index {
                    0 => LineId::first_of(reservation_id),
                    _ => unit.ctx().new_id(LineId::new),
                };
                line(line_id, share, seats.take_first(share.quantity), *allocation, price)
            })
            .collect();
        let open = ReservationCommand::Open(ReservationHeld {
            reservation_id,
            event_id: self.event_id,
            customer_id,
            total: total(&lines)?,
            lines: lines.into(),
            held_until,
            at: unit.now(),
            order_secret: by.order_secret(),
        });
        unit.decide::<Reservation>(reservation_id, &open.into())?;
        Ok(Outcome::Reply(reservation_id))
    }
}

impl HoldSeats {
    /// Makes an order of one section: the caller gets the best of its free seats.
    pub fn best(event_id: EventId, section: impl Into<String>, quantity: u32) -> Self {
        Self {
            event_id,
            lines: vec![WantedLine::best(section, quantity)],
            customer: HoldFor::Caller,
            code: None,
        }
    }

    /// Enters a code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// Returns the terms on which each line is sold now. There is at least one.
    fn terms<'e>(&self, listing: &'e Listing, now: Timestamp) -> Result<Vec<SaleTerms<'e>>, Refusal> {
        if self.lines.is_empty() || self.lines.len() > MAX_LINES {
            let reason = format!("must have between 1 and {MAX_LINES} lines");
            return Err(Refusal::invalid("items", reason));
        }
        let mut terms: Vec<SaleTerms<'_>> = Vec::with_capacity(self.lines.len());
        for (index, wanted) in self.lines.iter().enumerate() {
            let of_line = listing
                .terms(&wanted.section, wanted.ticket_type.as_deref(), wanted.quantity, now)
                .map_err(|refusal| self.of_line(index, refusal))?;
            if terms.iter().any(|other| other.is_of_same_type(&of_line)) {
                return Err(said_twice(index, &of_line));
            }
            terms.push(of_line);
        }
        let requested = self.quantity();
        let limit = listing.details.max_seats_per_order;
        if requested > limit {
            return Err(Refusal::InvalidQuantity {
                requested,
                limit,
                section: None,
            });
        }
        Ok(terms)
    }

    /// Checks that the code is for tickets of the order, and opens the ticket types that are sold only with a code.
    fn are_opened_by(&self, code: Option<&Code>, terms: &[SaleTerms<'_>]) -> Result<(), Refusal> {
        for (index, terms) in terms.iter().enumerate() {
            let opened = terms.are_opened_by(code);
            opened.map_err(|refusal| self.of_line(index, refusal))?;
        }
        if code.is_some_and(|code| !terms.iter().any(|terms| terms.are_of(code))) {
            return Err(Refusal::invalid("code", "is for none of these tickets"));
        }
        Ok(())
    }

    /// Makes the catalog's refusal of a line say which line it is about. If there is only one line, the refusal says
    /// it already.
    fn of_line(&self, index: usize, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::InvalidQuantity { requested, limit, .. } if self.lines.len() > 1 => Refusal::InvalidQuantity {
                requested,
                limit,
                section: Some(self.lines[index].section.clone()),
            },
            Refusal::Invalid(errors) => {
                let errors = errors.into_iter().map(|error| FieldError {
                    field: field(index, &error.field),
                    ..error
                });
                Refusal::Invalid(errors.collect())
            }
            refusal => refusal,
        }
    }

    /// Returns how many seats all lines together want.
    fn quantity(&self) -> u32 {
        let quantities = self.lines.iter().map(|line| line.quantity);
        quantities.fold(0, u32::saturating_add)
    }

    /// Returns for whom the seats are held. Nobody knows who a guest is, so each order of a guest is of a customer of its
    /// own until it is sold.
    fn customer(&self, by: Buyer, reservation_id: ReservationId) -> Result<CustomerId, Refusal> {
        let by = match (by, self.customer) {
            (Buyer::Person(actor), _) => actor,
            (Buyer::Guest(_), HoldFor::Caller) => return Ok(CustomerId::new(reservation_id.uuid())),
            (Buyer::Guest(_), _) => return Err(Refusal::Forbidden),
        };
        let own = CustomerId::from(by.user_id);
        match self.customer {
            HoldFor::Caller => Ok(own),
            HoldFor::Customer(customer_id) if customer_id == own || by.role == Role::Admin => Ok(customer_id),
            HoldFor::Nobody(customer_id) if by.role == Role::Admin => Err(Refusal::CustomerNotFound(customer_id)),
            HoldFor::Customer(_) | HoldFor::Nobody(_) => Err(Refusal::Forbidden),
        }
    }
}

/// Refuses a line whose section and ticket type an earlier line has.
fn said_twice(index: usize, terms: &SaleTerms<'_>) -> Refusal {
    let (name, what) = match &terms.ticket_type {
        None => ("section", format!("section {}", terms.section.name)),
        Some(of) => (
            "ticket_type",
            format!("ticket type {} of section {}", of.name, terms.section.name),
        ),
    };
    Refusal::invalid(field(index, name), format!("{what} is in the order already"))
}

/// Looks at all sections before anything is decided, so that all that are missing are loaded together.
fn load_all(unit: &UnitOfWork<'_>, parties: &[Party<'_>]) -> Result<(), Stop> {
    for party in parties {
        drop(unit.get::<Inventory>(party.section_id));
    }
    if unit.has_missed() { Err(Stop::Load) } else { Ok(()) }
}

/// Has a section hold the seats of all its lines.
fn hold_party(unit: &mut UnitOfWork<'_>, hold: inventory::HoldSeats, party: &Party<'_>) -> Result<SeatsHeld, Stop> {
    let made = unit
        .decide::<Inventory>(party.section_id, &InventoryCommand::Hold(hold))
        .map_err(|declined| {
            declined.or_refuse(|refusal| {
                let index = party.line_of(&refusal);
                refused(refusal, party.section, |name| field(index, name))
            })
        })?;
    let Some(InventoryEvent::SeatsHeld(held)) = unit.made(&made).last() else {
        unreachable!("the last fact of an accepted hold is SeatsHeld");
    };
    Ok(held.clone())
}

fn line(line_id: LineId, share: &Share<'_>, seats: TakenSeats, allocation: Allocation, price: LinePrice) -> Line {
    Line {
        line_id,
        kind: LineKind::Ticket,
        section_id: share.terms.section.section_id,
        section: share.terms.section.name.clone(),
        ticket_type: share.terms.ticket_type.map(TicketType::named),
        tier_id: share.tier.tier_id,
        tier: share.tier.tier.clone(),
        seats,
        allocation,
        unit_price: share.tier.price,
        code: share.code.map(|code| code.named.clone()),
        price_parts: price.parts,
        total: price.total,
    }
}

fn total(lines: &[Line]) -> Result<Money, Refusal> {
    let none = Money::zero(lines[0].total.currency);
    let sum = lines.iter().try_fold(none, |sum, line| sum.plus(line.total));
    sum.map_err(|_| Refusal::invalid("items", "the total is out of range"))
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;

    use super::*;
    use crate::commands::given::{ADMIN, ALICE, BOB, EVENT, ORGANISER, a_draft, balcony, floor, on_sale, seat};

    #[test]
    fn seats_are_held_at_the_price_in_force_until_the_deadline() {
        let mut house = on_sale();
        let held = house.asks(ALICE, floor(2)).unwrap();
        assert_eq!(held.facts(), ["SeatsHeld", "ReservationHeld"]);
        let view = held.reply();
        assert_eq!((view.quantity(), view.total_amount.amount), (2, 5_000));
        let expiry = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        assert_eq!(expiry.due_at, view.expires_at);
    }

    #[test]
    fn seats_that_are_gone_are_named_and_none_is_held() {
        let mut house = on_sale();
        house.asks(ALICE, balcony(&["A-2"])).unwrap();
        let refused = house.asks(BOB, balcony(&["A-1", "A-2"])).unwrap_err();
        let seats = vec![seat("A-2")];
        let section = Some("Balcony".to_owned());
        assert_eq!(refused, Refusal::SeatsUnavailable { seats, section });
        assert!(house.asks(BOB, balcony(&["A-1"])).is_ok());
    }

    #[test]
    fn who_names_no_seats_gets_the_best() {
        let mut house = on_sale();
        let held = house.asks(ALICE, HoldSeats::best(EVENT, "Balcony", 2)).unwrap().reply();
        assert_eq!(held.only_line().unwrap().allocation, Allocation::Adjacent);
    }

    #[test]
    fn a_hold_that_ran_out_gives_its_places_to_who_comes_next() {
        let mut house = on_sale();
        house.hold(ALICE, 5);
        assert!(matches!(
            house.asks(BOB, floor(1)).unwrap_err(),
            Refusal::InsufficientInventory { available: 0, .. }
        ));
        house.wait(300);
        let held = house.asks(BOB, floor(1)).unwrap();
        assert_eq!(held.facts(), ["SeatsReleased", "SeatsHeld", "ReservationHeld"]);
    }

    #[test]
    fn a_draft_and_an_unknown_section_sell_nothing() {
        let refused = a_draft().asks(ALICE, floor(1)).unwrap_err();
        assert!(matches!(refused, Refusal::EventNotFound(_)));
        let refused = on_sale().asks(ALICE, HoldSeats::best(EVENT, "Moon", 1)).unwrap_err();
        assert_eq!(refused, Refusal::SectionNotFound("Moon".to_owned()));
    }

    #[test]
    fn only_an_admin_holds_for_somebody_else() {
        let for_bob = HoldSeats {
            customer: HoldFor::Customer(BOB.user_id.into()),
            ..floor(1)
        };
        let mut house = on_sale();
        assert_eq!(house.asks(ALICE, for_bob.clone()).unwrap_err(), Refusal::Forbidden);
        let held = house.asks(ADMIN, for_bob).unwrap().reply();
        assert_eq!(held.customer_id, BOB.user_id.into());
    }

    #[test]
    fn nobody_sells_to_somebody_who_does_not_exist_and_only_an_admin_learns_that() {
        let nobody = CustomerId::from(BOB.user_id);
        let for_nobody = HoldSeats {
            customer: HoldFor::Nobody(nobody),
            ..floor(1)
        };
        let mut house = on_sale();
        for (by, refusal) in [
            (ADMIN, Refusal::CustomerNotFound(nobody)),
            (ALICE, Refusal::Forbidden),
            (ORGANISER, Refusal::Forbidden),
        ] {
            assert_eq!(house.asks(by, for_nobody.clone()).unwrap_err(), refusal);
        }
        let free = house.asks(ALICE, floor(5)).unwrap();
        assert_eq!(
            free.facts(),
            ["SeatsHeld", "ReservationHeld"],
            "the refused commands have held no seats"
        );
    }
}
