//! Listing reservations, and changing their rows.

use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::changes::{Change, ReservationChange, Said};
use ticketing_ports::vocabulary::ids::LineId;
use ticketing_ports::vocabulary::reservation::{ReservationStatus, Ticket};

use super::models::ReadModels;
use super::paging::{ensure_pages, page};
use super::rows::{
    created, customer, eur, line_id, payment_id, reservation, reservation_id, reservation_of_two_sections, ticket_id,
};
use crate::conformance::fixtures::at;
use crate::conformance::{Broken, Verdict, ensure_eq};

pub(super) async fn reservations_of_a_customer_are_listed_newest_first(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    for (number, who, time) in [(4, 1, 10), (9, 2, 15), (2, 1, 30), (3, 1, 20)] {
        let mut view = reservation(number);
        view.customer_id = customer(who);
        view.created_at = at(time);
        models.apply(vec![Change::ReservationHeld(view)]).await?;
    }
    let ask = |who| move |page| models.reservations.reservations_of(customer(who), page);
    let key = |view: &ticketing_ports::read_models::reservations::ReservationView| view.reservation_id;
    ensure_pages(&[2, 3, 4].map(reservation_id), key, ask(1)).await?;
    ensure_pages(&[reservation_id(9)], key, ask(2)).await?;
    ensure_pages(&[], key, ask(3)).await
}

pub(super) async fn a_changed_reservation_keeps_what_the_change_does_not_name(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), Change::ReservationHeld(reservation(1))])
        .await?;
    let read =
        async || -> Result<_, Broken> { Ok(models.reservations.reservations_of(customer(1), page(1, 9)).await?.rows) };
    let mut expected = reservation(1);
    ensure_eq!(read().await?, [expected.clone()], "reservation");

    let change = |status, version| ReservationChange {
        status: Some(status),
        ..ReservationChange::of(reservation_id(1), Version(version))
    };
    let tickets = vec![Ticket {
        ticket_id: ticket_id(1),
        line_id: LineId::first_of(reservation_id(1)),
        seat_id: None,
    }];
    models
        .apply(vec![Change::ReservationChanged(ReservationChange {
            payment_id: Said::Now(payment_id(1)),
            completed_at: Some(at(9)),
            tickets: tickets.clone(),
            ..change(ReservationStatus::Completed, 2)
        })])
        .await?;
    expected.status = ReservationStatus::Completed;
    expected.version = Version(2);
    expected.payment_id = Some(payment_id(1));
    expected.completed_at = Some(at(9));
    expected.tickets = tickets;
    ensure_eq!(read().await?, [expected.clone()], "completed reservation");

    models
        .apply(vec![Change::ReservationChanged(ReservationChange {
            status: None,
            refunded_amount: Some(eur(1_000)),
            ..change(ReservationStatus::Completed, 3)
        })])
        .await?;
    expected.version = Version(3);
    expected.refunded_amount = eur(1_000);
    ensure_eq!(
        read().await?,
        [expected.clone()],
        "reservation of which a part was refunded"
    );

    models
        .apply(vec![Change::ReservationChanged(ReservationChange {
            status: None,
            expires_at: Some(at(900)),
            ..change(ReservationStatus::Completed, 4)
        })])
        .await?;
    expected.version = Version(4);
    expected.expires_at = at(900);
    ensure_eq!(read().await?, [expected.clone()], "reservation that is held longer");

    models
        .apply(vec![Change::ReservationChanged(change(ReservationStatus::Refunded, 5))])
        .await?;
    expected.status = ReservationStatus::Refunded;
    expected.version = Version(5);
    ensure_eq!(read().await?, [expected], "refunded reservation");
    Ok(())
}

pub(super) async fn a_changed_reservation_loses_what_the_change_takes_away(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), Change::ReservationHeld(reservation(1))])
        .await?;
    let change = |payment_id, version| {
        Change::ReservationChanged(ReservationChange {
            status: Some(ReservationStatus::Held),
            payment_id,
            ..ReservationChange::of(reservation_id(1), Version(version))
        })
    };
    let read = async || -> Result<_, Broken> {
        let listed = models.reservations.reservations_of(customer(1), page(1, 9)).await?;
        Ok(listed.rows.into_iter().map(|row| row.payment_id).collect::<Vec<_>>())
    };
    let (paying, declined) = (Said::Now(payment_id(1)), Said::Gone);
    models.apply(vec![change(paying, 2)]).await?;
    ensure_eq!(
        read().await?,
        [Some(payment_id(1))],
        "payments of the reservation while it is being paid"
    );
    models.apply(vec![change(declined, 3)]).await?;
    ensure_eq!(
        read().await?,
        [None],
        "payments of the reservation after the second change in a batch of its own"
    );
    models
        .apply(vec![change(paying, 4), change(declined, 5), change(Said::Nothing, 6)])
        .await?;
    ensure_eq!(
        read().await?,
        [None],
        "payments of the reservation after both changes in one batch"
    );
    Ok(())
}

pub(super) async fn a_reservation_may_become_another_customers(models: &ReadModels) -> Verdict {
    let held = |number| Change::ReservationHeld(reservation(number));
    let sold = |number, buyer| {
        Change::ReservationChanged(ReservationChange {
            status: Some(ReservationStatus::Completed),
            customer_id: buyer,
            ..ReservationChange::of(reservation_id(number), Version(2))
        })
    };
    models.apply(vec![created(1), held(1), held(2)]).await?;
    models.apply(vec![sold(1, Some(customer(2))), sold(2, None)]).await?;
    // In one batch with the hold, a store may fold both into one row.
    models.apply(vec![held(3), sold(3, Some(customer(2)))]).await?;
    let listed = async |who| -> Result<_, Broken> {
        let listed = models.reservations.reservations_of(customer(who), page(1, 9)).await?;
        let mut found: Vec<_> = listed
            .rows
            .iter()
            .map(|row| (row.reservation_id, row.customer_id))
            .collect();
        found.sort_unstable();
        Ok((listed.total, found))
    };
    ensure_eq!(
        listed(1).await?,
        (1, vec![(reservation_id(2), customer(1))]),
        "reservations of the customer for whom they were held"
    );
    ensure_eq!(
        listed(2).await?,
        (2, [1, 3].map(|number| (reservation_id(number), customer(2))).to_vec()),
        "reservations of the customer whose they are now"
    );
    Ok(())
}

pub(super) async fn a_reservation_of_several_lines_is_read_with_all_of_them(models: &ReadModels) -> Verdict {
    let mut expected = reservation_of_two_sections(1);
    models
        .apply(vec![created(1), Change::ReservationHeld(expected.clone())])
        .await?;
    let read =
        async || -> Result<_, Broken> { Ok(models.reservations.reservations_of(customer(1), page(1, 9)).await?.rows) };
    ensure_eq!(read().await?, [expected.clone()], "reservation of two sections");
    let tickets: Vec<_> = (1..)
        .zip([LineId::first_of(reservation_id(1)), line_id(1)])
        .map(|(number, line_id)| Ticket {
            ticket_id: ticket_id(number),
            line_id,
            seat_id: None,
        })
        .collect();
    models
        .apply(vec![Change::ReservationChanged(ReservationChange {
            status: Some(ReservationStatus::Completed),
            completed_at: Some(at(9)),
            tickets: tickets.clone(),
            ..ReservationChange::of(reservation_id(1), Version(2))
        })])
        .await?;
    expected.status = ReservationStatus::Completed;
    expected.version = Version(2);
    expected.completed_at = Some(at(9));
    expected.tickets = tickets;
    ensure_eq!(read().await?, [expected], "paid reservation of two sections");
    Ok(())
}
