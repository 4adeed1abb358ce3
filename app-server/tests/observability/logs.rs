//! What a server logs of a full run at the level `debug`, and what it never logs.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::lines::{only, read, with};
use crate::support::live::Watcher;
use crate::support::office::Person;
use crate::support::{Installation, Server, services};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const CARD: &str = "4111111111111111";
/// A sign-in token or session that nobody has.
const GUESS: &str = "guessed-guessed-guessed-guessed-guessed-guw";
/// A text that no secret of a server looks like.
const UNREADABLE: &str = "not-even-a-guess";

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_server_logs_each_thing_once_and_no_secret() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    a_full_run(Installation::embedded(folder.path())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_services_logs_each_thing_once_and_no_secret() -> anyhow::Result<()> {
    a_full_run(services::shared().await?).await
}

async fn a_full_run(installation: Installation) -> anyhow::Result<()> {
    let installation = installation.with("LOG_FORMAT", "json").with("LOG_LEVEL", "debug");
    let mut server = Server::start(&installation, 2)?;
    let me = buy(&server).await?;
    be_refused(&server).await?;
    server.stop()?;
    let log = server.log();
    let lines = read(&log)?;
    purchase_is_logged(&lines, &server.event, &me)?;
    refusals_are_logged(&lines)?;
    let mut secrets = server.sessions()?;
    secrets.extend([
        server.admin_session.clone(),
        CARD.to_owned(),
        GUESS.to_owned(),
        UNREADABLE.to_owned(),
        "@".to_owned(),
    ]);
    secrets.extend(["4111 1111", "tok_visa", "example.com"].map(ToOwned::to_owned));
    let urls = installation.variables.iter().filter(|(_, value)| value.contains("://"));
    secrets.extend(urls.map(|(_, url)| url.clone()));
    for secret in secrets {
        let told = log.lines().find(|line| line.contains(&secret));
        ensure!(told.is_none(), "the log tells {secret:?}: {told:?}");
    }
    Ok(())
}

/// Buys a place. Returns the id of the customer.
async fn buy(server: &Server) -> anyhow::Result<String> {
    let session = server.sessions()?.first().cloned().context("a customer")?;
    let mut watcher = Watcher::open(server, &server.event, &format!("session_id={session}")).await?;
    watcher.next().await?.context("a snapshot")?;
    let mut ada = Person::customer(server, 0)?;
    let me = ada.get("/api/auth/me").await?.expect(200)?.text("id")?;
    let wish = json!({"event_id": server.event, "section": "General", "quantity": 1});
    let headers = [("traceparent", PARENT), ("x-correlation-id", "ada-holds")];
    let held = ada.post_with_headers("/api/reservations", &headers, wish).await?;
    let reservation = held.expect(201)?.text("reservation_id")?;
    let card = json!({"payment_method": {"type": "card", "token": "tok_visa"}});
    let payment = format!("/api/reservations/{reservation}/payment");
    let headers = [("x-correlation-id", "ada-pays")];
    ada.post_with_headers(&payment, &headers, card).await?.expect(200)?;
    ada.get("/api/payments").await?.expect(200)?;
    let token = ada.token().context("a write gives a token")?;
    for token in [beyond_the_head(&token)?, of_an_older_incarnation(&token)?] {
        ada.get_seeing("/api/reservations", &token).await?.expect(200)?;
    }
    Ok(me)
}

async fn be_refused(server: &Server) -> anyhow::Result<()> {
    let mut eve = Person::customer(server, 1)?;
    let too_many = json!({"event_id": server.event, "section": "General", "quantity": 99});
    let headers = [("x-correlation-id", "eve-holds")];
    eve.post_with_headers("/api/reservations", &headers, too_many)
        .await?
        .expect(400)?;
    let number = json!({"event_id": server.event, "section": CARD, "quantity": 1});
    let status = eve.post("/api/reservations", number).await?.status;
    ensure!((400..500).contains(&status), "{status}");
    let role = json!({"email": "eve@example.com", "role": "admin"});
    eve.post("/api/auth/roles", role).await?.expect(403)?;
    eve.get(&format!("/no/such/route/{CARD}?session_id={GUESS}"))
        .await?
        .expect(404)?;
    let mut nobody = Person::anonymous(server)?;
    nobody
        .post("/api/auth/magic-link/verify", json!({"token": GUESS}))
        .await?
        .expect(401)?;
    nobody
        .get(&format!("/api/auth/magic-link/verify?token={GUESS}"))
        .await?;
    show_what_nobody_was_given(&mut nobody).await?;
    let mut guesser = Person::with_session(server, GUESS)?;
    guesser.get("/api/auth/me").await?.expect(401)?;
    eve.post("/api/auth/logout", json!({})).await?.expect(200)?;
    Ok(())
}

/// Tries to sign in with an unreadable secret in each place that takes one.
async fn show_what_nobody_was_given(nobody: &mut Person) -> anyhow::Result<()> {
    let answer = json!({"challenge_id": UNREADABLE, "credential": {}});
    let tries = [
        ("link", "/api/auth/magic-link/verify", json!({"token": UNREADABLE}), 401),
        ("code", "/api/auth/oauth/exchange", json!({"code": UNREADABLE}), 401),
        ("passkey", "/api/auth/passkey/login/complete", answer, 400),
    ];
    for (name, path, body, status) in tries {
        let headers = [("x-correlation-id", name)];
        nobody.post_with_headers(path, &headers, body).await?.expect(status)?;
    }
    nobody
        .get(&format!(
            "/api/auth/oauth/oidc/callback?state={UNREADABLE}&code={UNREADABLE}"
        ))
        .await?
        .expect(400)?;
    Ok(())
}

fn purchase_is_logged(lines: &[Value], event: &str, me: &str) -> anyhow::Result<()> {
    let access = only(lines, &[("target", "access"), ("correlation_id", "ada-holds")])?;
    ensure!(access["level"] == "INFO" && access["status"] == 201, "{access}");
    ensure!(
        access["method"] == "POST" && access["path"] == "/api/reservations",
        "{access}"
    );
    ensure!(
        access["trace_id"] == TRACE && access["user_id"] == me && access["event_id"] == event,
        "{access}"
    );
    ensure!(
        access["duration_ms"].as_f64().is_some_and(|time| time > 0.0),
        "{access}"
    );
    for (request, fact) in [
        ("ada-holds", "ReservationHeld"),
        ("ada-pays", "PaymentCaptured"),
        ("ada-pays", "ReservationCompleted"),
    ] {
        let fact = only(
            lines,
            &[("target", "facts"), ("correlation_id", request), ("fact", fact)],
        )?;
        ensure!(
            fact["level"] == "INFO" && fact["event_id"] == event && fact["user_id"] == me,
            "{fact}"
        );
    }
    let hold = [
        ("correlation_id", "ada-holds"),
        ("command", "hold_seats"),
        ("outcome", "answered"),
    ];
    let hold = only(lines, &hold)?;
    ensure!(hold["level"] == "DEBUG" && hold["duration_ms"].is_number(), "{hold}");
    let reports = with(lines, &[("correlation_id", "ada-pays"), ("command", "report_payment")]);
    ensure!(
        !reports.is_empty(),
        "the answers of the gateway are commands of the request"
    );
    for follower in ["read-models", "live_boards"] {
        let batches = with(lines, &[("message", "a follower took a batch"), ("follower", follower)]);
        ensure!(
            batches.iter().any(|line| line["duration_ms"].is_number()),
            "{follower}: {batches:?}"
        );
    }
    let ignored = "a consistency token stands for facts that the log does not have; the read does not wait for them";
    let ignored = with(lines, &[("message", ignored), ("level", "DEBUG")]);
    ensure!(ignored.len() == 2, "{ignored:?}");
    Ok(())
}

fn refusals_are_logged(lines: &[Value]) -> anyhow::Result<()> {
    let refused = only(lines, &[("correlation_id", "eve-holds"), ("command", "hold_seats")])?;
    ensure!(refused["outcome"] == "INVALID_QUANTITY", "{refused}");
    for outcome in ["NotAnAdministrator", "signed_out"] {
        only(lines, &[("target", "audit"), ("outcome", outcome)])?;
    }
    ensure!(
        !with(lines, &[("target", "audit"), ("outcome", "InvalidToken")]).is_empty(),
        "no refused sign-in"
    );
    for (request, outcome) in [
        ("link", "InvalidToken"),
        ("code", "InvalidToken"),
        ("passkey", "InvalidChallenge"),
    ] {
        only(
            lines,
            &[("target", "audit"), ("correlation_id", request), ("outcome", outcome)],
        )?;
    }
    let callback = [("method", "oauth"), ("outcome", "InvalidChallenge")];
    only(lines, &[("target", "audit"), callback[0], callback[1]])?;
    let unknown = only(lines, &[("target", "access"), ("path", "unknown")])?;
    ensure!(unknown["status"] == 404, "{unknown}");
    // The client library of the bus may write an error of its own when a slow broker outlives the server.
    let errors = with(lines, &[("level", "ERROR"), ("target", "adapters_http::errors")]);
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

/// Returns the token with a position that the log has not reached.
fn beyond_the_head(token: &str) -> anyhow::Result<String> {
    changed(token, &[1], &[0xff, 0xff, 0x7f])
}

/// Returns the token as a log of an older incarnation gave it.
fn of_an_older_incarnation(token: &str) -> anyhow::Result<String> {
    changed(token, &[0], &[1])
}

/// Returns the token of the same log with another incarnation and position.
fn changed(token: &str, incarnation: &[u8], position: &[u8]) -> anyhow::Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("c1.").context("a token of a log")?)?;
    let log = bytes.get(..16).context("a token names its log")?;
    Ok(format!(
        "c1.{}",
        URL_SAFE_NO_PAD.encode([log, incarnation, position].concat())
    ))
}
