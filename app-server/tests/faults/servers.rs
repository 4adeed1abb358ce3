//! Servers are killed, and others take over from them.

use serde_json::json;

use crate::on_sale::{CUSTOMERS, IN_FULL_SWING, SECONDS, successor};
use crate::support::load::{Load, check_books, journals};
use crate::support::office::{Person, draft, general_admission};
use crate::support::{Server, services};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_killed_and_another_takes_over() {
    let story = async {
        let installation = services::shared().await?;
        let folder = journals()?;
        let mut server = Server::start(&installation, CUSTOMERS)?;
        let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
        load.wait_for_answers(IN_FULL_SWING)?;
        server.kill()?;
        load.outlive_the_server()?;
        let next = successor(&installation, &server)?;
        check_books(&next, &folder.path().join("journal")).map_err(|error| error.context(next.log()))
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_sell_one_event() {
    let story = async {
        let installation = services::shared().await?;
        let folder = journals()?;
        let first = Server::start(&installation, CUSTOMERS)?;
        let second = Server::start(&installation, CUSTOMERS)?;
        let journal = |name: &str| folder.path().join(name);
        let event = large_event(&first, &second).await?;
        let mut here = Load::start(&first, &journal("first"), SECONDS, Some(&event))?;
        let mut there = Load::start(&second, &journal("second"), SECONDS, Some(&event))?;
        there.wait_for_answers(IN_FULL_SWING)?;
        here.wait_for_answers(IN_FULL_SWING)?;
        let mut loads = [here, there];
        for load in &mut loads {
            load.enough()?;
        }
        check_books(&first, &loads[0].journal).map_err(|error| error.context(first.log()))?;
        check_books(&second, &loads[1].journal).map_err(|error| error.context(second.log()))
    };
    story.await.expect("the books are right");
}

/// Makes an event with open sales that is too large to be sold out within a test, but of which no customer may have more
/// than twelve seats, and which has few students and few early birds. Waits until both servers show it.
async fn large_event(server: &Server, other: &Server) -> anyhow::Result<String> {
    let mut organiser = Person::admin(server)?;
    let sections = ["Field", "Hill"].map(|name| (name, general_admission(100_000)));
    let mut draft = draft("Large", 3_600, &sections);
    draft["max_seats_per_customer"] = 12.into();
    draft["sections"][0]["ticket_types"] = json!([{ "name": "regular" }, { "name": "student", "quantity": 40 }]);
    let price = draft["pricing_tiers"][0]["price"].clone();
    let tier = |ticket_type: &str, tier: &str, quantity: Option<u32>| json!({ "section": "Field", "ticket_type": ticket_type, "tier": tier, "price": price, "quantity": quantity });
    draft["pricing_tiers"][0] = tier("student", "regular", None);
    for more in [tier("regular", "early", Some(50)), tier("regular", "regular", None)] {
        draft["pricing_tiers"]
            .as_array_mut()
            .expect("the draft has tiers")
            .push(more);
    }
    draft["pools"] = json!([{ "name": "few", "quantity": 300, "members": [
        { "section": "Field", "ticket_type": "student" }, { "section": "Hill" }] }]);
    let event = organiser.put_on_sale(draft).await?;
    let mut there = Person::admin(other)?;
    there.see_what_was_written_by(&organiser);
    there.get(&format!("/api/events/{event}")).await?.expect(200)?;
    Ok(event)
}
