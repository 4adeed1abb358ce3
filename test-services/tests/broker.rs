//! Tests the broker that this crate provides. How a broker handles records is tested with the adapter that uses it.

use std::net::TcpStream;

use test_services::{Broker, OwnedBroker, broker};

#[tokio::test]
async fn every_test_of_a_process_gets_the_same_broker() {
    let (first, second) = tokio::join!(broker(), broker());
    match (first.unwrap(), second.unwrap()) {
        (Broker::Real(first), Broker::Real(second)) => {
            assert_eq!(first.bootstrap(), second.bootstrap());
            TcpStream::connect(first.bootstrap()).unwrap();
        }
        (Broker::Mock(_), Broker::Mock(_)) => {}
        other => panic!("two kinds of broker: {other:?}"),
    }
}

#[tokio::test]
async fn a_killed_broker_answers_again_at_the_same_address() {
    let broker = OwnedBroker::start().await.unwrap();
    broker.kill().await.unwrap();
    assert!(TcpStream::connect(broker.bootstrap()).is_err());
    broker.start_again().await.unwrap();
    TcpStream::connect(broker.bootstrap()).unwrap();
    broker.stop().await.unwrap();
    assert!(TcpStream::connect(broker.bootstrap()).is_err());
}
