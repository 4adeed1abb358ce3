use anyhow::{Context as _, ensure};

use crate::Edge;

const ERRORS: &str = include_str!("../../../docs/ERRORS.md");

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_answered_like_every_other_error() {
    let headers = |count: u32, value: &str| {
        let lines: String = (0..count).map(|number| format!("x-{number}: {value}\r\n")).collect();
        format!("GET /health HTTP/1.1\r\nHost: x\r\n{lines}\r\n")
    };
    let head = "GET /health HTTP/1.1\r\nHost: x\r\n";
    let cases = [
        (400, "INVALID_REQUEST", "no request\r\n\r\n".to_owned()),
        (
            400,
            "INVALID_REQUEST",
            "GET /health HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(),
        ),
        (400, "INVALID_REQUEST", format!("{head}Content-Length: many\r\n\r\n")),
        (
            400,
            "INVALID_REQUEST",
            format!("{head}a header without a colon\r\n\r\n"),
        ),
        (
            431,
            "HEAD_TOO_LARGE",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000)),
        ),
        (431, "HEAD_TOO_LARGE", headers(200, "1")),
        (431, "HEAD_TOO_LARGE", headers(90, &"1".repeat(10_000))),
    ];
    let story = async {
        let edge = Edge::start(&[])?;
        for (status, code, request) in cases {
            let answered = edge.ask(request).await?;
            answered.is_refused(status, code)?;
            ensure!(answered.header("connection") == Some("close"), "{}", answered.head);
            let row = format!("| {status} | `{code}` | ");
            let (_, before_a_route) = ERRORS
                .split_once("## Before a route is found")
                .context("the second table")?;
            ensure!(before_a_route.contains(&row), "{row} is not in the table");
        }
        anyhow::Ok(())
    };
    story.await.expect("the HTTP library never speaks for itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_can_be_read_in_two_ways_is_refused_with_the_name_of_the_header() {
    let post = "POST /api/auth/magic-link/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let cases = [
        ("Host", "GET /api/events HTTP/1.1\r\n\r\n".to_owned()),
        (
            "Host",
            "GET /api/events HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".to_owned(),
        ),
        (
            "Authorization",
            "GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"
                .to_owned(),
        ),
        (
            "Content-Length",
            format!("{post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        ),
        (
            "Content-Length",
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        ),
    ];
    let story = async {
        let edge = Edge::start(&[])?;
        for (header, request) in cases {
            let answered = edge.ask(&request).await?;
            answered
                .is_refused(400, "INVALID_REQUEST")
                .with_context(|| request.clone())?;
            let field = answered.json()?["details"]["field"].clone();
            ensure!(field == header, "{request}: {field}");
        }
        let old = edge.ask("GET /health HTTP/1.0\r\n\r\n").await?;
        ensure!(old.status == 200, "HTTP/1.0 needs no Host: {}", old.head);
        anyhow::Ok(())
    };
    story.await.expect("no head is read in one of two ways");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_after_a_body_that_comes_in_pieces() {
    let first = "POST /api/auth/magic-link/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                 Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let second = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let story = async {
        let edge = Edge::start(&[])?;
        for requests in [first.to_owned(), format!("{first}{second}")] {
            let mut wire = edge.connect().await?;
            let answered = wire.ask(&requests).await?;
            answered.is_refused(400, "INVALID_REQUEST")?;
            ensure!(answered.header("connection") == Some("close"), "{}", answered.head);
            ensure!(wire.rest().await?.is_empty(), "a second request was answered");
        }
        anyhow::Ok(())
    };
    story.await.expect("the connection ends with the request");
}
