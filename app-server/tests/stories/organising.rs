//! Stories of organisers, who put events on sale and cancel them.

use anyhow::ensure;
use serde_json::{Value, json};

use crate::buying::{buy, count, hold};
use crate::support::Server;
use crate::support::office::Person;
use crate::support::waiting::Patience;

pub(crate) async fn an_organiser_sees_what_was_sold(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let mut organiser = Person::admin(server)?;
    buy(&mut ada, server, "VIP", 2).await?;
    buy(&mut ada, server, "General", 3).await?;
    organiser.see_what_was_written_by(&ada);
    let sales = organiser
        .get(&format!("/api/events/{}/analytics", server.event))
        .await?
        .expect(200)?;
    ensure!(sales.body["tickets_sold"] == 5, "{}", sales.body);
    ensure!(
        sales.body["total_revenue"]["amount"] == 2 * 12_000 + 3 * 5_000,
        "{}",
        sales.body
    );
    ada.get(&format!("/api/events/{}/analytics", server.event))
        .await?
        .expect(403)?;
    Ok(())
}

pub(crate) async fn a_cancelled_event_sells_nothing_and_pays_everybody_back(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let mut organiser = Person::admin(server)?;
    let reservation = buy(&mut ada, server, "VIP", 2).await?;
    let reason = json!({"reason": "The band is ill"});
    organiser
        .post(&format!("/api/events/{}/cancel", server.event), reason)
        .await?
        .expect(200)?;
    let late = hold(&mut ada, server, "General", 1).await?.expect(410)?;
    ensure!(late.code() == "EVENT_CANCELLED", "{}", late.body);
    // Paying back happens in the background, so this asks until it is done.
    let patience = Patience::new();
    loop {
        let paid_back = ada
            .get(&format!("/api/reservations/{reservation}"))
            .await?
            .expect(200)?;
        if paid_back.body["status"] == "refunded" {
            return Ok(());
        }
        patience.pause(|| "the customer was not paid back").await?;
    }
}

pub(crate) async fn closed_sales_are_closed_until_they_are_opened_again(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let mut organiser = Person::admin(server)?;
    let sales = format!("/api/events/{}/sales", server.event);
    organiser
        .post(&format!("{sales}/close"), Value::Null)
        .await?
        .expect(200)?;
    hold(&mut ada, server, "General", 1).await?.expect(422)?;
    organiser
        .post(&format!("{sales}/open"), Value::Null)
        .await?
        .expect(200)?;
    hold(&mut ada, server, "General", 1).await?.expect(201)?;
    ensure!(
        count(&mut ada, server, "General", "reserved").await? == 1,
        "one seat is held"
    );
    Ok(())
}
