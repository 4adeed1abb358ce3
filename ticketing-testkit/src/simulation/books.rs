//! Checks the books: what the log says must be consistent, and must agree with what the gateway has recorded.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use ticketing_domain::catalog::{CatalogEvent, CatalogState};
use ticketing_domain::inventory::{ClaimKind, Counted, InventoryEvent, InventoryState, SeatsSold, TakenSeats};
use ticketing_domain::payment::{PaymentEvent, PaymentState};
use ticketing_domain::quotas::{of_code, quotas_of};
use ticketing_domain::reservation::{ReservationEvent, ReservationState};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::streams::{Aggregate, Position, RecordedEvent, Version};
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::SeatId;
use uuid::Uuid;

use super::Ledger;

/// A fault in the books. None must be left once all deadlines have been handled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    #[error(
        "the fact with position {0} is not the next one in the log: positions must follow one another without a gap"
    )]
    PositionGap(Position),
    #[error("the fact at position {0} does not have the next version of its stream")]
    VersionGap(Position),
    #[error("the fact at position {0} cannot be read")]
    Unreadable(Position),
    #[error("seat {1} of section {0} belongs to two reservations")]
    SoldTwice(SectionId, SeatId),
    #[error("section {0} has more people than places, or its counts do not add up to its capacity")]
    CountsWrong(SectionId),
    #[error("customer {customer} has {seats} seats of one event, but may have {limit}")]
    TooManySeats {
        customer: CustomerId,
        seats: u32,
        limit: u32,
    },
    #[error("event {event} has {taken} tickets where it may have {limit}")]
    QuotaExceeded { event: EventId, taken: u32, limit: u32 },
    #[error("reservation {0} still holds seats, although its hold should have ended")]
    HeldForEver(ReservationId),
    #[error("reservation {0} is completed, but its seats are not sold to it")]
    TicketsWithoutSeats(ReservationId),
    #[error("seats are sold to reservation {0}, although it is not completed")]
    SeatsWithoutTickets(ReservationId),
    #[error("the lines of reservation {0} do not add up to its total, or its tickets are not those of its lines")]
    LinesWrong(ReservationId),
    #[error("of payment {payment} the gateway has kept {kept}, but should have kept {due}")]
    MoneyWrong { payment: PaymentId, kept: i64, due: i64 },
    #[error("payment {0} is still undecided, or its money is still set aside")]
    MoneyStuck(PaymentId),
    #[error("not all reservations of the cancelled event are released or refunded")]
    CancellationUnfinished,
    #[error("reservation {0} still has seats of the cancelled event")]
    SeatsOfCancelledEvent(ReservationId),
    #[error("the organiser asked for {asked} refunds for customer {customer}, but {made} were made")]
    RefundedMoreThanAsked {
        customer: CustomerId,
        asked: usize,
        made: usize,
    },
    #[error("the same request was answered once with reservation {0} and once with reservation {1}")]
    AnsweredDifferently(ReservationId, ReservationId),
    #[error("a customer was told something about reservation {0} that is not in the log")]
    PromiseBroken(ReservationId),
    #[error("customer {customer} asked for {asked} holds, but {made} were made")]
    HeldMoreThanAsked {
        customer: CustomerId,
        asked: usize,
        made: usize,
    },
    #[error("the read models stopped at position {checkpoint}, but the log ends at position {head}")]
    ProjectionBehind { checkpoint: Position, head: Position },
    #[error("the read models do not show what the facts add up to: {0}")]
    SidesDisagree(String),
    #[error("a live board does not show what the facts add up to: {0}")]
    BoardDisagrees(String),
    #[error("a customer or the organiser has not got all answers in time")]
    NeverAnswered,
    #[error("read models include facts that the log has lost, but the incarnation of the log was not raised")]
    LossUnnoticed,
    #[error("the fact at position {0} was published under the identity of a log that does not have this fact")]
    LostFactTold(Position),
}

#[derive(Default)]
struct Books {
    catalogs: BTreeMap<Uuid, CatalogState>,
    sections: BTreeMap<SectionId, InventoryState>,
    reservations: BTreeMap<ReservationId, ReservationState>,
    payments: BTreeMap<PaymentId, PaymentState>,
}

