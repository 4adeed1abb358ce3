//! Listing payments, and changing their rows.

use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::changes::{Change, PaymentChange};
use ticketing_ports::vocabulary::payment::PaymentStatus;

use super::models::ReadModels;
use super::paging::{ensure_pages, page};
use super::rows::{created, customer, eur, payment, payment_id};
use crate::conformance::fixtures::at;
use crate::conformance::{Broken, Verdict, ensure_eq};

pub(super) async fn payments_of_a_customer_are_listed_newest_first(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    for (number, who, time) in [(4, 1, 10), (9, 2, 15), (2, 1, 30), (3, 1, 20)] {
        let mut view = payment(number);
        view.customer_id = customer(who);
        view.created_at = at(time);
        models.apply(vec![Change::PaymentRequested(view)]).await?;
    }
    let ask = |who| move |page| models.payments.payments_of(customer(who), page);
    let key = |view: &ticketing_ports::read_models::payments::PaymentView| view.payment_id;
    ensure_pages(&[2, 3, 4].map(payment_id), key, ask(1)).await?;
    ensure_pages(&[payment_id(9)], key, ask(2)).await?;
    ensure_pages(&[], key, ask(3)).await
}

pub(super) async fn a_changed_payment_keeps_what_the_change_does_not_name(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), Change::PaymentRequested(payment(1))])
        .await?;
    let read = async || -> Result<_, Broken> { Ok(models.payments.payments_of(customer(1), page(1, 9)).await?.rows) };
    let mut expected = payment(1);
    ensure_eq!(read().await?, [expected.clone()], "payment");

    let change = |status, version| PaymentChange {
        payment_id: payment_id(1),
        status: Some(status),
        version: Version(version),
        updated_at: at(version as i64),
        last_four: None,
        refunded_amount: None,
    };
    models
        .apply(vec![
            Change::PaymentChanged(PaymentChange {
                last_four: Some("4242".to_owned()),
                ..change(PaymentStatus::Authorized, 2)
            }),
            Change::PaymentChanged(PaymentChange {
                refunded_amount: Some(eur(500)),
                ..change(PaymentStatus::PartiallyRefunded, 3)
            }),
        ])
        .await?;
    expected.status = PaymentStatus::PartiallyRefunded;
    expected.version = Version(3);
    expected.updated_at = at(3);
    expected.last_four = Some("4242".to_owned());
    expected.refunded_amount = eur(500);
    ensure_eq!(read().await?, [expected.clone()], "changed payment");

    let asked = PaymentChange {
        status: None,
        ..change(PaymentStatus::Captured, 4)
    };
    models.apply(vec![Change::PaymentChanged(asked)]).await?;
    expected.version = Version(4);
    expected.updated_at = at(4);
    ensure_eq!(read().await?, [expected], "payment without a new status");
    Ok(())
}
