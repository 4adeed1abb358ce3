//! People sign in by a mail from a real mail server and at a real OpenID Connect issuer, against an embedded server
//! and against one on services. The server logs as much as it can meanwhile, and none of its lines contains a secret
//! that would let somebody in.

#[path = "../support/mod.rs"]
mod support;

use anyhow::{Context as _, ensure};
use reqwest::redirect::{Attempt, Policy};
use serde_json::{Value, json};
use support::live::Watcher;
use support::office::Person;
use support::waiting::Patience;
use support::{Installation, Server, services};
use test_services::{SmtpSink, SmtpTls, issuer, smtp_sink};
use url::Url;

/// The public URL in the server's settings. The server really listens on another port, which the test finds out.
const PUBLIC_URL: &str = "http://localhost:4711";
const CALLBACK: &str = "http://localhost:4711/api/auth/oauth/oidc/callback";

macro_rules! on_both_ways {
    ($($walk:ident,)+) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $walk() {
                let folder = tempfile::tempdir().expect("a temporary folder can be made");
                let installation = super::Installation::embedded(folder.path());
                super::$walk(installation).await.expect("people can sign in");
            })+
        }

        mod on_services {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $walk() {
                let installation = super::services::shared().await.expect("the tests can use the services");
                super::$walk(installation).await.expect("people can sign in");
            })+
        }
    };
}

on_both_ways! {
    a_mailed_link_signs_in_once_and_the_account_can_be_erased,
    whoever_signs_in_at_the_issuer_buys_tickets_and_comes_back_as_the_same_customer,
    the_first_administrator_gets_a_link_that_nobody_else_reads,
}

/// Everything that a reader of the log must not find in it.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn knows(&mut self, secret: &str) -> String {
        self.0.push(secret.to_owned());
        secret.to_owned()
    }

    fn are_not_in_the_log_of(&self, server: &Server) -> anyhow::Result<()> {
        self.are_not_in(&server.log())
    }

    fn are_not_in(&self, log: &str) -> anyhow::Result<()> {
        let log = log.to_lowercase();
        ensure!(log.contains("audit"), "the log says nothing of signing in:\n{log}");
        for secret in &self.0 {
            ensure!(!log.contains(&secret.to_lowercase()), "{secret} is in the log:\n{log}");
        }
        Ok(())
    }
}

async fn a_mailed_link_signs_in_once_and_the_account_can_be_erased(installation: Installation) -> anyhow::Result<()> {
    let sink = smtp_sink(SmtpTls::None).await?;
    let url = format!("smtp://{}?tls=none", sink.address());
    let server = Server::start(&talkative(installation).with("SMTP_URL", &url), 1)?;
    let mut secrets = Secrets::default();
    let address = secrets.knows("ada.lovelace@example.org");
    let api = Api::of(&server);

    let sent = api
        .post("/api/auth/magic-link/send", &json!({ "email": address }))
        .await?;
    ensure!(sent.status() == 202, "{}", sent.status());
    let token = secrets.knows(&mailed_token(&sink, &address).await?);
    let session = api
        .session("/api/auth/magic-link/verify", &json!({ "token": token }))
        .await?;
    ensure!(session["email"] == address.as_str(), "{session}");
    let id = secrets.knows(session["session_id"].as_str().context("the answer has no session id")?);
    let again = api
        .post("/api/auth/magic-link/verify", &json!({ "token": token }))
        .await?;
    ensure!(again.status() == 401, "a link signed in twice: {}", again.status());

    let mut ada = Person::with_session(&server, &id)?;
    let ticket = ada
        .post("/api/auth/ws-ticket", json!({}))
        .await?
        .expect(200)?
        .text("ticket")?;
    secrets.knows(&ticket);
    let mut sockets = Vec::new();
    for query in [format!("ticket={ticket}"), format!("session_id={id}")] {
        let mut socket = Watcher::open(&server, &server.event, &query).await?;
        let first = socket.next().await?.context("the socket is closed at once")?;
        socket.take(&first)?;
        sockets.push(socket);
    }
    let erased = api
        .client
        .delete(api.at("/api/auth/me"))
        .bearer_auth(&id)
        .send()
        .await?;
    ensure!(erased.status() == 200, "{}", erased.status());
    ada.get("/api/auth/me").await?.expect(401)?;
    for mut socket in sockets {
        let told = socket.until_closed().await?;
        ensure!(told["code"] == "UNAUTHENTICATED", "{told}");
    }
    let wanted: &[&[&str]] = &[
        &[
            "outcome=\"signed_in\"",
            "method=\"magic_link\"",
            "user_id=",
            "ip=127.0.0.1",
        ],
        &["outcome=InvalidToken", "method=\"magic_link\"", "ip=127.0.0.1"],
        &["outcome=\"erased\"", "user_id="],
    ];
    // A thread of its own writes the log, so a line may come a moment after the answer.
    let patience = Patience::new();
    while let Err(missing) = is_audited(&server.log(), wanted) {
        patience.pause(|| missing.to_string()).await?;
    }
    secrets.are_not_in_the_log_of(&server)
}

