//! Reading a list by cursors while rows are added to it.

use std::fmt::Debug;

use ticketing_ports::read_models::changes::Change;
use ticketing_ports::read_models::events::DraftsVisible;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::paging::{Listed, Page};

use super::models::ReadModels;
use super::paging::page;
use super::rows::{created, customer, payment, payment_id, public, reservation, reservation_id, sale};
use crate::conformance::fixtures::at;
use crate::conformance::{Broken, Verdict, ensure_eq};

/// Reads two rows, adds a row in front of them, and reads on after the second. Checks that each of `expected` was seen
/// once and the added row never.
async fn ensure_all_seen_once<T, K, F>(
    expected: &[K],
    key: impl Fn(&T) -> K,
    ask: impl Fn(Page) -> F,
    arrives: impl Future<Output = Verdict>,
) -> Verdict
where
    K: PartialEq + Debug,
    F: Future<Output = Result<Listed<T>, StoreError>>,
{
    let mut listed = ask(page(1, 2)).await?;
    ensure_eq!(listed.total, expected.len() as u64, "total at first");
    arrives.await?;
    let mut seen: Vec<K> = listed.rows.iter().map(&key).collect();
    while let Some(cursor) = listed.next {
        listed = ask(Page::after(cursor, 2).expect("two rows are a page")).await?;
        ensure_eq!(listed.total, expected.len() as u64 + 1, "total after a row was added");
        seen.extend(listed.rows.iter().map(&key));
        if seen.len() > expected.len() {
            break;
        }
    }
    ensure_eq!(seen.as_slice(), expected, "rows that were seen");
    Ok(())
}

/// The numbers and times of the rows. Two rows have the same time, so that the id decides their order.
const ROWS: [(usize, i64); 5] = [(1, 10), (2, 10), (3, 20), (4, 20), (5, 30)];

pub(super) async fn events_are_listed_after_a_cursor_although_others_arrive(models: &ReadModels) -> Verdict {
    for (number, starts) in ROWS {
        models.apply(vec![Change::EventCreated(public(number, starts))]).await?;
    }
    let ask = |page| models.events.events(None, DraftsVisible::None, page);
    let expected = ROWS.map(|(number, starts)| public(number, starts));
    let arrives = models.apply(vec![Change::EventCreated(public(6, 1))]);
    ensure_all_seen_once(&expected, Clone::clone, ask, arrives).await
}

pub(super) async fn reservations_are_listed_after_a_cursor_although_others_arrive(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    let add = async |number, time| -> Result<(), Broken> {
        let mut view = reservation(number);
        view.customer_id = customer(1);
        view.created_at = at(time);
        models.apply(vec![Change::ReservationHeld(view)]).await
    };
    for (number, time) in ROWS {
        add(number, time).await?;
    }
    let ask = |page| models.reservations.reservations_of(customer(1), page);
    let expected = [5, 4, 3, 2, 1].map(reservation_id);
    let key = |view: &ticketing_ports::read_models::reservations::ReservationView| view.reservation_id;
    ensure_all_seen_once(&expected, key, ask, add(6, 40)).await
}

pub(super) async fn payments_are_listed_after_a_cursor_although_others_arrive(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    let add = async |number, time| -> Result<(), Broken> {
        let mut view = payment(number);
        view.customer_id = customer(1);
        view.created_at = at(time);
        models.apply(vec![Change::PaymentRequested(view)]).await
    };
    for (number, time) in ROWS {
        add(number, time).await?;
    }
    let ask = |page| models.payments.payments_of(customer(1), page);
    let expected = [5, 4, 3, 2, 1].map(payment_id);
    let key = |view: &ticketing_ports::read_models::payments::PaymentView| view.payment_id;
    ensure_all_seen_once(&expected, key, ask, add(6, 40)).await
}

pub(super) async fn purchases_are_listed_after_a_cursor_although_others_arrive(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    let add = async |number, time| -> Result<(), Broken> {
        let mut one = sale(number, 1, 1_500);
        one.customer_id = customer(1);
        one.sold_at = at(time);
        models.apply(vec![Change::TicketsSold(one)]).await
    };
    for (number, time) in ROWS {
        add(number, time).await?;
    }
    let ask = |page| models.sales.purchases_of(customer(1), page);
    let expected = [5, 4, 3, 2, 1].map(reservation_id);
    let key = |purchase: &ticketing_ports::read_models::sales::Purchase| purchase.sale.reservation_id;
    ensure_all_seen_once(&expected, key, ask, add(6, 40)).await
}
