//! Signing in by a mailed link, which proves that the person owns the address.

use ticketing_ports::Timestamp;
use ticketing_ports::outside::mailer::Mail;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};
use uuid::Uuid;

use super::account::{EnsureUser, EnsureUserNext};
use super::ceremony::{Ceremony, CeremonyContext, Next};
use super::limits::{LIVE_MAGIC_LINKS, MAGIC_LINK_LIFETIME};
use super::local_path::LocalPath;
use super::proven_address::ProvenAddress;
use super::question::{CeremonyAnswer, CeremonyQuestion};
use super::refusal::SignInRefusal;
use super::session::{Client, SignedIn, new_session};

/// Returns the URL of the page that a mailed link opens.
pub fn verify_page(public_url: &str) -> String {
    format!(
        "{}{}",
        public_url.trim_end_matches('/'),
        LocalPath::verify_page().as_str()
    )
}

/// Makes a sign-in link, and the token that is stored for it. The token's secret is in the fragment of the link, and
/// browsers send fragments to no server.
pub fn magic_link(email: &EmailAddress, public_url: &str, context: &CeremonyContext<'_>) -> (String, OneTimeToken) {
    let secret = context.secret();
    let link = format!("{}#token={}", verify_page(public_url), secret.expose());
    (link, stored(&secret, email, context.now))
}

fn stored(secret: &Secret, email: &EmailAddress, now: Timestamp) -> OneTimeToken {
    OneTimeToken {
        digest: secret.digest(),
        purpose: TokenPurpose::MagicLink,
        subject: email.as_str().to_owned(),
        payload: email.as_str().as_bytes().to_vec(),
        expires_at: now + MAGIC_LINK_LIFETIME,
    }
}

/// Mails a sign-in link, unless the address has had too many. The outcome is the same in every case, so that it tells
/// nothing about the address.
#[derive(Debug)]
pub struct SendMagicLink {
    email: EmailAddress,
    public_url: String,
    step: Sending,
}

#[derive(Debug)]
enum Sending {
    CountingLive,
    CountingMails,
    Putting { mail: Mail, link: SecretDigest },
    Mailing,
}

impl SendMagicLink {
    /// Begins to mail a sign-in link to an address. The URL in the mail begins with `public_url`.
    pub fn begin(email: EmailAddress, public_url: &str) -> Next<Self> {
        let question = CeremonyQuestion::CountLiveLinks(email.clone());
        let public_url = public_url.to_owned();
        let step = Sending::CountingLive;
        Next::Ask(
            question,
            Self {
                email,
                public_url,
                step,
            },
        )
    }
}

impl Ceremony for SendMagicLink {
    type Outcome = ();

    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        let next = |question, step, this: Self| Next::Ask(question, Self { step, ..this });
        match (&self.step, answer) {
            (Sending::CountingLive, CeremonyAnswer::Count(live)) if live >= LIVE_MAGIC_LINKS => Next::Done(()),
            (Sending::CountingLive, CeremonyAnswer::Count(_)) => next(
                CeremonyQuestion::CountMail(self.email.clone()),
                Sending::CountingMails,
                self,
            ),
            (Sending::CountingMails, CeremonyAnswer::No) => Next::Done(()),
            (Sending::CountingMails, CeremonyAnswer::Yes) => {
                let (url, token) = magic_link(&self.email, &self.public_url, context);
                let mail = mail(context.ids.uuid(), self.email.clone(), &url);
                let link = token.digest;
                next(CeremonyQuestion::PutToken(token), Sending::Putting { mail, link }, self)
            }
            (Sending::Putting { mail, link }, CeremonyAnswer::Done) => {
                let (mail, link) = (mail.clone(), *link);
                next(CeremonyQuestion::SendLink { mail, link }, Sending::Mailing, self)
            }
            (Sending::Mailing, CeremonyAnswer::Done) => Next::Done(()),
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

/// Trades the token of a link for a session of the user who has the link's address. If nobody has the address, a user
/// is made.
#[derive(Debug)]
pub struct RedeemMagicLink {
    from: Client,
    step: Redeeming,
}

#[derive(Debug)]
enum Redeeming {
    Taking,
    EnsuringUser(EnsureUser),
    Beginning(SignedIn),
}

impl RedeemMagicLink {
    /// Begins the sign-in with the secret from a mailed link.
    pub fn begin(token: &Secret, from: Client) -> Next<Self> {
        let question = CeremonyQuestion::TakeToken {
            purpose: TokenPurpose::MagicLink,
            digest: token.digest(),
        };
        let step = Redeeming::Taking;
        Next::Ask(question, Self { from, step })
    }
}

impl Ceremony for RedeemMagicLink {
    type Outcome = SignedIn;

    fn on(self, answer: CeremonyAnswer, context: &CeremonyContext<'_>) -> Next<Self> {
        let Self { from, step } = self;
        let begin_session = |user, from| {
            let signed_in = new_session(user, SignInMethod::MagicLink, Client::clone(&from), context);
            let question = CeremonyQuestion::CreateSession(signed_in.session.clone());
            let step = Redeeming::Beginning(signed_in);
            Next::Ask(question, Self { from, step })
        };
        match (step, answer) {
            (Redeeming::Taking, CeremonyAnswer::Token(taken)) => {
                let live = taken.filter(|token| context.now < token.expires_at);
                let Some(address) = live.as_ref().and_then(ProvenAddress::by_mailed_link) else {
                    return Next::Refused(SignInRefusal::InvalidToken);
                };
                let (question, ensure) = EnsureUser::begin(address);
                let step = Redeeming::EnsuringUser(ensure);
                Next::Ask(question, Self { from, step })
            }
            (Redeeming::EnsuringUser(ensure), answer) => match ensure.on(answer, context) {
                EnsureUserNext::Ask(question, ensure) => {
                    let step = Redeeming::EnsuringUser(ensure);
                    Next::Ask(question, Self { from, step })
                }
                EnsureUserNext::Existing(user) | EnsureUserNext::Created(user) => begin_session(user, from),
                EnsureUserNext::Refused(refusal) => Next::Refused(refusal),
            },
            (Redeeming::Beginning(signed_in), CeremonyAnswer::Done) => Next::Done(signed_in),
            _ => Next::Refused(SignInRefusal::OutOfStep),
        }
    }
}

fn mail(id: Uuid, to: EmailAddress, link: &str) -> Mail {
    let minutes = MAGIC_LINK_LIFETIME.num_minutes();
    Mail {
        id,
        to,
        subject: "Your sign-in link".to_owned(),
        text: format!(
            "Open this link to sign in:\n\n{link}\n\nIt works once, for {minutes} minutes. If you did not ask for it, \
             ignore this mail.\n"
        ),
        // The link needs no escaping: it consists of the public URL and a token in base64url.
        html: Some(format!(
            "<!doctype html><html lang=\"en\"><body style=\"font:16px/1.5 sans-serif\"><p>Press to sign in:</p>\
             <p><a href=\"{link}\" style=\"background:#3b3bb3;border-radius:6px;color:#fff;display:inline-block;\
             padding:10px 22px;text-decoration:none\">Sign in</a></p><p>It works once, for {minutes} minutes. If you \
             did not ask for it, ignore this mail.</p></body></html>\n"
        )),
    }
}
