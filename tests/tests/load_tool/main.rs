//! The load tool against a toy box office that speaks the HTTP contract and, when told to, lies.

mod toy_server;

use std::path::Path;
use std::process::{Command, Output};

use crate::toy_server::{Lie, ToyServer};

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_server_passes() {
    let server = ToyServer::start(Lie::None).await;
    let output = load(&server, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("are right"), "{}", told(&output));
    assert!(told(&output).contains("300 answers"), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sells_a_seat_twice_is_caught() {
    let server = ToyServer::start(Lie::SellsSeatsTwice).await;
    let output = load(&server, &["--mix", "hold=100"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("is in two live reservations"),
        "{}",
        told(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgets_what_it_answered_is_caught() {
    let server = ToyServer::start(Lie::ForgetsAHold).await;
    let output = load(&server, &["--mix", "hold=100"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains(", which does not exist"), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_the_money_of_a_cancelled_reservation_is_caught() {
    let server = ToyServer::start(Lie::KeepsMoney).await;
    let output = load(&server, &["--mix", "hold=2,pay=2,cancel=2"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("has no seats for it"), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sells_more_tickets_than_there_are_at_a_price_is_caught() {
    let server = ToyServer::start(Lie::ExceedsAQuota).await;
    let output = load(&server, &["--mix", "hold=100"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("of tier regular of Section 1, but there are 10"),
        "{}",
        told(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_run_is_checked_from_its_journal_alone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let journal = journal.to_str().unwrap();
    let server = ToyServer::start(Lie::None).await;
    load(&server, &["--skip-check", "--journal", journal]).await;

    let right = check_only(&server, journal).await;
    assert_eq!(right.status.code(), Some(0), "{}", told(&right));

    server.forget_everything();
    let wrong = check_only(&server, journal).await;
    assert_eq!(wrong.status.code(), Some(1), "{}", told(&wrong));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told_apart_from_wrong_books() {
    let arguments = [
        "--url",
        "http://127.0.0.1:1",
        "--customer-session",
        "c",
        "--admin-session",
        "a",
    ];
    let output = run(arguments.map(str::to_owned).into()).await;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(
        told(&output).contains("does not accept connections"),
        "{}",
        told(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_flag_is_told_apart_too() {
    let missing = Path::new("no/such/file").display().to_string();
    for arguments in [
        vec!["--mix".to_owned(), "steal=1".to_owned()],
        vec![
            "--sessions-file".to_owned(),
            missing,
            "--admin-session".to_owned(),
            "a".to_owned(),
        ],
    ] {
        let output = run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    }
}

/// Runs the load tool with 300 requests of six customers over three connections.
async fn load(server: &ToyServer, more: &[&str]) -> Output {
    let url = server.url();
    let common = [
        "--url",
        &url,
        "--admin-session",
        "admin",
        "--customers",
        "6",
        "--connections",
        "3",
        "--requests",
        "300",
        "--seed",
        "1",
        "--idempotency",
        "--settle-seconds",
        "0",
        "--customer-session",
        "ada",
        "--customer-session",
        "grace",
    ];
    run(common.iter().chain(more).map(|&text| text.to_owned()).collect()).await
}

async fn check_only(server: &ToyServer, journal: &str) -> Output {
    let url = server.url();
    let arguments = [
        "--url",
        &url,
        "--admin-session",
        "admin",
        "--check-only",
        "--settle-seconds",
        "0",
        "--journal",
        journal,
    ];
    run(arguments.map(str::to_owned).into()).await
}

async fn run(arguments: Vec<String>) -> Output {
    let load = || Command::new(env!("CARGO_BIN_EXE_load")).args(arguments).output();
    let output = tokio::task::spawn_blocking(load)
        .await
        .expect("starting the tool does not panic");
    output.expect("cargo built the tool for this test")
}

fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}
