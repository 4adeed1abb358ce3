//! Checks the books of a box office: compares what it shows with what it has answered, and its resources with each
//! other.
//!
//! [`check`] is a pure function: it gets everything that was read and every answer, and returns each discrepancy. It
//! knows only the rules that a customer may rely on, so that a mistake in the domain is not repeated here.

mod answers;
mod discrepancy;
mod quotas;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use ticketing_ports::vocabulary::ids::{PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::seating::SeatId;

use crate::journal::HeldLine;
use crate::wire::{Payment, Reservation, Sales, SectionCounts};
pub use answers::{Answers, Held};
pub use discrepancy::{Discrepancy, Figure};
pub use quotas::{CODE_PREFIX, Terms};
use quotas::{lines_cost_what_their_tiers_say, no_quota_is_exceeded};

/// Everything that was read about one event while no request changed anything.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub sections: BTreeMap<String, SectionCounts>,
    pub reservations: BTreeMap<ReservationId, Reservation>,
    pub payments: BTreeMap<PaymentId, Payment>,
    /// The sequence numbers of the facts in each reservation's history.
    pub histories: BTreeMap<ReservationId, Vec<u64>>,
    /// What the lists of the customers show, if they could be read.
    pub listed: Option<BTreeSet<ReservationId>>,
    /// What the analytics of the organiser show, if they could be read.
    pub sales: Option<Sales>,
    /// Whether a customer who cancels now gets everything back under the refund policy of the event.
    pub refunds_in_full: bool,
    /// How many seats of the event one customer may have; `None` if there is no such limit.
    pub max_seats_per_customer: Option<u32>,
    /// What the event says about its prices and how many tickets there are.
    pub terms: Terms,
}

/// Returns everything that is wrong with the books. Empty if they are right.
pub fn check(books: &Books, answers: &Answers) -> Vec<Discrepancy> {
    let mut found = Vec::new();
    nothing_is_sold_twice(books, &mut found);
    no_section_is_overfull(books, &mut found);
    no_customer_has_too_many_seats(books, answers, &mut found);
    let live = books.reservations.values().filter(|reservation| is_live(reservation));
    let live: Vec<_> = live.flat_map(|reservation| &reservation.lines).collect();
    no_quota_is_exceeded(&books.terms, &live, &mut found);
    lines_cost_what_their_tiers_say(&books.terms, books.reservations.values(), &mut found);
    counts_agree(books, answers, &mut found);
    what_was_answered_is_there(books, answers, &mut found);
    nothing_is_there_unasked(books, answers, &mut found);
    tickets_are_paid_for(books, &mut found);
    no_money_is_kept_without_seats(books, &mut found);
    histories_have_no_gaps(books, &mut found);
    lists_are_complete(books, answers, &mut found);
    analytics_agree(books, answers, &mut found);
    found
}

/// The right that a reservation has to its seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Sold,
    Held,
    /// The hold has run out, and its seats are free for others although they were not released yet.
    Overdue,
    None,
}

fn claim(reservation: &Reservation) -> Claim {
    match reservation.status {
        ReservationStatus::Completed => Claim::Sold,
        ReservationStatus::Held | ReservationStatus::PaymentPending
            if reservation.expires_at > reservation.server_time =>
        {
            Claim::Held
        }
        ReservationStatus::Held | ReservationStatus::PaymentPending => Claim::Overdue,
        ReservationStatus::Expired
        | ReservationStatus::Cancelled
        | ReservationStatus::Compensated
        | ReservationStatus::Refunded => Claim::None,
    }
}

fn is_live(reservation: &Reservation) -> bool {
    matches!(claim(reservation), Claim::Sold | Claim::Held)
}

fn quantity_of(books: &Books, section: &str, wanted: impl Fn(&Reservation) -> bool) -> u64 {
    let reservations = books.reservations.values().filter(|reservation| wanted(reservation));
    let lines = reservations.flat_map(|reservation| &reservation.lines);
    let of_the_section = lines.filter(|line| line.section == section);
    of_the_section.map(|line| u64::from(line.quantity)).sum()
}

fn nothing_is_sold_twice(books: &Books, found: &mut Vec<Discrepancy>) {
    let mut owners: BTreeMap<(&str, &SeatId), ReservationId> = BTreeMap::new();
    for reservation in books.reservations.values().filter(|reservation| is_live(reservation)) {
        let lines = reservation.lines.iter();
        for (section, seat) in lines.flat_map(|line| line.seats.iter().map(|seat| (&line.section, seat))) {
            if let Some(first) = owners.insert((section, &seat.seat_id), reservation.reservation_id) {
                found.push(Discrepancy::SeatSoldTwice {
                    section: section.clone(),
                    seat: seat.seat_id.clone(),
                    first,
                    second: reservation.reservation_id,
                });
            }
        }
    }
}