/// Replays the log and returns every fault in it. The result is empty if the books are right.
pub fn check_books(log: &[RecordedEvent], ledger: &dyn Ledger) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut books = Books::default();
    let mut versions: BTreeMap<_, Version> = BTreeMap::new();
    for (index, (event, place)) in log.iter().zip(1..).enumerate() {
        if event.position != Position(place) {
            violations.push(Violation::PositionGap(event.position));
        }
        let version = versions.entry(event.stream).or_default();
        *version = version.next();
        if event.version != *version {
            violations.push(Violation::VersionGap(event.position));
        }
        if books.replay(event).is_none() {
            violations.push(Violation::Unreadable(event.position));
        }
        violations.extend(books.check_section(event));
        violations.extend(books.check_customer(event));
        // The facts of one commit are there all at once, in the order of their streams.
        if log.get(index + 1).is_none_or(|next| next.commit_id != event.commit_id) {
            violations.extend(books.check_quotas());
        }
    }
    books.check_seats(log, &mut violations);
    books.check_money(ledger, &mut violations);
    let is_cancelled = |catalog: &CatalogState| {
        catalog
            .listing()
            .is_some_and(|listing| listing.status == EventStatus::Cancelled)
    };
    let unsettled = |catalog: &CatalogState| {
        catalog
            .listing()
            .is_some_and(|listing| listing.status == EventStatus::Cancelled && listing.settling)
    };
    if books.catalogs.values().any(is_cancelled) {
        let seated = books.sections.values().flat_map(InventoryState::reservations);
        violations.extend(seated.map(Violation::SeatsOfCancelledEvent));
    }
    if books.catalogs.values().any(unsettled) {
        violations.push(Violation::CancellationUnfinished);
    }
    violations
}

impl Books {
    fn replay(&mut self, event: &RecordedEvent) -> Option<()> {
        let id = event.stream.id;
        match event.stream.aggregate {
            Aggregate::Catalog => {
                self.catalogs
                    .entry(id)
                    .or_default()
                    .evolve(&CatalogEvent::from_recorded(event).ok()?);
            }
            Aggregate::Inventory => {
                let section = self.sections.entry(SectionId::new(id)).or_default();
                section.evolve(&InventoryEvent::from_recorded(event).ok()?);
            }
            Aggregate::Reservation => {
                let reservation = self.reservations.entry(ReservationId::new(id)).or_default();
                reservation.evolve(&ReservationEvent::from_recorded(event).ok()?);
            }
            Aggregate::Payment => {
                let payment = self.payments.entry(PaymentId::new(id)).or_default();
                payment.evolve(&PaymentEvent::from_recorded(event).ok()?);
            }
        }
        Some(())
    }

    /// Checks after each fact of a section that no seat is in two claims, and that the counts agree with the claims.
    fn check_section(&self, event: &RecordedEvent) -> Option<Violation> {
        if event.stream.aggregate != Aggregate::Inventory {
            return None;
        }
        let id = SectionId::new(event.stream.id);
        let section = self.sections.get(&id)?;
        let mut seats = BTreeSet::new();
        let mut taken = 0;
        for claim in section
            .reservations()
            .filter_map(|reservation| section.claim(reservation))
        {
            taken += claim.seats.quantity();
            for seat in claim.seats.seats() {
                if !seats.insert(seat.clone()) {
                    return Some(Violation::SoldTwice(id, seat.clone()));
                }
            }
        }
        let capacity = section
            .seating()
            .map_or(0, ticketing_ports::vocabulary::seating::Seating::capacity);
        let counts = section.counts(event.recorded_at);
        let fits = taken <= capacity && counts.capacity() == capacity;
        (!fits).then_some(Violation::CountsWrong(id))
    }

    /// Checks after each fact of a section that its customer has no more seats than one customer may have.
    fn check_customer(&self, event: &RecordedEvent) -> Option<Violation> {
        if event.stream.aggregate != Aggregate::Inventory {
            return None;
        }
        let fact = InventoryEvent::from_recorded(event).ok()?;
        let customer = match &fact {
            // The reservation is opened only by the next fact.
            InventoryEvent::SeatsHeld(held) => held.customer_id?,
            // So is a guest's order sold before the next fact says to whom.
            InventoryEvent::SeatsSold(SeatsSold {
                customer_id: Some(customer),
                ..
            }) => *customer,
            _ => self.reservations.get(&fact.reservation_id()?)?.terms()?.customer_id,
        };
        let event_id = self.sections.get(&SectionId::new(event.stream.id))?.event_id()?;
        let limit = self
            .catalogs
            .get(&event_id.uuid())?
            .listing()?
            .details
            .max_seats_per_customer?;
        let of_the_event = self
            .sections
            .values()
            .filter(|section| section.event_id() == Some(event_id));
        let has = of_the_event.map(|section| {
            let holds = section.held_by(customer).map(|hold| hold.quantity);
            section.sold_with(customer, Counted::All) + holds.sum::<u32>()
        });
        let seats = has.sum();
        (seats > limit).then_some(Violation::TooManySeats { customer, seats, limit })
    }

