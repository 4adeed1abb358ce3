//! Stories of people at a box office. Each is played on every way to run a server: embedded, and on services.

#[path = "../support/mod.rs"]
mod support;

mod buying;
mod on_the_bus;
mod organising;

use support::{Installation, Server, services};

/// Makes two tests of every story: one against an embedded server, one against a server on services.
macro_rules! stories {
    ($($module:ident::$story:ident,)+) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let folder = tempfile::tempdir().expect("a temporary folder can be made");
                super::told(&super::Installation::embedded(folder.path()), async |server| {
                    super::$module::$story(server).await
                })
                .await;
            })+
        }

        mod on_services {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let installation = super::services::shared().await.expect("the tests can use the services");
                super::told(&installation, async |server| super::$module::$story(server).await).await;
            })+
        }
    };
}

stories! {
    buying::a_customer_holds_seats_pays_and_has_tickets,
    buying::a_declined_card_leaves_the_hold_and_another_card_pays_it,
    buying::who_has_to_agree_at_the_bank_has_tickets_once_that_is_done,
    buying::a_paid_reservation_is_given_back_and_its_seats_are_free_again,
    buying::somebody_elses_reservation_is_not_to_be_found,
    buying::a_request_that_is_repeated_with_its_key_is_carried_out_once,
    buying::of_many_who_want_the_last_seats_as_many_get_some_as_there_are,
    buying::a_customer_sees_what_it_has_bought,
    buying::who_signs_out_is_out,
    organising::an_organiser_sees_what_was_sold,
    organising::a_cancelled_event_sells_nothing_and_pays_everybody_back,
    organising::closed_sales_are_closed_until_they_are_opened_again,
}

async fn told(installation: &Installation, story: impl AsyncFnOnce(&Server) -> anyhow::Result<()>) {
    let server = Server::start(installation, 12).expect("the server starts");
    if let Err(error) = story(&server).await {
        panic!("{error:?}\nThe server's log:\n{}", server.log());
    }
}