fn no_section_is_overfull(books: &Books, found: &mut Vec<Discrepancy>) {
    for (section, counts) in &books.sections {
        let live = quantity_of(books, section, is_live);
        if live > counts.total_capacity {
            found.push(Discrepancy::Oversold {
                section: section.clone(),
                capacity: counts.total_capacity,
                live,
            });
        }
    }
}

/// Customers who share a session count as several here, so that their limit is only partly checked. A guest is another
/// person than the customer of that number, who has what was sold to the guest's address.
fn no_customer_has_too_many_seats(books: &Books, answers: &Answers, found: &mut Vec<Discrepancy>) {
    let Some(limit) = books.max_seats_per_customer else {
        return;
    };
    let mut seats: BTreeMap<(u32, bool), u64> = BTreeMap::new();
    for (id, held) in &answers.held {
        let counts = |reservation: &&Reservation| match held.guest {
            true => claim(reservation) == Claim::Sold,
            false => is_live(reservation),
        };
        let counted = books.reservations.get(id).filter(counts);
        let theirs = seats.entry((held.customer, held.guest)).or_default();
        *theirs += counted.map_or(0, |counted| u64::from(counted.quantity()));
    }
    let too_many = seats.into_iter().filter(|(_, seats)| *seats > u64::from(limit));
    found.extend(too_many.map(|((customer, _), seats)| Discrepancy::TooManySeats { customer, seats, limit }));
}

fn counts_agree(books: &Books, answers: &Answers, found: &mut Vec<Discrepancy>) {
    for (section, counts) in &books.sections {
        let sum = counts.available + counts.reserved + counts.sold + counts.blocked;
        if sum != counts.total_capacity {
            found.push(Discrepancy::CountsDoNotAddUp {
                section: section.clone(),
                capacity: counts.total_capacity,
                sum,
            });
        }
        let held = quantity_of(books, section, |reservation| claim(reservation) == Claim::Held);
        let overdue = quantity_of(books, section, |reservation| claim(reservation) == Claim::Overdue);
        let sold = quantity_of(books, section, |reservation| claim(reservation) == Claim::Sold);
        // If the lists could be read, they show whether a hold whose answer was lost was made, unless a guest asked for it.
        let in_doubt = match books.listed {
            Some(_) => &answers.seats_in_doubt_of_guests,
            None => &answers.seats_in_doubt,
        };
        let in_doubt = in_doubt.get(section).copied().unwrap_or(0);
        for (figure, least, slack, told) in [
            (Figure::Reserved, held, overdue + in_doubt, counts.reserved),
            (Figure::Sold, sold, 0, counts.sold),
        ] {
            let most = if answers.sole_seller { least + slack } else { u64::MAX };
            if !(least..=most).contains(&told) {
                found.push(Discrepancy::CountDisagrees {
                    section: section.clone(),
                    figure,
                    told,
                    summed: least,
                });
            }
        }
    }
}

fn what_was_answered_is_there(books: &Books, answers: &Answers, found: &mut Vec<Discrepancy>) {
    for (&id, held) in &answers.held {
        let Some(reservation) = books.reservations.get(&id) else {
            found.push(Discrepancy::ReservationLost { reservation: id });
            continue;
        };
        if !reservation
            .lines
            .iter()
            .map(HeldLine::from)
            .eq(held.lines.iter().cloned())
        {
            found.push(Discrepancy::SeatsChanged { reservation: id });
        }
        if let Some(told) = answers.extended.get(&id).filter(|told| reservation.expires_at < **told) {
            found.push(Discrepancy::HoldShortened {
                reservation: id,
                told: *told,
            });
        }
        let status = reservation.status;
        let paid = answers.paid.contains(&id);
        let cancelled = answers.cancelled.contains(&id);
        if cancelled && !matches!(status, ReservationStatus::Cancelled | ReservationStatus::Refunded) {
            found.push(Discrepancy::CancellationLost {
                reservation: id,
                status,
            });
        }
        if paid && !cancelled && !answers.in_doubt.contains(&id) && status != ReservationStatus::Completed {
            found.push(Discrepancy::PaymentLost {
                reservation: id,
                status,
            });
        }
        if status == ReservationStatus::Completed && !paid && !answers.in_doubt.contains(&id) {
            found.push(Discrepancy::CompletedUnasked { reservation: id });
        }
    }
}

/// A reservation that no answer has named is right only if the answer to a hold was lost.
fn nothing_is_there_unasked(books: &Books, answers: &Answers, found: &mut Vec<Discrepancy>) {
    if !answers.sole_seller {
        return;
    }
    let unanswered: Vec<_> = books
        .reservations
        .keys()
        .filter(|id| !answers.held.contains_key(id))
        .collect();
    if unanswered.len() > answers.holds_in_doubt {
        found.push(Discrepancy::HeldUnasked {
            reservations: unanswered.len(),
            in_doubt: answers.holds_in_doubt,
        });
    }
}

