//! A link by mail proves an address.

use ticketing_ports::Timestamp;
use ticketing_ports::outside::mailer::Mail;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};
use uuid::Uuid;

use super::account::{ProvenAddress, Settle, Settled};
use super::limits::{LIVE_MAGIC_LINKS, MAGIC_LINK_LIFETIME};
use super::local_path::LocalPath;
use super::session::{Visitor, new_session};
use super::{Answer, Ask, Ceremony, Context, Next, Refusal, SignedIn};

/// The page that a mailed link opens.
pub fn verify_page(public_url: &str) -> String {
    format!(
        "{}{}",
        public_url.trim_end_matches('/'),
        LocalPath::verify_page().as_str()
    )
}

/// A link to put into a mail, and what is stored of it. The token is in the fragment, which browsers send to no server.
pub fn magic_link(email: &EmailAddress, public_url: &str, context: &Context<'_>) -> (String, OneTimeToken) {
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

/// Mails a link, unless the address has had enough of them. Its outcome is the same either way, and for everybody.
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
    pub fn begin(email: EmailAddress, public_url: &str) -> Next<Self> {
        let ask = Ask::CountLiveLinks(email.clone());
        let public_url = public_url.to_owned();
        let step = Sending::CountingLive;
        Next::Ask(
            ask,
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

    fn on(self, answer: Answer, context: &Context<'_>) -> Next<Self> {
        let next = |ask, step, this: Self| Next::Ask(ask, Self { step, ..this });
        match (&self.step, answer) {
            (Sending::CountingLive, Answer::Count(live)) if live >= LIVE_MAGIC_LINKS => Next::Done(()),
            (Sending::CountingLive, Answer::Count(_)) => {
                next(Ask::CountMail(self.email.clone()), Sending::CountingMails, self)
            }
            (Sending::CountingMails, Answer::No) => Next::Done(()),
            (Sending::CountingMails, Answer::Yes) => {
                let (url, token) = magic_link(&self.email, &self.public_url, context);
                let mail = mail(context.ids.uuid(), self.email.clone(), &url);
                let link = token.digest;
                next(Ask::PutToken(token), Sending::Putting { mail, link }, self)
            }
            (Sending::Putting { mail, link }, Answer::Done) => {
                let (mail, link) = (mail.clone(), *link);
                next(Ask::SendLink { mail, link }, Sending::Mailing, self)
            }
            (Sending::Mailing, Answer::Done) => Next::Done(()),
            _ => Next::Refused(Refusal::OutOfStep),
        }
    }
}

/// Trades the token of a link, once, for a session of the user of its address, who is created when there is none.
#[derive(Debug)]
pub struct RedeemMagicLink {
    from: Visitor,
    step: Redeeming,
}

#[derive(Debug)]
enum Redeeming {
    Taking,
    Settling(Settle),
    Beginning(SignedIn),
}

impl RedeemMagicLink {
    pub fn begin(token: &Secret, from: Visitor) -> Next<Self> {
        let ask = Ask::TakeToken {
            purpose: TokenPurpose::MagicLink,
            digest: token.digest(),
        };
        let step = Redeeming::Taking;
        Next::Ask(ask, Self { from, step })
    }
}

impl Ceremony for RedeemMagicLink {
    type Outcome = SignedIn;

    fn on(self, answer: Answer, context: &Context<'_>) -> Next<Self> {
        let Self { from, step } = self;
        let begin_session = |user, from| {
            let signed_in = new_session(user, SignInMethod::MagicLink, Visitor::clone(&from), context);
            let ask = Ask::CreateSession(signed_in.session.clone());
            let step = Redeeming::Beginning(signed_in);
            Next::Ask(ask, Self { from, step })
        };
        match (step, answer) {
            (Redeeming::Taking, Answer::Token(taken)) => {
                let live = taken.filter(|token| context.now < token.expires_at);
                let Some(address) = live.as_ref().and_then(ProvenAddress::by_mailed_link) else {
                    return Next::Refused(Refusal::InvalidToken);
                };
                let (ask, settle) = Settle::begin(address);
                let step = Redeeming::Settling(settle);
                Next::Ask(ask, Self { from, step })
            }
            (Redeeming::Settling(settle), answer) => match settle.on(answer, context) {
                Settled::Ask(ask, settle) => {
                    let step = Redeeming::Settling(settle);
                    Next::Ask(ask, Self { from, step })
                }
                Settled::Existing(user) | Settled::Created(user) => begin_session(user, from),
                Settled::Refused(refusal) => Next::Refused(refusal),
            },
            (Redeeming::Beginning(signed_in), Answer::Done) => Next::Done(signed_in),
            _ => Next::Refused(Refusal::OutOfStep),
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
        // A public URL and a base64url token: nothing in it has a meaning in HTML.
        html: Some(format!(
            "<!doctype html><html lang=\"en\"><body style=\"font:16px/1.5 sans-serif\"><p>Press to sign in:</p>\
             <p><a href=\"{link}\" style=\"background:#3b3bb3;border-radius:6px;color:#fff;display:inline-block;\
             padding:10px 22px;text-decoration:none\">Sign in</a></p><p>It works once, for {minutes} minutes. If you \
             did not ask for it, ignore this mail.</p></body></html>\n"
        )),
    }
}
