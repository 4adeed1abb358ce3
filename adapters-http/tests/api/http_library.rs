//! What a service that embeds the router answers on a real socket.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::TestServer;

/// A server that listens on a real socket.
struct Listening {
    address: std::net::SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Listening {
    async fn of(server: &TestServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(axum::serve(listener, server.router.clone()).into_future());
        Self { address, serving }
    }

    /// Sends the bytes of `request` and reads until the server closes the connection. Returns the head and the body
    /// of the answer.
    async fn answer(&self, request: &str) -> (String, String) {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn code_of(body: &str) -> Value {
    let body: Value = serde_json::from_str(body).unwrap();
    body["code"].clone()
}

#[tokio::test]
async fn a_hold_that_has_run_out_is_answered_408_in_our_words_and_ends_the_connection() {
    let server = TestServer::start();
    let (olga, session) = (server.owner("olga").await, server.customer("ada").await);
    let event = server.event_on_sale(&olga).await;
    let reservation = session.reserve(&event, "General", 1).await.text("reservation_id");
    server.pass(TimeDelta::minutes(6));
    let listening = Listening::of(&server).await;
    let again = server.sign_in_again(&session).await;
    let body = r#"{"payment_method":{"type":"card","token":"tok_visa"}}"#;
    let (head, body) = listening
        .answer(&format!(
            "POST /api/reservations/{reservation}/payment HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {again}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    assert!(head.to_lowercase().contains("connection: close"), "{head}");
    assert_eq!(code_of(&body), "RESERVATION_EXPIRED");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_413_in_our_words_before_it_has_come() {
    let server = TestServer::start();
    let session = server.sign_in_again(&server.customer("ada").await).await;
    let listening = Listening::of(&server).await;
    let head = format!(
        "POST /api/reservations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {session}\r\nContent-Type: application/json\r\n"
    );
    let piece = format!("{:x}\r\n{}\r\n", 64 * 1024, " ".repeat(64 * 1024));
    let declared = format!("{head}Content-Length: 300000\r\n\r\n");
    let in_pieces = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", piece.repeat(5));
    for request in [declared, in_pieces] {
        let mut connection = TcpStream::connect(listening.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = connection.read(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer[..read].to_vec()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        assert_eq!(code_of(body), "PAYLOAD_TOO_LARGE");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_to_its_end_is_answered_504_in_our_words() {
    let server = TestServer::start_with(|setup| setup.http.request_timeout = Duration::from_millis(50));
    let session = server.sign_in_again(&server.customer("ada").await).await;
    let listening = Listening::of(&server).await;
    let (head, body) = listening
        .answer(&format!(
            "POST /api/reservations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {session}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        ))
        .await;
    assert!(head.starts_with("HTTP/1.1 504 "), "{head}");
    assert_eq!(code_of(&body), "TIMEOUT");
}
