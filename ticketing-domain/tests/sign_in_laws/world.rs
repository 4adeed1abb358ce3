//! A world in memory that answers every question of the ceremonies and notes each law that one of them breaks.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use ticketing_domain::sign_in::{
    BeginOauth, BeginPasskeyLogin, BeginPasskeyRegistration, BegunPasskey, CeremonyAnswer, CeremonyContext,
    CeremonyQuestion, CompletePasskeyLogin, CompletePasskeyRegistration, CredentialRefused, ExchangeSignInCode,
    FinishOauth, FinishedOauth, Handover, LocalPath, NotAdded, OauthAnswer, OauthCallback, RedeemMagicLink,
    SendMagicLink, Visitor,
};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::identity_providers::{ClaimedAddress, Claims};
use ticketing_ports::people::challenges::Challenge;
use ticketing_ports::people::identities::Identity;
use ticketing_ports::people::one_time_tokens::OneTimeToken;
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::relying_party::{BegunCeremony, ClaimedCredential, NewCredential, UsedCredential};
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::{IdSource, UserId};
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};
use uuid::Uuid;

use crate::acts::Act;
use crate::running::{May, Outcome, Running, Source, Stepped, stepped};

/// Stores, mailboxes, a provider and authenticators in memory. `broken` lists what a ceremony did against the laws.
pub(crate) struct World {
    pub(crate) source: Source,
    pub(crate) now: Timestamp,
    pub(crate) tokens: BTreeMap<SecretDigest, OneTimeToken>,
    pub(crate) challenges: BTreeMap<SecretDigest, Challenge>,
    pub(crate) users: Vec<User>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) passkeys: Vec<Passkey>,
    pub(crate) running: Vec<Running>,
    /// The secrets in the links that people have been mailed. The fields from here to `logins` are what the people
    /// know, as opposed to what the server stores.
    pub(crate) links: Vec<Secret>,
    pub(crate) codes: Vec<(Secret, Secret)>,
    pub(crate) trips: Vec<(Secret, Secret)>,
    pub(crate) registrations: Vec<BegunPasskey>,
    pub(crate) logins: Vec<BegunPasskey>,
    pub(crate) claims: BTreeMap<String, Claims>,
    pub(crate) opened: BTreeSet<SecretDigest>,
    pub(crate) broken: Vec<String>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            source: Source::default(),
            now: DateTime::from_timestamp(1_800_000_000, 0).expect("the number of seconds is within range"),
            tokens: BTreeMap::new(),
            challenges: BTreeMap::new(),
            // An administrator, as the operator's command makes one. In these runs the provider may vouch, wrongly,
            // that this address belongs to somebody else.
            users: vec![User {
                id: UserId::new(Uuid::from_u128(u128::MAX)),
                email: address(2),
                role: Role::Admin,
                created_at: DateTime::UNIX_EPOCH,
            }],
            sessions: Vec::new(),
            identities: Vec::new(),
            passkeys: Vec::new(),
            running: Vec::new(),
            links: Vec::new(),
            codes: Vec::new(),
            trips: Vec::new(),
            registrations: Vec::new(),
            logins: Vec::new(),
            claims: BTreeMap::new(),
            opened: BTreeSet::new(),
            broken: Vec::new(),
        }
    }
}

fn pick<T: Clone>(among: &[T], number: usize) -> Option<T> {
    // Number 0 picks the newest item. The numbers become small when proptest shrinks a failing run, and they then
    // pick what was made last.
    among.iter().rev().nth(number).cloned()
}

fn address(number: usize) -> EmailAddress {
    EmailAddress::parse(&format!("person{number}@example.com")).expect("the made-up address is a valid email address")
}

macro_rules! context {
    ($world:expr) => {
        &CeremonyContext {
            now: $world.now,
            ids: &$world.source,
            entropy: &$world.source,
        }
    };
}

impl World {
    /// Makes a world in which one person, Ada, has signed in by mail. The only other user is the administrator, and
    /// the only session is Ada's.
    pub(crate) fn with_ada() -> Self {
        let mut world = Self::default();
        world.all(Act::AskForALink { address: 0 });
        world.all(Act::FollowALink { link: 0 });
        world
    }

