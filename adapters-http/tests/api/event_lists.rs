//! Which events the list shows to whom, and in which order.

use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer, event_request};

/// Creates and publishes events. Returns their ids, and the answer to the last request.
async fn published(owner: &Actor, requests: Vec<Value>) -> (Vec<String>, Answer) {
    let mut ids = Vec::new();
    let mut last = None;
    for request in requests {
        let created = owner.post("/api/events", request).await;
        let event = created.expect(201).text("event_id");
        last = Some(owner.post(&format!("/api/events/{event}/publish"), ()).await);
        ids.push(event);
    }
    (ids, last.unwrap())
}

#[tokio::test(start_paused = true)]
async fn events_are_listed_soonest_first_in_pages_and_by_status() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let requests = [90, 30, 60].map(|days| event_request(&server.in_days(days)));
    let (ids, last) = published(&olga, requests.into()).await;
    let listed = stranger.get_after(&last, "/api/events?per_page=2").await;
    let events = listed.expect(200).body["events"].as_array().unwrap();
    assert_eq!((events.len(), &listed.body["total"]), (2, &json!(3)));
    assert_eq!(
        (&events[0]["event_id"], &events[1]["event_id"]),
        (&json!(ids[1]), &json!(ids[2]))
    );
    let rest = stranger.get("/api/events?per_page=2&page=2").await;
    assert_eq!(rest.expect(200).body["events"][0]["event_id"], ids[0]);
    let open = stranger.get("/api/events?status=sales_open").await;
    assert_eq!(open.expect(200).body["events"], json!([]));
}

/// Returns the ids of the events on one page, in the order of the page.
async fn listed(person: &Actor, query: &str) -> Vec<Value> {
    let listed = person.get(&format!("/api/events?{query}")).await;
    let events = listed.expect(200).body["events"].as_array().unwrap();
    events.iter().map(|event| event["event_id"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_public_list_shows_what_can_still_be_visited_and_the_rest_to_who_asks_for_it() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let mut ids = Vec::new();
    for days in [10, 20, 30, 40] {
        let created = olga.post("/api/events", event_request(&server.in_days(days))).await;
        let event = created.expect(201).text("event_id");
        olga.post(&format!("/api/events/{event}/publish"), ()).await.expect(200);
        ids.push(event);
    }
    let [past, cancelled, open, published] = [&ids[0], &ids[1], &ids[2], &ids[3]];
    olga.post(&format!("/api/events/{cancelled}/cancel"), ())
        .await
        .expect(200);
    let (day_15, day_25, day_30) = (server.in_days(15), server.in_days(25), server.in_days(30));
    let opened = olga.post(&format!("/api/events/{open}/sales/open"), ()).await;
    server.pass(chrono::TimeDelta::days(11));
    stranger.get_after(&opened, "/api/events").await.expect(200);

    for (query, shown) in [
        (String::new(), vec![open, published]),
        ("when=upcoming".to_owned(), vec![open, published]),
        ("when=past".to_owned(), vec![past]),
        ("when=all".to_owned(), vec![past, cancelled, open, published]),
        ("status=published,sales_open".to_owned(), vec![open, published]),
        ("status=sales_open".to_owned(), vec![open]),
        ("status=completed,cancelled".to_owned(), vec![past, cancelled]),
        ("status=completed,cancelled&when=upcoming".to_owned(), vec![cancelled]),
        (format!("to={day_25}"), vec![]),
        (format!("to={day_25}&when=all"), vec![past, cancelled]),
        (format!("from={day_15}&to={day_30}&when=all"), vec![cancelled]),
        (format!("from={day_30}"), vec![open, published]),
        (format!("from={day_30}&status=sales_open"), vec![open]),
    ] {
        let shown: Vec<_> = shown.into_iter().map(|id| json!(id)).collect();
        assert_eq!(listed(&stranger, &query).await, shown, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_filtered_list_goes_on_behind_its_last_event_although_others_arrive_and_leave() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut unseen = Vec::new();
    for _ in 0..3 {
        unseen.push(server.event_on_sale(&olga).await);
    }
    let path = "/api/events?status=sales_open,published&per_page=2";
    let page = olga.get(path).await;
    let next = page.expect(200).text("next");
    let seen: Vec<_> = page.body["events"].as_array().unwrap().iter().collect();
    unseen.retain(|id| seen.iter().all(|event| event["event_id"] != *id));
    let first = seen[0]["event_id"].as_str().unwrap();
    let earlier = olga.post("/api/events", event_request(&server.in_days(1))).await;
    let earlier = earlier.expect(201).text("event_id");
    olga.post(&format!("/api/events/{earlier}/publish"), ())
        .await
        .expect(200);
    let cancelled = olga.post(&format!("/api/events/{first}/cancel"), ()).await;
    let rest = olga.get_after(&cancelled, &format!("{path}&after={next}")).await;
    let events = rest.expect(200).body["events"].as_array().unwrap();
    let rest_ids: Vec<_> = events.iter().map(|event| &event["event_id"]).collect();
    assert_eq!((rest_ids, &rest.body["next"]), (vec![&json!(unseen[0])], &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn the_list_is_searched_by_words_city_and_category() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let stranger = server.stranger();
    let described = |(days, name, category, city)| {
        let mut request = event_request(&server.in_days(days));
        request["name"] = json!(name);
        request["category"] = json!(category);
        request["venue"]["city"] = json!(city);
        request
    };
    let requests = [
        (10, "Caf\u{e9} Noir", "concert", "Li\u{e8}ge"),
        (20, "Night of the Proms", "concert", "New York"),
        (30, "Cafeteria", "other", "New York"),
    ]
    .map(described);
    let (ids, last) = published(&olga, requests.into()).await;
    stranger.get_after(&last, "/api/events").await.expect(200);
    let [noir, proms, cafeteria] = [&ids[0], &ids[1], &ids[2]];
    for (query, shown) in [
        ("q=cafe", vec![noir, cafeteria]),
        ("q=CAF%C3%89%20noi", vec![noir]),
        ("q=york", vec![proms, cafeteria]),
        ("city=liege", vec![noir]),
        ("city=York", vec![]),
        ("category=Concert", vec![noir, proms]),
        ("category=concert&city=new%20york&q=night", vec![proms]),
        ("q=night&status=sales_open", vec![]),
    ] {
        let shown: Vec<_> = shown.into_iter().map(|id| json!(id)).collect();
        assert_eq!(listed(&stranger, query).await, shown, "{query}");
    }
    for (query, field) in [
        ("q=", "q"),
        ("q=%20-%20", "q"),
        ("city=!", "city"),
        ("category=%2B", "category"),
        ("q=a%20b%20c%20d%20e%20f%20g%20h%20i%20j%20k", "q"),
    ] {
        let refused = stranger.get(&format!("/api/events?{query}")).await;
        assert_eq!(
            refused.refused(422, "VALIDATION_FAILED")["errors"][0]["field"],
            field,
            "{query}"
        );
    }
    let long = stranger.get(&format!("/api/events?q={}", "a".repeat(101))).await;
    long.refused(422, "VALIDATION_FAILED");
}
