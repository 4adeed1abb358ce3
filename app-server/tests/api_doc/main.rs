//! Plays the guide `docs/API.md`: runs each curl line as it is written there, with the real curl and against a real
//! server. What a person does between two lines is done here: reading a mail, signing in at an OpenID Connect
//! issuer, letting an authenticator sign.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use support::waiting::Patience;
use support::{Installation, Server};
use tempfile::TempDir;
use test_services::{Issuer, SmtpSink, SmtpTls, issuer, smtp_sink};
use url::Url;
use webauthn_authenticator_rs::WebauthnAuthenticator;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;

/// The public URL in the server's settings. The server really listens on another port, which the test finds out.
const PUBLIC_URL: &str = "http://localhost:4711";
const CALLBACK: &str = "http://localhost:4711/api/auth/oauth/oidc/callback";

const README: &str = include_str!("../../../README.md");
/// What the sales of the readme's event say at the end: the guest's tickets and the customer's.
const SOLD: &str = "\"tickets_sold\":5";

/// A step of the guide, which consists of a comment and the curl line below it.
struct Step<'a> {
    operation: &'a str,
    status: &'a str,
    /// The shell variables that later lines use, each with the field of the answer that its value is taken from.
    kept: Vec<(&'a str, &'a str)>,
    curl: &'a str,
}

impl<'a> Step<'a> {
    /// Reads a comment such as `# Hold seats (create_reservation one_section): 201; RESERVATION is its reservation_id`.
    fn read(comment: &'a str, curl: &'a str) -> Option<Self> {
        let (_, rest) = comment.strip_prefix("# ")?.split_once('(')?;
        let (called, rest) = rest.split_once("): ")?;
        let (operation, _) = called.split_once(' ').unwrap_or((called, ""));
        let mut parts = rest.split("; ");
        let status = parts.next()?;
        let kept = parts.filter_map(|part| part.split_once(" is its ")).collect();
        Some(Self {
            operation,
            status,
            kept,
            curl,
        })
    }
}

fn steps(guide: &str) -> Vec<Step<'_>> {
    let lines: Vec<_> = guide.lines().collect();
    lines
        .windows(2)
        .filter_map(|pair| Step::read(pair[0], pair[1]))
        .collect()
}

/// A reader of the guide, who has a shell and a browser.
struct Reader {
    /// Held here so that the server runs as long as the reader exists.
    _server: Server,
    issuer: Issuer,
    mails: SmtpSink,
    authenticator: SoftPasskey,
    /// The id of the user whose key the authenticator has made, as WebAuthn writes it.
    user_handle: Value,
    folder: TempDir,
    variables: BTreeMap<String, String>,
    /// What the last line of curl printed, or wrote into a file.
    printed: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_guide_to_the_api_does_what_it_says() {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let mut reader = Reader::new(home.path())
        .await
        .expect("the server, the issuer and the mail server start");
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let guide = std::fs::read_to_string(guide).expect("docs/API.md can be read");
    let steps = steps(&guide);
    assert!(steps.len() >= 49, "the guide has only {} lines", steps.len());
    for step in steps {
        let played = reader.play(&step).await;
        played
            .with_context(|| format!("{}: {}", step.operation, step.curl))
            .expect("the line does what the guide says");
    }
}

/// Plays the section of the README that sells an event, as one script of bash. Where the reader has to open a mail, the
/// script waits for the token in it.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_puts_an_event_on_sale_and_sells_it_to_a_guest_and_to_a_customer() {
    let story = async {
        let home = tempfile::tempdir()?;
        let reader = Reader::new(home.path()).await?;
        let section = README
            .split("\n## ")
            .find_map(|part| part.strip_prefix("Create an event and sell it\n"));
        let blocks = section.context("the section is there")?.split("```sh\n").skip(1);
        let blocks: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).collect();
        let [organiser, customer] = blocks[..] else {
            bail!("the section has {} blocks", blocks.len());
        };
        let organiser = organiser
            .replace("URL=http://localhost:8080", &format!("URL={}", reader.variables["URL"]))
            .replace("TOKEN=…", &format!("TOKEN={}", reader.variables["TOKEN"]));
        let customer = customer.replace("TOKEN=…", "until [ -s token ]; do sleep 0.05; done; TOKEN=$(cat token)");
        let folder = reader.folder.path().to_owned();
        let script = tokio::task::spawn_blocking(move || {
            let script = format!("{organiser}\n{customer}");
            Command::new("bash")
                .args(["-euo", "pipefail", "-c", &script])
                .current_dir(folder)
                .output()
        });
        let token = reader.mailed_token().await?;
        let written = reader.folder.path().join("token.new");
        std::fs::write(&written, token)?;
        std::fs::rename(&written, reader.folder.path().join("token"))?;
        let output = script.await??;
        let printed = String::from_utf8(output.stdout)?;
        ensure!(
            output.status.success(),
            "{printed}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let completed = printed.matches("\"status\":\"completed\"").count();
        ensure!(completed == 3, "{completed} completed orders are shown: {printed}");
        ensure!(printed.contains(SOLD), "{printed}");
        anyhow::Ok(())
    };
    story.await.expect("the section of the readme works");
}

