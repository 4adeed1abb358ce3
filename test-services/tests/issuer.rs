//! Tests the issuer that this crate provides. What the issuer says about people is tested with the adapter that uses
//! it.

use std::io::{Read, Write};
use std::net::TcpStream;

use test_services::issuer;

#[tokio::test]
async fn an_issuer_tells_what_it_offers_and_is_gone_when_nobody_needs_it() {
    let issuer = issuer(&["http://localhost:8080/callback"]).await.unwrap();
    let address = issuer.url().strip_prefix("http://").unwrap().to_owned();
    assert!(configuration(&address).contains(&format!(r#""issuer":"{}""#, issuer.url())));
    drop(issuer);
    assert!(TcpStream::connect(&address).is_err());
}

#[tokio::test]
async fn issuers_of_two_tests_do_not_meet() {
    let (first, second) = tokio::join!(issuer(&[]), issuer(&[]));
    assert_ne!(first.unwrap().url(), second.unwrap().url());
}

fn configuration(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the issuer is up");
    write!(
        stream,
        "GET /.well-known/openid-configuration HTTP/1.0\r\nHost: {address}\r\n\r\n"
    )
    .expect("the issuer listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the issuer answers in text");
    answer
}
