//! Callers go through lists, page by page or with the cursor `after`.

use crate::support::{Answer, TestServer};

fn ids(answer: &Answer, list: &str) -> Vec<String> {
    let key = format!("{}_id", list.trim_end_matches('s'));
    let rows = answer.body[list].as_array().unwrap().iter();
    rows.map(|row| row[&key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_after_the_last_row_sees_everything_once_although_rows_arrive() {
    let server = TestServer::start_with(|setup| setup.engine.max_live_holds = None);
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        server.pass(chrono::TimeDelta::seconds(1));
        newest_first.insert(
            0,
            alice.reserve(&event, "VIP", 1).await.expect(201).text("reservation_id"),
        );
    }
    let all = alice
        .get_after(&alice.reserve(&event, "VIP", 1).await, "/api/reservations")
        .await;
    let newest_first = [ids(all.expect(200), "reservations").remove(0)]
        .into_iter()
        .chain(newest_first);
    let newest_first: Vec<_> = newest_first.collect();

    let mut answer = alice.get("/api/reservations?per_page=2").await;
    assert_eq!(answer.expect(200).body["page"], 1);
    let mut seen = ids(&answer, "reservations");
    let arrived = alice.reserve(&event, "VIP", 1).await;
    while let Some(next) = answer.body["next"].as_str().map(ToOwned::to_owned) {
        let path = format!("/api/reservations?per_page=2&after={next}");
        answer = alice.get_after(&arrived, &path).await;
        answer.expect(200);
        assert_eq!(answer.body.get("page"), None);
        assert_eq!(answer.body["total"], 7);
        seen.extend(ids(&answer, "reservations"));
    }
    assert_eq!(seen, newest_first);
    assert!(answer.body["next"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_cursor_is_one_that_the_same_list_has_answered_with() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    for _ in 0..2 {
        server.event_on_sale(&olga).await;
    }
    let events = olga.get("/api/events?per_page=1").await;
    let next = events.expect(200).text("next");
    olga.get(&format!("/api/events?after={next}")).await.expect(200);
    for path in [
        "/api/events?after=".to_owned(),
        "/api/events?after=AAAA".to_owned(),
        format!("/api/events?after={next}&page=1"),
        format!("/api/reservations?after={next}"),
        format!("/api/payments?after={next}"),
        format!("/api/customers/{}/history?after={next}", olga.id()),
    ] {
        let refused = olga.get(&path).await;
        assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "after", "{path}");
    }
}
