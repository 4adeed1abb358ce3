//! Sends mail over SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use thiserror::Error;
use ticketing_ports::outside::mailer::{Mail, MailError, Mailer};
use ticketing_ports::vocabulary::errors::BoxError;
use url::Url;

/// How long the mail server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Hands mail to a mail server, over a few connections that are kept open.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The URL of the mail server. `smtps://` uses TLS from the first byte (port 465 if none is given). `smtp://` uses
    /// STARTTLS and sends no mail without it (587). `smtp://…?tls=none` uses no encryption, for a server that only this
    /// machine can reach (25). A user and a password may stand before the host, percent-encoded.
    pub url: String,
    /// The sender, such as `Box office <tickets@example.com>`.
    pub from: String,
    /// A certificate in PEM that this server trusts in addition to the certificates of the machine. `None` adds none.
    pub root_certificate: Option<String>,
}

/// Why the mail settings cannot be used. The messages never repeat a value, because it may contain a password.
#[derive(Debug, Error)]
pub enum InvalidSmtpSettings {
    #[error(
        "the URL of the mail server must look like smtps://USER:PASSWORD@HOST:PORT, smtp://… for STARTTLS, \
         or smtp://…?tls=none without encryption"
    )]
    Url,
    #[error("the sender must be an address such as tickets@example.com or Box office <tickets@example.com>")]
    From,
    #[error("the certificate for the mail server is not in PEM")]
    Certificate,
    #[error("TLS to the mail server cannot be set up")]
    Tls(#[source] BoxError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    Implicit,
    StartTls,
    None,
}

impl SmtpMailer {
    /// Checks that a text can be the URL of a mail server.
    ///
    /// # Errors
    /// When the text cannot be one.
    pub fn check_url(url: &str) -> Result<(), InvalidSmtpSettings> {
        server(url).map(drop)
    }

    /// Checks that a text can be the sender of a mail.
    ///
    /// # Errors
    /// When the text cannot be one.
    pub fn check_sender(from: &str) -> Result<(), InvalidSmtpSettings> {
        let from: Result<Mailbox, _> = from.parse();
        from.map(drop).map_err(|_| InvalidSmtpSettings::From)
    }

    /// Makes a mailer from its settings, without connecting to the mail server.
    ///
    /// # Errors
    /// See [`InvalidSmtpSettings`].
    pub fn new(settings: &SmtpSettings) -> Result<Self, InvalidSmtpSettings> {
        let from = settings.from.parse().map_err(|_| InvalidSmtpSettings::From)?;
        let (url, encryption) = server(&settings.url)?;
        let host = url.host_str().ok_or(InvalidSmtpSettings::Url)?;
        let tls = || tls_parameters(host, settings.root_certificate.as_deref());
        let (tls, usual_port) = match encryption {
            Encryption::Implicit => (Tls::Wrapper(tls()?), 465),
            Encryption::StartTls => (Tls::Required(tls()?), 587),
            Encryption::None => (Tls::None, 25),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(url.port().unwrap_or(usual_port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        if !url.username().is_empty() {
            let text = |part: &str| {
                let decoded = percent_encoding::percent_decode_str(part).decode_utf8();
                decoded.map(String::from).map_err(|_| InvalidSmtpSettings::Url)
            };
            let credentials = Credentials::new(text(url.username())?, text(url.password().unwrap_or_default())?);
            transport = transport.credentials(credentials);
        }
        Ok(Self {
            transport: transport.build(),
            from,
        })
    }
}

fn server(url: &str) -> Result<(Url, Encryption), InvalidSmtpSettings> {
    let url = Url::parse(url).map_err(|_| InvalidSmtpSettings::Url)?;
    let encryption = encryption(&url).ok_or(InvalidSmtpSettings::Url)?;
    // A host name without a dot is probably a typing error, so it is refused unless a port follows it, as in the name
    // of a container.
    let is_named = |host: &str| host == "localhost" || host.contains(['.', ':']) || url.port().is_some();
    if url.host_str().is_some_and(is_named) {
        Ok((url, encryption))
    } else {
        Err(InvalidSmtpSettings::Url)
    }
}

fn encryption(url: &Url) -> Option<Encryption> {
    let plain_path = ["", "/"].contains(&url.path()) && url.fragment().is_none();
    match (url.scheme(), url.query()) {
        ("smtps", None) if plain_path => Some(Encryption::Implicit),
        ("smtp", None) if plain_path => Some(Encryption::StartTls),
        ("smtp", Some("tls=none")) if plain_path => Some(Encryption::None),
        _ => None,
    }
}

fn tls_parameters(host: &str, root_certificate: Option<&str>) -> Result<TlsParameters, InvalidSmtpSettings> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(pem) = root_certificate {
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|_| InvalidSmtpSettings::Certificate)?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters
        .build_rustls()
        .map_err(|error| InvalidSmtpSettings::Tls(error.into()))
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let message = message(&self.from, mail)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }
}

fn message(from: &Mailbox, mail: Mail) -> Result<Message, MailError> {
    let refused = || MailError::Refused("no mail message can be built from this mail".into());
    let to = mail.to.as_str().parse().map_err(|_| refused())?;
    let id = format!("<{}@{}>", mail.id, from.email.domain());
    let message = Message::builder()
        .message_id(Some(id))
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(mail.subject);
    let message = match mail.html {
        Some(html) => message.multipart(MultiPart::alternative_plain_html(mail.text, html)),
        None => message.body(mail.text),
    };
    message.map_err(|_| refused())
}

/// Describes an error by the status code alone, because the texts of mail servers often repeat the mail address.
fn failure(error: &lettre::transport::smtp::Error) -> MailError {
    let told: BoxError = match error.status() {
        Some(code) => format!("the mail server answered {code}").into(),
        None if error.is_timeout() => "the mail server did not answer in time".into(),
        None if error.is_tls() => "no trusted TLS connection to the mail server could be made".into(),
        None => "the mail server cannot be reached or does not speak SMTP".into(),
    };
    if error.is_permanent() {
        MailError::Refused(told)
    } else {
        MailError::Unavailable(told)
    }
}

impl std::fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmtpMailer")
    }
}
