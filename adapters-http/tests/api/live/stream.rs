//! Live availability as server-sent events.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures::StreamExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::until_open;
use crate::support::TestServer;

/// An open stream, and what has come of it.
struct Events {
    stream: BodyDataStream,
    text: String,
}

/// A block of lines of a stream, as its fields.
#[derive(Debug, Default)]
struct Event {
    id: Option<String>,
    retry: Option<u64>,
    data: Option<Value>,
    comments: usize,
}

fn request(event: &str, from: &str, last_event_id: Option<&str>) -> Request<Body> {
    let mut request = Request::get(format!("/api/events/{event}/availability/stream")).header("host", "localhost");
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    let from: IpAddr = from.parse().unwrap();
    request
        .extension(ConnectInfo(SocketAddr::new(from, 4711)))
        .body(Body::empty())
        .unwrap()
}

impl Events {
    async fn open(server: &TestServer, event: &str, last_event_id: Option<&str>) -> Self {
        let request = request(event, "192.0.2.1", last_event_id);
        let answer = server.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-cache");
        Self {
            stream: answer.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// Returns the next event or comment; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        while !self.text.contains("\n\n") {
            let bytes = self.stream.next().await?.unwrap();
            self.text += std::str::from_utf8(&bytes).unwrap();
        }
        let (block, rest) = self.text.split_once("\n\n").unwrap();
        let mut event = Event::default();
        for line in block.lines() {
            let (name, value) = line.split_once(':').unwrap();
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "" => event.comments += 1,
                "id" => event.id = Some(value.to_owned()),
                "retry" => event.retry = Some(value.parse().unwrap()),
                "data" => event.data = Some(serde_json::from_str(value).unwrap()),
                other => panic!("{other}"),
            }
        }
        self.text = rest.to_owned();
        Some(event)
    }

    async fn data(&mut self) -> (String, Value) {
        loop {
            let event = self.next().await.unwrap();
            if let Some(data) = event.data {
                return (event.id.unwrap(), data);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_reads_the_counts_and_who_comes_back_is_told_only_what_is_new() {
    let server = TestServer::start();
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let mut events = Events::open(&server, &event, None).await;
    let first = events.next().await.unwrap();
    assert!((500..5_500).contains(&first.retry.unwrap()), "{first:?}");
    let snapshot = first.data.unwrap();
    assert_eq!(snapshot["type"], "availability_snapshot");
    let sequence = snapshot["sequence"].as_u64().unwrap();
    assert_eq!(first.id, Some(format!("{sequence}-0")));

    alice.reserve(&event, "General", 1).await.expect(201);
    let (id, update) = events.data().await;
    assert_eq!(
        (&update["type"], &update["since"]),
        (&"availability_update".into(), &sequence.into())
    );
    drop(events);
    until_open(&server, 0).await;

    let mut again = Events::open(&server, &event, Some(&id)).await;
    let first = again.next().await.unwrap();
    assert!(
        first.data.is_none() && first.id.is_none() && first.retry.is_some(),
        "{first:?}"
    );
    alice.reserve(&event, "General", 1).await.expect(201);
    assert_eq!(again.data().await.1["since"], update["sequence"]);
    let mut late = Events::open(&server, &event, Some(&id)).await;
    assert_eq!(late.data().await.1["type"], "availability_snapshot");
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_the_time_limit_of_requests_and_shows_that_it_lives() {
    let server = TestServer::start_with(|setup| setup.http.request_timeout = Duration::from_secs(1));
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let mut events = Events::open(&server, &event, None).await;
    events.data().await;
    for _ in 0..3 {
        let sign = events.next().await.unwrap();
        assert!(sign.comments == 1 && sign.data.is_none(), "{sign:?}");
    }
    alice.reserve(&event, "General", 1).await.expect(201);
    assert_eq!(events.data().await.1["type"], "availability_update");
}

#[tokio::test(start_paused = true)]
async fn a_draft_has_no_stream_even_for_its_owner_and_a_network_has_only_so_many() {
    let server = TestServer::start_with(|setup| setup.live.max_per_network = 2);
    let olga = server.owner("olga").await;
    let draft = server.draft(&olga).await;
    let stream = format!("/api/events/{draft}/availability/stream");
    olga.get(&stream).await.refused(404, "EVENT_NOT_FOUND");
    assert_eq!(server.live.count(), 0);

    let event = server.event_on_sale(&olga).await;
    let first = Events::open(&server, &event, None).await;
    let _second = Events::open(&server, &event, None).await;
    let full = server
        .router
        .clone()
        .oneshot(request(&event, "192.0.2.1", None))
        .await
        .unwrap();
    assert_eq!(full.status(), 429);
    let other = server
        .router
        .clone()
        .oneshot(request(&event, "192.0.2.2", None))
        .await
        .unwrap();
    assert_eq!(other.status(), 200);
    drop(first);
    until_open(&server, 2).await;
    Events::open(&server, &event, None).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_ends_every_stream_and_begins_none() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut events = Events::open(&server, &event, None).await;
    events.data().await;
    server.stopping.cancel();
    let last = events.next().await.unwrap();
    let error = last.data.unwrap();
    assert_eq!(error["code"], "UNAVAILABLE");
    assert_eq!(error["reconnect_after_ms"].as_u64(), last.retry);
    assert!((500..5_500).contains(&last.retry.unwrap()), "{:?}", last.retry);
    assert_eq!(last.id, None, "a client must not forget what it has seen");
    assert!(events.next().await.is_none());
    drop(events);
    server.live.closed().await;
    let refused = server
        .router
        .clone()
        .oneshot(request(&event, "192.0.2.1", None))
        .await
        .unwrap();
    assert_eq!(refused.status(), 503);
}