impl Reader {
    async fn new(home: &Path) -> anyhow::Result<Self> {
        let mails = smtp_sink(SmtpTls::None).await?;
        let issuer = issuer(&[CALLBACK]).await?;
        let installation = Installation::embedded(home)
            .with("PUBLIC_URL", PUBLIC_URL)
            .with("SMTP_URL", &format!("smtp://{}?tls=none", mails.address()))
            .with("OAUTH_OIDC_ISSUER", issuer.url())
            .with("OAUTH_OIDC_CLIENT_ID", issuer.client_id())
            .with("OAUTH_OIDC_CLIENT_SECRET", issuer.client_secret())
            .with("OAUTH_OIDC_TRUST_EMAIL", "true");
        let link = installation.run(&["bootstrap-admin", "--email", "root@example.com"])?;
        let (_, token) = link
            .trim()
            .split_once("#token=")
            .context("bootstrap-admin has printed no link")?;
        let server = Server::start(&installation, 1)?;
        let folder = tempfile::tempdir()?;
        note_headers_of_curl(folder.path())?;
        let variables = [
            ("URL", server.local_url()),
            ("TOKEN", token.to_owned()),
            ("PROVIDER", "oidc".to_owned()),
        ];
        Ok(Self {
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            _server: server,
            issuer,
            mails,
            authenticator: SoftPasskey::new(true),
            user_handle: Value::Null,
            folder,
            printed: String::new(),
        })
    }

    /// Runs the curl line of a step, and then does what the guide asks of a person at this step.
    async fn play(&mut self, step: &Step<'_>) -> anyhow::Result<()> {
        let answer = self.run(step)?;
        for (variable, field) in &step.kept {
            let value = answer.pointer(&format!("/{field}")).and_then(Value::as_str);
            let value = value.with_context(|| format!("{field} in {answer}"))?;
            self.variables.insert((*variable).to_owned(), value.to_owned());
        }
        match step.operation {
            "send_magic_link" => {
                let token = self.mailed_token().await?;
                self.variables.insert("TOKEN".to_owned(), token);
            }
            "authorize" => self.sign_in_at_the_issuer().await?,
            "callback" => {
                let (_, code) = self.printed.split_once("#code=").context("a code in the fragment")?;
                self.variables.insert("CODE".to_owned(), code.to_owned());
            }
            "begin_registration" | "begin_login" => self.let_the_authenticator_sign(step.operation, &answer)?,
            _ => {}
        }
        Ok(())
    }