async fn whoever_signs_in_at_the_issuer_buys_tickets_and_comes_back_as_the_same_customer(
    installation: Installation,
) -> anyhow::Result<()> {
    let issuer = issuer(&[CALLBACK]).await?;
    let installation = talkative(installation)
        .with("OAUTH_OIDC_ISSUER", issuer.url())
        .with("OAUTH_OIDC_CLIENT_ID", issuer.client_id())
        .with("OAUTH_OIDC_CLIENT_SECRET", issuer.client_secret())
        .with("OAUTH_OIDC_TRUST_EMAIL", "true");
    let server = Server::start(&installation, 1)?;
    let mut secrets = Secrets::default();
    let address = secrets.knows("grace.hopper@example.org");
    secrets.knows(issuer.client_secret());
    let api = Api::of(&server);

    let first = api.sign_in_at_the_issuer(&address, &mut secrets).await?;
    let id = secrets.knows(first["session_id"].as_str().context("the answer has no session id")?);
    let mut grace = Person::with_session(&server, &id)?;
    let held = json!({ "event_id": server.event, "section": "General", "quantity": 2 });
    let reservation = grace
        .post("/api/reservations", held)
        .await?
        .expect(201)?
        .text("reservation_id")?;
    let card = json!({ "payment_method": { "type": "card", "token": "tok_visa" } });
    let paid = grace
        .post(&format!("/api/reservations/{reservation}/payment"), card)
        .await?;
    ensure!(
        paid.expect(200)?.body["status"] == "completed",
        "the payment did not complete the reservation"
    );

    let second = api.sign_in_at_the_issuer(&address, &mut secrets).await?;
    ensure!(
        second["user"]["id"] == first["user"]["id"],
        "the second sign-in led to another account: {second}"
    );
    secrets.knows(second["session_id"].as_str().context("the answer has no session id")?);
    secrets.are_not_in_the_log_of(&server)
}

async fn the_first_administrator_gets_a_link_that_nobody_else_reads(installation: Installation) -> anyhow::Result<()> {
    let installation = talkative(installation);
    let mut secrets = Secrets::default();
    let address = secrets.knows("root@example.org");
    let mut links = Vec::new();
    for _ in 0..2 {
        let (printed, logged) = installation.run_and_log(&["bootstrap-admin", "--email", &address])?;
        let (_, token) = printed
            .trim()
            .split_once("/auth/verify#token=")
            .context("bootstrap-admin has printed no link")?;
        links.push(secrets.knows(token));
        is_audited(&logged, &[&["outcome=\"link_issued\"", "user_id="]])?;
        secrets.are_not_in(&logged)?;
    }

    let server = Server::start(&installation, 1)?;
    let api = Api::of(&server);
    let mut administrators = Vec::new();
    for token in &links {
        let session = api
            .session("/api/auth/magic-link/verify", &json!({ "token": token }))
            .await?;
        ensure!(session["user"]["role"] == "admin", "{session}");
        secrets.knows(session["session_id"].as_str().context("the answer has no session id")?);
        administrators.push(session["user"]["id"].clone());
    }
    ensure!(
        administrators[0] == administrators[1],
        "two links to one address led to two accounts"
    );

    // Somebody who is a customer already becomes an administrator only if the operator says `--promote`.
    let mut customer = Person::customer(&server, 0)?;
    let me = customer.get("/api/auth/me").await?.expect(200)?;
    let address = secrets.knows(&me.text("email")?);
    drop(server);
    let promote = ["bootstrap-admin", "--email", &address, "--promote"];
    let refused = installation.run(&promote[..3]);
    let refused = refused.err().context("a customer was made an administrator")?;
    ensure!(refused.to_string().contains("--promote"), "{refused}");
    let (_, logged) = installation.run_and_log(&promote)?;
    is_audited(&logged, &[&["outcome=\"role_changed\"", "role=\"admin\"", "user_id="]])?;
    secrets.are_not_in(&logged)
}