fn tickets_are_paid_for(books: &Books, found: &mut Vec<Discrepancy>) {
    let mut issued = BTreeSet::new();
    let completed = books
        .reservations
        .values()
        .filter(|reservation| claim(reservation) == Claim::Sold);
    for reservation in completed {
        let id = reservation.reservation_id;
        let payment = reservation.payment_id.and_then(|payment| books.payments.get(&payment));
        match payment {
            Some(payment) if payment.reservation_id == id && has_captured(payment) => {
                if payment.amount != reservation.total_amount {
                    found.push(Discrepancy::WrongAmount {
                        reservation: id,
                        total: reservation.total_amount,
                        paid: payment.amount,
                    });
                }
            }
            _ => found.push(Discrepancy::Unpaid { reservation: id }),
        }
        let fresh = reservation
            .tickets
            .iter()
            .filter(|ticket| issued.insert(ticket.ticket_id))
            .count();
        if fresh as u64 != u64::from(reservation.quantity()) || fresh != reservation.tickets.len() {
            found.push(Discrepancy::WrongTickets {
                reservation: id,
                quantity: reservation.quantity(),
                tickets: fresh,
            });
        }
    }
}

/// Returns whether money was taken and not all of it was paid back.
fn has_captured(payment: &Payment) -> bool {
    matches!(
        payment.status,
        PaymentStatus::Captured | PaymentStatus::PartiallyRefunded
    )
}

fn no_money_is_kept_without_seats(books: &Books, found: &mut Vec<Discrepancy>) {
    for payment in books.payments.values().filter(|payment| has_captured(payment)) {
        let reservation = books.reservations.get(&payment.reservation_id);
        let has_seats = reservation.is_some_and(|reservation| {
            claim(reservation) == Claim::Sold && reservation.payment_id == Some(payment.payment_id)
        });
        // A customer who cancels late gets back what the refund policy says, which may be nothing.
        let by_policy = !books.refunds_in_full
            && reservation.is_some_and(|reservation| {
                reservation.completed_at.is_some()
                    && matches!(
                        reservation.status,
                        ReservationStatus::Cancelled | ReservationStatus::Refunded
                    )
            });
        if !has_seats && !by_policy {
            found.push(Discrepancy::MoneyWithoutSeats {
                payment: payment.payment_id,
                reservation: payment.reservation_id,
            });
        }
    }
}

fn histories_have_no_gaps(books: &Books, found: &mut Vec<Discrepancy>) {
    for &id in books.reservations.keys() {
        let gapless = books
            .histories
            .get(&id)
            .is_some_and(|sequences| !sequences.is_empty() && sequences.iter().copied().eq(1..=sequences.len() as u64));
        if !gapless {
            found.push(Discrepancy::HistoryGap { reservation: id });
        }
    }
}

/// Guests have no lists.
fn lists_are_complete(books: &Books, answers: &Answers, found: &mut Vec<Discrepancy>) {
    let Some(listed) = &books.listed else { return };
    let is_guests = |id| answers.held.get(id).is_some_and(|held| held.guest);
    let missing = books
        .reservations
        .keys()
        .filter(|id| !listed.contains(id) && !is_guests(id));
    found.extend(missing.map(|&reservation| Discrepancy::NotListed { reservation }));
}

fn analytics_agree(books: &Books, answers: &Answers, found: &mut Vec<Discrepancy>) {
    let Some(sales) = &books.sales else { return };
    let was_sold = |reservation: &&Reservation| reservation.completed_at.is_some();
    let sold = books
        .reservations
        .values()
        .filter(|reservation| claim(reservation) == Claim::Sold);
    let tickets: u64 = sold.map(|reservation| u64::from(reservation.quantity())).sum();
    let payments: Vec<_> = books
        .reservations
        .values()
        .filter(was_sold)
        .filter_map(|reservation| books.payments.get(&reservation.payment_id?))
        .collect();
    let revenue: i64 = payments.iter().map(|payment| payment.amount.amount).sum();
    let refunded: i64 = payments.iter().map(|payment| payment.refunded_amount.amount).sum();
    let tickets_told = i64::try_from(sales.tickets_sold).unwrap_or(i64::MAX);
    for (figure, summed, told) in [
        (
            Figure::TicketsSold,
            i64::try_from(tickets).unwrap_or(i64::MAX),
            tickets_told,
        ),
        (Figure::Revenue, revenue, sales.total_revenue.amount),
        (Figure::Refunded, refunded, sales.refunded.amount),
    ] {
        if told < summed || (answers.sole_seller && told != summed) {
            found.push(Discrepancy::AnalyticsDisagree { figure, told, summed });
        }
    }
}