    /// Does one act, lets every ceremony run to its end, and checks that no law was broken.
    pub(crate) fn all(&mut self, act: Act) {
        self.act(act);
        self.act(Act::Finish);
        assert!(self.broken.is_empty(), "{:?}", self.broken);
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "each act is done once and not needed afterwards"
    )]
    pub(crate) fn act(&mut self, act: Act) {
        match act {
            Act::AskForALink { address: number } => {
                let begun = SendMagicLink::begin(address(number), "https://tickets.example");
                self.go_on(stepped(begun, |()| Outcome::Nothing), May::default());
            }
            Act::FollowALink { link } => {
                if let Some(token) = pick(&self.links, link) {
                    let begun = RedeemMagicLink::begin(&token, Visitor::default());
                    self.go_on(stepped(begun, |_| Outcome::SignedIn), May::default());
                }
            }
            Act::GoToAProvider { session } => {
                let session = session.and_then(|session| pick(&self.sessions, session));
                let next = LocalPath::verify_page();
                let begun = BeginOauth::begin("oidc", None, &next, session.as_ref(), context!(self));
                self.go_on(stepped(begun, Outcome::Away), May::default());
            }
            Act::ComeBack {
                trip,
                subject,
                address: number,
                vouched,
                api,
                other_browser,
            } => self.come_back(trip, subject, address(number), vouched, api, other_browser),
            Act::TradeACode { code, other_browser } => {
                if let Some((code, browser)) = pick(&self.codes, code) {
                    let browser = if other_browser {
                        Secret::generate(&self.source)
                    } else {
                        browser
                    };
                    let begun = ExchangeSignInCode::begin(&code, browser.digest(), Visitor::default());
                    let may = May {
                        entered: self
                            .users
                            .iter()
                            .map(|user| user.id)
                            .filter(|_| !other_browser)
                            .collect(),
                        ..May::default()
                    };
                    self.go_on(stepped(begun, |_| Outcome::SignedIn), may);
                }
            }
            Act::BeginAPasskey { session } => {
                let session = pick(&self.sessions, session);
                let user = session.as_ref().and_then(|session| self.user(session.user_id));
                if let Some((session, user)) = session.zip(user) {
                    let begun = BeginPasskeyRegistration::begin(user, &session, context!(self));
                    self.go_on(stepped(begun, Outcome::Challenge), May::default());
                }
            }
            Act::FinishAPasskey {
                begun,
                session,
                credential,
            } => {
                if let Some((begun, session)) = pick(&self.registrations, begun).zip(pick(&self.sessions, session)) {
                    let answer = format!("{credential}||{}", begun.options);
                    let name = Label::new("Key").expect("a short plain word is a valid label");
                    let next = CompletePasskeyRegistration::begin(session.user_id, &begun.challenge_id, name, answer);
                    let may = May {
                        entered: [session.user_id].into(),
                        ..May::default()
                    };
                    self.go_on(stepped(next, |_| Outcome::Nothing), may);
                }
            }
            Act::BeginALogin => {
                self.go_on(stepped(BeginPasskeyLogin::begin(), Outcome::Challenge), May::default());
            }
            Act::FinishALogin {
                begun,
                credential,
                handle,
            } => {
                if let Some(begun) = pick(&self.logins, begun) {
                    let handle = handle.and_then(|user| pick(&self.users, user)).map(|user| user.id);
                    let handle = handle.map_or_else(String::new, |id| id.to_string());
                    let answer = format!("{credential}|{handle}|{}", begun.options);
                    let next = CompletePasskeyLogin::begin(&begun.challenge_id, answer, Visitor::default());
                    self.go_on(stepped(next, |_| Outcome::SignedIn), May::default());
                }
            }
            Act::Answer { ceremony } => {
                if ceremony < self.running.len() {
                    let mut running = self.running.remove(ceremony);
                    let answer = self.answer(running.question, &mut running.may);
                    let next = running.ceremony.on(answer, context!(self));
                    self.go_on(next, running.may);
                }
            }
            Act::Finish => {
                while !self.running.is_empty() {
                    self.act(Act::Answer { ceremony: 0 });
                }
            }
            Act::SignOut { user } => {
                if let Some(id) = self.users.get(user).map(|user| user.id) {
                    self.sessions.retain(|session| session.user_id != id);
                }
            }
            Act::Die { ceremony } => {
                if ceremony < self.running.len() {
                    self.running.remove(ceremony);
                }
            }
            Act::Promote { user } => {
                if let Some(user) = self.users.get_mut(user) {
                    user.role = Role::Admin;
                    let id = user.id;
                    // A change of a user's role ends the user's sessions.
                    self.sessions.retain(|session| session.user_id != id);
                }
            }
            Act::Wait { minutes } => self.now += TimeDelta::minutes(minutes),
        }
    }

    fn come_back(
        &mut self,
        trip: usize,
        subject: u8,
        address: EmailAddress,
        vouched_for: bool,
        api: bool,
        other_browser: bool,
    ) {
        let Some((state, browser)) = pick(&self.trips, trip) else {
            return;
        };
        let code = self.source.uuid().to_string();
        let claims = Claims {
            issuer: "https://login.example".to_owned(),
            subject: subject.to_string(),
            address: Some(ClaimedAddress { address, vouched_for }),
        };
        self.claims.insert(code.clone(), claims);
        let browser = if other_browser {
            Secret::generate(&self.source)
        } else {
            browser
        };
        let begun = FinishOauth::begin(OauthCallback {
            provider: "oidc".to_owned(),
            state,
            browser: Some(browser.clone()),
            answer: OauthAnswer::Code { code, issuer: None },
            handover: if api { Handover::Session } else { Handover::Code },
            from: Visitor::default(),
        });
        let may = May {
            browser: Some(browser),
            ..May::default()
        };
        self.go_on(stepped(begun, Outcome::Back), may);
    }

    fn go_on(&mut self, next: Stepped, may: May) {
        match next {
            Stepped::Ask(question, ceremony) => self.running.push(Running {
                question,
                ceremony,
                may,
            }),
            Stepped::Refused => {}
            Stepped::Done(outcome) => self.done(outcome, may.browser),
        }
    }

    fn done(&mut self, outcome: Outcome, browser: Option<Secret>) {
        match outcome {
            Outcome::Away(begun) => {
                let state = Secret::parse(&begun.url).expect("in this world the provider's URL is the OAuth state");
                self.trips.push((state, begun.browser));
            }
            Outcome::Back(FinishedOauth::Code { code, .. }) => {
                self.codes.extend(browser.map(|browser| (code, browser)));
            }
            Outcome::Challenge(begun) if begun.options.starts_with("register") => self.registrations.push(begun),
            Outcome::Challenge(begun) => self.logins.push(begun),
            Outcome::Nothing | Outcome::SignedIn | Outcome::Back(_) => {}
        }
    }

    fn user(&self, id: UserId) -> Option<User> {
        self.users.iter().find(|user| user.id == id).cloned()
    }

    fn answer(&mut self, question: CeremonyQuestion, may: &mut May) -> CeremonyAnswer {
        let yes_or_no = |yes| if yes { CeremonyAnswer::Yes } else { CeremonyAnswer::No };
        match question {
            CeremonyQuestion::CountMail(_) => CeremonyAnswer::Yes,
            CeremonyQuestion::CountLiveLinks(email) => {
                let live = |token: &&OneTimeToken| token.subject == email.as_str() && self.now < token.expires_at;
                CeremonyAnswer::Count(self.tokens.values().filter(live).count() as u64)
            }
            CeremonyQuestion::PutToken(token) => {
                self.tokens.insert(token.digest, token);
                CeremonyAnswer::Done
            }
            CeremonyQuestion::TakeToken { purpose, digest } => {
                let taken = self
                    .tokens
                    .get(&digest)
                    .filter(|token| token.purpose == purpose)
                    .cloned();
                if let Some(token) = &taken {
                    self.tokens.remove(&digest);
                    may.opened_by = Some(digest);
                    may.proven.extend(EmailAddress::parse(&token.subject).ok());
                }
                CeremonyAnswer::Token(taken)
            }
            CeremonyQuestion::SendLink { mail, .. } => {
                let (_, rest) = mail.text.split_once("#token=").expect("a mail contains a sign-in link");
                let token = rest.split_whitespace().next().and_then(Secret::parse);
                self.links.extend(token);
                CeremonyAnswer::Done
            }
            CeremonyQuestion::PutChallenge(challenge) => {
                self.challenges.insert(challenge.digest, challenge);
                CeremonyAnswer::Done
            }
            CeremonyQuestion::TakeChallenge { ceremony, digest } => {
                let fits = |challenge: &&Challenge| challenge.ceremony == ceremony;
                let taken = self.challenges.get(&digest).filter(fits).cloned();
                if taken.is_some() {
                    self.challenges.remove(&digest);
                    may.opened_by = Some(digest);
                }
                CeremonyAnswer::Challenge(taken)
            }
            CeremonyQuestion::FindUser(id) => CeremonyAnswer::User(self.user(id)),
            CeremonyQuestion::FindUserByAddress(email) => {
                let found = self.users.iter().find(|user| user.email == email).cloned();
                let customer = found.iter().filter(|user| user.role == Role::Customer);
                may.customers.extend(customer.map(|user| user.id));
                CeremonyAnswer::User(found)
            }
            CeremonyQuestion::CreateUser(new) => {
                let user = new.user();
                if !may.proven.contains(&user.email) {
                    self.broken
                        .push("a user was made for an address that nobody had proven".to_owned());
                }
                if user.role != Role::Customer {
                    self.broken.push("a sign-in made more than a customer".to_owned());
                }
                let free = self.users.iter().all(|other| other.email != user.email);
                if free {
                    may.customers.insert(user.id);
                    self.users.push(user);
                }
                yes_or_no(free)
            }
            CeremonyQuestion::FindSession(digest) => {
                let found = self.sessions.iter().find(|session| session.digest == digest).cloned();
                may.own_session = found
                    .as_ref()
                    .filter(|one| one.is_live(self.now))
                    .map(|one| one.user_id);
                CeremonyAnswer::Session(found)
            }
            CeremonyQuestion::CreateSession(session) => {
                self.watch_session(&session, may);
                self.sessions.push(session);
                CeremonyAnswer::Done
            }
            CeremonyQuestion::AuthorizationUrl { request, .. } => CeremonyAnswer::Url(request.state.expose()),
            CeremonyQuestion::Claims { answer, .. } => {
                let claims = self.claims[&answer.code].clone();
                let vouched = claims.address.iter().filter(|claimed| claimed.vouched_for);
                may.proven.extend(vouched.map(|claimed| claimed.address.clone()));
                CeremonyAnswer::Claims(Ok(claims))
            }
            CeremonyQuestion::FindIdentity { issuer, subject } => {
                let same = |one: &&Identity| one.issuer == issuer && one.subject == subject;
                let found = self.identities.iter().find(same).cloned();
                may.entered.extend(found.iter().map(|identity| identity.user_id));
                CeremonyAnswer::Identity(found)
            }
            CeremonyQuestion::LinkIdentity(identity) => {
                self.watch_link(&identity, may);
                let same = |one: &&Identity| one.issuer == identity.issuer && one.subject == identity.subject;
                match self.identities.iter().find(same) {
                    Some(known) => yes_or_no(known.user_id == identity.user_id),
                    None => {
                        self.identities.push(identity);
                        CeremonyAnswer::Yes
                    }
                }
            }
            CeremonyQuestion::BeginRegistration { .. } => CeremonyAnswer::Begun(self.begun("register")),
            CeremonyQuestion::BeginLogin => CeremonyAnswer::Begun(self.begun("login")),
            CeremonyQuestion::FinishRegistration { state, answer } => {
                let (credential, _, options) = parts(&answer);
                CeremonyAnswer::Registered(if options.as_bytes() == state {
                    Ok(NewCredential {
                        credential_id: credential.into(),
                        credential: Vec::new(),
                        counter: 0,
                    })
                } else {
                    Err(CredentialRefused::Refused)
                })
            }
            CeremonyQuestion::Identify { answer } => {
                let (credential, handle, _) = parts(&answer);
                may.claimed = handle.parse().ok();
                CeremonyAnswer::Identified(Ok(ClaimedCredential {
                    credential_id: credential.into(),
                    user_handle: handle.parse().ok(),
                }))
            }
            CeremonyQuestion::FinishLogin { state, answer, passkey } => {
                let (_, _, options) = parts(&answer);
                if options.as_bytes() != state {
                    return CeremonyAnswer::Used(Err(CredentialRefused::Refused));
                }
                if may.claimed == Some(passkey.user_id) {
                    may.entered.insert(passkey.user_id);
                }
                CeremonyAnswer::Used(Ok(UsedCredential {
                    credential: passkey.credential,
                    counter: passkey.counter + 1,
                }))
            }
            CeremonyQuestion::PasskeysOf(user) => {
                let own = self.passkeys.iter().filter(|passkey| passkey.user_id == user);
                CeremonyAnswer::Passkeys(own.cloned().collect())
            }
            CeremonyQuestion::FindPasskey(id) => CeremonyAnswer::Passkey(
                self.passkeys
                    .iter()
                    .find(|passkey| passkey.credential_id == id)
                    .cloned(),
            ),
            CeremonyQuestion::AddPasskey { passkey, most } => {
                if !may.entered.contains(&passkey.user_id) {
                    self.broken
                        .push("a passkey was made for somebody else's account".to_owned());
                }
                self.watch_secret(may);
                let free = self
                    .passkeys
                    .iter()
                    .all(|other| other.credential_id != passkey.credential_id);
                let own = self.passkeys.iter().filter(|other| other.user_id == passkey.user_id);
                CeremonyAnswer::Added(if !free {
                    Err(NotAdded::Taken)
                } else if own.count() >= most {
                    Err(NotAdded::TooMany)
                } else {
                    self.passkeys.push(passkey);
                    Ok(())
                })
            }
            CeremonyQuestion::UpdatePasskey { passkey, seen_counter } => {
                let same =
                    |one: &&mut Passkey| one.credential_id == passkey.credential_id && one.counter == seen_counter;
                let current = self.passkeys.iter_mut().find(same);
                yes_or_no(current.map(|current| *current = passkey).is_some())
            }
        }
    }

    fn begun(&self, kind: &str) -> BegunCeremony {
        let options = format!("{kind} {}", self.source.uuid());
        BegunCeremony {
            state: options.clone().into_bytes(),
            options,
        }
    }

    /// Notes a broken law if the secret that opened a ceremony has opened something before.
    fn watch_secret(&mut self, may: &May) {
        match may.opened_by {
            None => self.broken.push("something was opened without a secret".to_owned()),
            Some(digest) => {
                if !self.opened.insert(digest) {
                    self.broken.push("a secret opened twice".to_owned());
                }
            }
        }
    }

    fn watch_session(&mut self, session: &Session, may: &May) {
        self.watch_secret(may);
        let address = self.user(session.user_id).map(|user| user.email);
        let proven = address.is_some_and(|address| may.proven.contains(&address));
        if !proven && !may.entered.contains(&session.user_id) {
            self.broken
                .push("a session began in an account that nobody had proven to be theirs".to_owned());
        }
    }

    fn watch_link(&mut self, identity: &Identity, may: &May) {
        if may.own_session == Some(identity.user_id) {
            return;
        }
        let Some(user) = self.user(identity.user_id) else {
            return;
        };
        if !may.proven.contains(&user.email) {
            self.broken
                .push("an identity was linked to an account whose address was not proven".to_owned());
        }
        // A user may be promoted between the moment when the ceremony found a customer and the moment when it linked
        // the provider. That breaks no law.
        if user.role != Role::Customer && !may.customers.contains(&user.id) {
            self.broken
                .push("an identity was linked into an account of more than a customer".to_owned());
        }
    }
}

/// Splits the answer of an authenticator of this world into its credential, user handle and challenge.
fn parts(answer: &str) -> (&str, &str, &str) {
    let mut parts = answer.splitn(3, '|');
    let mut part = || parts.next().unwrap_or_default();
    (part(), part(), part())
}
