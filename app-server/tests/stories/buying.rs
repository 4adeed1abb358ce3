//! Stories of customers, who look, hold, pay and cancel.

use anyhow::ensure;
use serde_json::{Value, json};

use crate::support::Server;
use crate::support::office::{Person, Said};
use crate::support::waiting::Patience;

pub(crate) async fn hold(person: &mut Person, server: &Server, section: &str, quantity: u32) -> anyhow::Result<Said> {
    let wish = json!({"event_id": server.event, "section": section, "quantity": quantity});
    person.post("/api/reservations", wish).await
}

pub(crate) async fn pay(person: &mut Person, reservation: &str, token: &str) -> anyhow::Result<Said> {
    let method = json!({"payment_method": {"type": "card", "token": token}});
    person
        .post(&format!("/api/reservations/{reservation}/payment"), method)
        .await
}

/// Holds and pays `quantity` places of a section. Returns the id of the reservation.
pub(crate) async fn buy(person: &mut Person, server: &Server, section: &str, quantity: u32) -> anyhow::Result<String> {
    let reservation = hold(person, server, section, quantity)
        .await?
        .expect(201)?
        .text("reservation_id")?;
    let paid = pay(person, &reservation, "tok_visa").await?.expect(200)?;
    ensure!(paid.body["status"] == "completed", "{}", paid.body);
    Ok(reservation)
}

/// Returns one of the counts of a section, such as how many places are free.
pub(crate) async fn count(person: &mut Person, server: &Server, section: &str, count: &str) -> anyhow::Result<Value> {
    let said = person
        .get(&format!("/api/events/{}/availability", server.event))
        .await?
        .expect(200)?;
    Ok(said.body["sections"][section][count].clone())
}

pub(crate) async fn a_customer_holds_seats_pays_and_has_tickets(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let held = hold(&mut ada, server, "VIP", 2).await?.expect(201)?;
    ensure!(
        held.body["status"] == "held" && held.body["seats"][1]["seat_id"].is_string(),
        "{}",
        held.body
    );
    ensure!(
        count(&mut ada, server, "VIP", "reserved").await? == 2,
        "a hold is counted"
    );

    let reservation = held.text("reservation_id")?;
    let paid = pay(&mut ada, &reservation, "tok_visa").await?.expect(200)?;
    ensure!(paid.body["status"] == "completed", "{}", paid.body);
    ensure!(
        paid.body["tickets"]
            .as_array()
            .is_some_and(|tickets| tickets.len() == 2),
        "{}",
        paid.body
    );
    ensure!(count(&mut ada, server, "VIP", "sold").await? == 2, "a sale is counted");

    let again = ada
        .get(&format!("/api/reservations/{reservation}"))
        .await?
        .expect(200)?;
    ensure!(again.body["tickets"] == paid.body["tickets"], "{}", again.body);
    Ok(())
}

pub(crate) async fn a_declined_card_leaves_the_hold_and_another_card_pays_it(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let reservation = hold(&mut ada, server, "General", 1)
        .await?
        .expect(201)?
        .text("reservation_id")?;
    let declined = pay(&mut ada, &reservation, "tok_declined").await?.expect(402)?;
    ensure!(declined.code() == "PAYMENT_FAILED", "{}", declined.body);
    let paid = pay(&mut ada, &reservation, "tok_visa").await?.expect(200)?;
    ensure!(paid.body["status"] == "completed", "{}", paid.body);
    Ok(())
}

pub(crate) async fn who_has_to_agree_at_the_bank_has_tickets_once_that_is_done(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let reservation = hold(&mut ada, server, "VIP", 2)
        .await?
        .expect(201)?
        .text("reservation_id")?;
    let paying = pay(&mut ada, &reservation, "tok_must_act").await?.expect(202)?;
    ensure!(paying.body["status"] == "payment_pending", "{}", paying.body);
    let action = &paying.body["payment"]["next_action"];
    ensure!(
        action["kind"] == "redirect" && action["url"].is_string(),
        "{}",
        paying.body
    );

    let payment = format!("/api/payments/{}", paying.text("payment_id")?);
    let mut admin = Person::admin(server)?;
    admin.see_what_was_written_by(&ada);
    let seen = admin.get(&payment).await?.expect(200)?;
    ensure!(
        seen.body.get("next_action").is_none(),
        "somebody other than the customer sees next_action: {}",
        seen.body
    );

    // In the sandbox the customer agrees after three seconds. The gateway sends no report, so the server has to ask.
    let own = format!("/api/reservations/{reservation}");
    let patience = Patience::new();
    let completed = loop {
        let seen = ada.get(&own).await?.expect(200)?;
        if seen.body["status"] != "payment_pending" {
            break seen;
        }
        patience.pause(|| "the payment is not decided").await?;
    };
    ensure!(completed.body["status"] == "completed", "{}", completed.body);
    let paid = ada.get(&payment).await?.expect(200)?;
    ensure!(paid.body["status"] == "captured", "{}", paid.body);
    ensure!(paid.body.get("next_action").is_none(), "{}", paid.body);
    Ok(())
}