    /// Runs the curl line in a shell, exactly as it is written in the guide, and checks the status of the answer.
    fn run(&mut self, step: &Step<'_>) -> anyhow::Result<Value> {
        ensure!(
            step.curl.starts_with("curl -s"),
            "the line below a step's comment does not begin with curl -s"
        );
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .args(["-euc", step.curl])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.folder.path().display()))
            .envs(&self.variables)
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.printed = String::from_utf8(output.stdout)?;
        let headers = std::fs::read_to_string(self.folder.path().join("headers"))?;
        let status = headers.split_whitespace().nth(1).unwrap_or_default();
        ensure!(status == step.status, "{headers}{}", self.printed);
        Ok(serde_json::from_str(&self.printed).unwrap_or_default())
    }

    async fn mailed_token(&self) -> anyhow::Result<String> {
        let patience = Patience::new();
        loop {
            if let Some(mail) = self.mails.received()?.pop() {
                let text = mail.text.clone().context("the mail has no text part")?;
                let (_, rest) = text.split_once("#token=").context("the mail has no link")?;
                return Ok(rest.split_whitespace().next().unwrap_or_default().to_owned());
            }
            patience.pause(|| "no mail arrived").await?;
        }
    }

    /// Does what a browser with cookies would do: opens the address that curl has printed, sends the sign-in form of
    /// the issuer, and stops at the address to which the issuer sends it back.
    async fn sign_in_at_the_issuer(&mut self) -> anyhow::Result<()> {
        // An error means that another test in this process has installed the cryptography for TLS already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let follow = reqwest::redirect::Policy::custom(|attempt| {
            if attempt.url().as_str().starts_with(PUBLIC_URL) {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let browser = reqwest::Client::builder().cookie_store(true).redirect(follow).build()?;
        ensure!(self.printed.starts_with(self.issuer.url()), "{}", self.printed);
        let form = browser.get(&self.printed).send().await?;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("email", "grace@example.org"), ("email_verified", "true")])
            .finish();
        let sent = browser
            .post(form.url().clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await?;
        let back = sent
            .headers()
            .get("location")
            .context("the answer has no Location to return to")?
            .to_str()?;
        let (_, query) = back.split_once('?').context("nothing was brought back")?;
        self.variables.insert("BROUGHT_BACK".to_owned(), query.to_owned());
        Ok(())
    }

    fn let_the_authenticator_sign(&mut self, operation: &str, begun: &Value) -> anyhow::Result<()> {
        let origin = Url::parse(PUBLIC_URL)?;
        let mut options = begun["options"].clone();
        let credential = if operation == "begin_registration" {
            self.user_handle = options["publicKey"]["user"]["id"].clone();
            let answer = self
                .authenticator
                .do_registration(origin, serde_json::from_value(options)?);
            serde_json::to_value(answer.map_err(|error| anyhow::anyhow!("{error:?}"))?)?
        } else {
            // The software authenticator keeps no list of its keys, so the test has to tell it which passkey to use.
            // Its answer does not say whose passkey that is, so the test adds the user's id (`userHandle`).
            options["publicKey"]["allowCredentials"] =
                json!([{ "type": "public-key", "id": self.variables["PASSKEY"] }]);
            let answer = self
                .authenticator
                .do_authentication(origin, serde_json::from_value(options)?);
            let mut answer = serde_json::to_value(answer.map_err(|error| anyhow::anyhow!("{error:?}"))?)?;
            answer["response"]["userHandle"] = self.user_handle.clone();
            answer
        };
        self.variables.insert("CREDENTIAL".to_owned(), credential.to_string());
        Ok(())
    }
}

/// Puts a script named `curl` in front of the real curl in `PATH`. The script also writes the headers of the answer
/// into a file.
fn note_headers_of_curl(folder: &Path) -> anyhow::Result<()> {
    let found = Command::new("sh").args(["-c", "command -v curl"]).output()?;
    let curl = PathBuf::from(String::from_utf8(found.stdout)?.trim());
    ensure!(
        curl.is_absolute(),
        "curl is needed to play the guide, and is not installed"
    );
    let script = folder.join("curl");
    let text = format!(
        "#!/bin/sh\nexec {} --dump-header {}/headers \"$@\"\n",
        curl.display(),
        folder.display()
    );
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}