/// Demands for each list of words that one audit line in the log contains all of them.
fn is_audited(log: &str, wanted: &[&[&str]]) -> anyhow::Result<()> {
    for words in wanted {
        let mut lines = log.lines().filter(|line| line.contains("audit"));
        ensure!(
            lines.any(|line| words.iter().all(|word| line.contains(word))),
            "no line says {words:?}:\n{log}"
        );
    }
    Ok(())
}

fn talkative(installation: Installation) -> Installation {
    installation.with("PUBLIC_URL", PUBLIC_URL).with("LOG_LEVEL", "debug")
}

/// Waits until the mail to `address` has arrived, since the server sends mails in the background. Returns the token
/// in it.
async fn mailed_token(sink: &SmtpSink, address: &str) -> anyhow::Result<String> {
    let patience = Patience::new();
    loop {
        let received = sink.received()?;
        if let Some(mail) = received.iter().find(|mail| mail.to == [address]) {
            let text = mail.text.clone().context("the mail has no text part")?;
            let (_, rest) = text.split_once("/auth/verify#token=").context("the mail has no link")?;
            return Ok(rest.split_whitespace().next().unwrap_or_default().to_owned());
        }
        patience.pause(|| "no mail arrived").await?;
    }
}

/// A browser that talks to the server at the address on which the server really listens.
struct Api {
    url: String,
    client: reqwest::Client,
}

impl Api {
    fn of(server: &Server) -> Self {
        // An error means that another test in this process has installed the cryptography for TLS already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let follow = |attempt: Attempt<'_>| {
            if attempt.url().as_str().starts_with(PUBLIC_URL) {
                attempt.stop()
            } else {
                attempt.follow()
            }
        };
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(Policy::custom(follow))
            .build()
            .expect("an HTTP client can be made");
        Self {
            url: server.local_url(),
            client,
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<reqwest::Response> {
        let request = self
            .client
            .post(self.at(path))
            .header("content-type", "application/json");
        Ok(request.body(body.to_string()).send().await?)
    }

    async fn session(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.post(path, body).await?;
        ensure!(answer.status() == 200, "{}: {}", answer.status(), answer.text().await?);
        Ok(serde_json::from_str(&answer.text().await?)?)
    }

    /// Goes to the issuer, through its form, back to the callback, and trades the code in the fragment for a
    /// session.
    async fn sign_in_at_the_issuer(&self, address: &str, secrets: &mut Secrets) -> anyhow::Result<Value> {
        let mut page = self
            .client
            .get(self.at("/api/auth/oauth/oidc/authorize"))
            .send()
            .await?;
        if !page.url().as_str().starts_with(&self.url) && page.status() == 200 {
            let fields = [("email", address), ("email_verified", "true")];
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let form = self.client.post(page.url().clone());
            let form = form.header("content-type", "application/x-www-form-urlencoded");
            page = form.body(body).send().await?;
        }
        // The client does not follow redirects to the public URL, so the last one, back to the server, is read here.
        let back = page
            .headers()
            .get("location")
            .context("the answer has no Location to return to")?
            .to_str()?;
        let back = Url::parse(back)?;
        for (name, value) in back.query_pairs() {
            if name == "code" || name == "state" {
                secrets.knows(&value);
            }
        }
        let path = format!("{}?{}", back.path(), back.query().unwrap_or_default());
        let callback = self
            .client
            .get(self.at(&path))
            .header("accept", "text/html")
            .send()
            .await?;
        ensure!(
            callback.status() == 303,
            "{}: {}",
            callback.status(),
            callback.text().await?
        );
        let location = callback
            .headers()
            .get("location")
            .context("no page to go to")?
            .to_str()?;
        let (page, code) = location.split_once("#code=").context("no code in the fragment")?;
        ensure!(page == format!("{PUBLIC_URL}/auth/verify"), "{location}");
        let code = secrets.knows(code);
        let session = self
            .session("/api/auth/oauth/exchange", &json!({ "code": code }))
            .await?;
        let again = self.post("/api/auth/oauth/exchange", &json!({ "code": code })).await?;
        ensure!(again.status() == 401, "a code was traded twice");
        Ok(session)
    }
}