pub(crate) async fn a_paid_reservation_is_given_back_and_its_seats_are_free_again(
    server: &Server,
) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let reservation = buy(&mut ada, server, "VIP", 3).await?;
    let cancelled = ada
        .post(&format!("/api/reservations/{reservation}/cancel"), Value::Null)
        .await?
        .expect(200)?;
    ensure!(cancelled.body["status"] == "refunded", "{}", cancelled.body);
    ensure!(
        count(&mut ada, server, "VIP", "available").await? == 100,
        "the seats are free again"
    );
    let payments = ada.get("/api/payments").await?.expect(200)?;
    ensure!(
        payments.body["payments"][0]["status"] == "refunded",
        "{}",
        payments.body
    );
    Ok(())
}

pub(crate) async fn somebody_elses_reservation_is_not_to_be_found(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let mut bob = Person::customer(server, 1)?;
    let reservation = hold(&mut ada, server, "General", 1)
        .await?
        .expect(201)?
        .text("reservation_id")?;
    let own = format!("/api/reservations/{reservation}");
    bob.get(&own).await?.expect(404)?;
    bob.post(&format!("{own}/cancel"), Value::Null).await?.expect(404)?;
    Person::anonymous(server)?.get(&own).await?.expect(401)?;
    Person::admin(server)?.get(&own).await?.expect(200)?;
    Ok(())
}

pub(crate) async fn a_request_that_is_repeated_with_its_key_is_carried_out_once(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let wish = |quantity| json!({"event_id": server.event, "section": "General", "quantity": quantity});
    let first = ada
        .post_with_key("/api/reservations", "seats", wish(2))
        .await?
        .expect(201)?;
    let again = ada
        .post_with_key("/api/reservations", "seats", wish(2))
        .await?
        .expect(201)?;
    ensure!(
        first.text("reservation_id")? == again.text("reservation_id")?,
        "{}",
        again.body
    );
    let other = ada
        .post_with_key("/api/reservations", "seats", wish(3))
        .await?
        .expect(422)?;
    ensure!(other.code() == "IDEMPOTENCY_KEY_REUSED", "{}", other.body);
    ensure!(
        count(&mut ada, server, "General", "reserved").await? == 2,
        "a repeated request must not hold places again"
    );
    Ok(())
}

pub(crate) async fn of_many_who_want_the_last_seats_as_many_get_some_as_there_are(
    server: &Server,
) -> anyhow::Result<()> {
    // 100 seats are left, and each of 12 customers wants 8 seats twice: 12 holds of 8 succeed, and 4 seats remain
    // that are too few for anybody.
    let mut races = tokio::task::JoinSet::new();
    for customer in 0..12 {
        let mut person = Person::customer(server, customer)?;
        let wish = json!({"event_id": server.event, "section": "VIP", "quantity": 8});
        races.spawn(async move {
            let mut statuses = Vec::new();
            for number in 0..2 {
                let key = format!("race-{customer}-{number}");
                let patience = Patience::new();
                // A server that is too busy asks to come back, and then takes the request with the same key once.
                let told = loop {
                    let told = person.post_with_key("/api/reservations", &key, wish.clone()).await?;
                    let Some(pause) = told.retry_after.filter(|_| told.status == 503) else {
                        break told;
                    };
                    patience.pause_for(pause, || told.body).await?;
                };
                statuses.push(told.status);
            }
            anyhow::Ok(statuses)
        });
    }
    let mut statuses = Vec::new();
    while let Some(raced) = races.join_next().await {
        statuses.extend(raced??);
    }
    let held = statuses.iter().filter(|status| **status == 201).count();
    let refused = statuses.iter().filter(|status| **status == 409).count();
    ensure!((held, refused) == (12, 12), "{statuses:?}");
    Ok(())
}

pub(crate) async fn a_customer_sees_what_it_has_bought(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    let first = buy(&mut ada, server, "VIP", 1).await?;
    let second = buy(&mut ada, server, "General", 2).await?;
    let mine = ada.get("/api/reservations?per_page=1").await?.expect(200)?;
    ensure!(
        mine.body["total"] == 2 && mine.body["reservations"][0]["reservation_id"] == *second,
        "{}",
        mine.body
    );
    let customer = mine.body["reservations"][0]["customer_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let history = ada
        .get(&format!("/api/reservations/{first}/history"))
        .await?
        .expect(200)?;
    ensure!(
        history.body["events"]
            .as_array()
            .is_some_and(|events| events.len() == 3),
        "{}",
        history.body
    );
    let value = ada
        .get(&format!("/api/customers/{customer}/lifetime-value"))
        .await?
        .expect(200)?;
    ensure!(
        value.body.to_string().contains("22000"),
        "she has spent 12,000 and 2 times 5,000: {}",
        value.body
    );
    Ok(())
}

pub(crate) async fn who_signs_out_is_out(server: &Server) -> anyhow::Result<()> {
    let mut ada = Person::customer(server, 0)?;
    ada.get("/api/auth/session").await?.expect(200)?;
    ada.post("/api/auth/logout", Value::Null).await?;
    ada.get("/api/auth/session").await?.expect(401)?;
    Person::customer(server, 1)?
        .get("/api/auth/session")
        .await?
        .expect(200)?;
    Ok(())
}