    /// Checks after each commit that no more tickets are held and sold than the event has of a type, at the price of a tier,
    /// of a pool, or with a code.
    fn check_quotas(&self) -> Option<Violation> {
        let listings = self.catalogs.values().filter_map(CatalogState::listing);
        let quotas = listings.flat_map(|listing| {
            let of_codes = listing.codes.all().filter_map(|code| of_code(&listing.details, &code));
            let quotas = quotas_of(&listing.details).into_iter().chain(of_codes);
            quotas.map(move |quota| (listing.event_id, quota))
        });
        quotas.into_iter().find_map(|(event, quota)| {
            let taken = quota.taken(|section| self.sections.get(&section).ok_or(())).ok()?;
            let limit = quota.limit;
            (taken > limit).then_some(Violation::QuotaExceeded { event, taken, limit })
        })
    }

    fn check_seats(&self, log: &[RecordedEvent], violations: &mut Vec<Violation>) {
        let Some(last) = log.last() else { return };
        let mut sold = BTreeMap::new();
        for (section_id, section) in &self.sections {
            for reservation in section.reservations() {
                let Some(claim) = section.claim(reservation) else {
                    continue;
                };
                match claim.kind {
                    ClaimKind::Held { until } if until <= last.recorded_at + chrono::TimeDelta::days(1) => {
                        violations.push(Violation::HeldForEver(reservation));
                    }
                    ClaimKind::Held { .. } => {}
                    ClaimKind::Sold => {
                        sold.insert((reservation, *section_id), claim.seats);
                    }
                }
            }
        }
        for (id, reservation) in &self.reservations {
            match reservation {
                ReservationState::Completed { terms, .. } => {
                    let mut bought: BTreeMap<SectionId, TakenSeats> = BTreeMap::new();
                    for line in terms.lines.iter() {
                        let seats = match bought.remove(&line.section_id) {
                            Some(others) => others.and(line.seats.clone()),
                            None => line.seats.clone(),
                        };
                        bought.insert(line.section_id, seats);
                    }
                    let sections = bought.into_iter();
                    let gone =
                        sections.filter(|(section, seats)| sold.remove(&(*id, *section)).as_ref() != Some(seats));
                    violations.extend((gone.count() > 0).then_some(Violation::TicketsWithoutSeats(*id)));
                }
                state if state.is_live() => violations.push(Violation::HeldForEver(*id)),
                _ => {}
            }
            violations.extend((!lines_are_right(reservation)).then_some(Violation::LinesWrong(*id)));
        }
        let without_tickets = sold.into_keys().map(|(reservation, _)| reservation);
        violations.extend(without_tickets.map(Violation::SeatsWithoutTickets));
    }

    /// Checks that the gateway has kept what the log says: the price less refunds for each sale, and nothing for a
    /// payment that bought no seats.
    fn check_money(&self, ledger: &dyn Ledger, violations: &mut Vec<Violation>) {
        for (id, payment) in &self.payments {
            if payment.awaits_gateway() || matches!(payment, PaymentState::Authorized(_)) {
                violations.push(Violation::MoneyStuck(*id));
            }
            let kept = ledger.kept(*id);
            let recorded = match payment {
                PaymentState::Captured { terms, refunded, .. } => terms.amount.amount - refunded.amount,
                _ => 0,
            };
            let bought_seats = payment
                .terms()
                .and_then(|terms| self.reservations.get(&terms.reservation_id));
            let bought_seats = bought_seats
                .and_then(ReservationState::paid)
                .is_some_and(|paid| paid.payment_id == Some(*id));
            let due = if bought_seats { recorded } else { 0 };
            if kept != due {
                violations.push(Violation::MoneyWrong {
                    payment: *id,
                    kept,
                    due,
                });
            }
        }
        for payment in ledger.captured() {
            if !self.payments.contains_key(&payment) {
                violations.push(Violation::MoneyWrong {
                    payment,
                    kept: ledger.kept(payment),
                    due: 0,
                });
            }
        }
        violations.extend(ledger.set_aside().into_iter().map(Violation::MoneyStuck));
    }
}

/// Returns whether the lines of a reservation add up to its total, and each line has as many tickets as places once
/// the reservation is paid.
fn lines_are_right(reservation: &ReservationState) -> bool {
    let Some(terms) = reservation.terms() else { return true };
    let total: i64 = terms.lines.iter().map(|line| line.total.amount).sum();
    let tickets_fit = reservation.paid().is_none_or(|paid| {
        let of_the_lines = terms.lines.iter().flat_map(|line| {
            let places = 0..line.seats.quantity() as usize;
            places.map(|place| (line.line_id, line.seats.seats().get(place)))
        });
        let tickets = paid
            .tickets
            .iter()
            .map(|ticket| (ticket.line_id, ticket.seat_id.as_ref()));
        of_the_lines.eq(tickets)
    });
    total == terms.total.amount && tickets_fit
}
