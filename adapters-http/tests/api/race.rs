//! Many customers want the same seats at the same moment.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::TestServer;

const ROUNDS: usize = 50;
const CUSTOMERS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_customers_race_for_the_last_ten_seats_and_exactly_ten_get_one() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut customers = Vec::new();
    for number in 0..CUSTOMERS {
        customers.push(Arc::new(server.customer(&format!("customer{number}")).await));
    }
    for round in 0..ROUNDS {
        let event = server.event_on_sale(&olga).await;
        olga.reserve(&event, "VIP", 8).await.expect(201);
        olga.reserve(&event, "VIP", 2).await.expect(201);

        let start = Arc::new(Barrier::new(CUSTOMERS));
        let mut race = JoinSet::new();
        for customer in &customers {
            let (customer, event, start) = (Arc::clone(customer), event.clone(), Arc::clone(&start));
            race.spawn(async move {
                start.wait().await;
                customer.reserve(&event, "VIP", 1).await
            });
        }
        let answers = race.join_all().await;

        let mut seats: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 201)
            .map(|answer| answer.body["seats"][0]["seat_id"].to_string())
            .collect();
        assert_eq!(seats.len(), 10, "round {round}");
        seats.sort_unstable();
        seats.dedup();
        assert_eq!(seats.len(), 10, "round {round}: a seat was sold twice");
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            refused.refused(409, "INSUFFICIENT_INVENTORY");
        }
    }
}
