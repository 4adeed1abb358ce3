//! A world in memory in which people sign in, and what they do there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use ticketing_domain::sign_in::{
    BeginOauth, BeginPasskeyLogin, BeginPasskeyRegistration, BegunPasskey, CeremonyContext, Client,
    CompletePasskeyLogin, CompletePasskeyRegistration, ExchangeSignInCode, FinishOauth, FinishedOauth, Handover,
    LocalPath, OauthAnswer, OauthCallback, RedeemMagicLink, SendMagicLink,
};
use ticketing_ports::Timestamp;
use ticketing_ports::outside::identity_providers::{ClaimedAddress, Claims};
use ticketing_ports::people::challenges::Challenge;
use ticketing_ports::people::identities::Identity;
use ticketing_ports::people::one_time_tokens::OneTimeToken;
use ticketing_ports::people::passkeys::Passkey;
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
            Act::FollowALink { link } => self.follow_a_link(link),
            Act::GoToAProvider { session } => self.go_to_a_provider(session),
            Act::ComeBack {
                trip,
                subject,
                address: number,
                vouched,
                api,
                other_browser,
            } => self.come_back(trip, subject, address(number), vouched, api, other_browser),
            Act::TradeACode { code, other_browser } => self.trade_a_code(code, other_browser),
            Act::BeginAPasskey { session } => self.begin_a_passkey(session),
            Act::FinishAPasskey {
                begun,
                session,
                credential,
            } => self.finish_a_passkey(begun, session, credential),
            Act::BeginALogin => {
                self.go_on(stepped(BeginPasskeyLogin::begin(), Outcome::Challenge), May::default());
            }
            Act::FinishALogin {
                begun,
                credential,
                handle,
            } => self.finish_a_login(begun, credential, handle),
            Act::Answer { ceremony } => self.answer_one(ceremony),
            Act::Finish => {
                while !self.running.is_empty() {
                    self.answer_one(0);
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
            Act::Promote { user } => self.promote(user),
            Act::Wait { minutes } => self.now += TimeDelta::minutes(minutes),
        }
    }

    fn follow_a_link(&mut self, link: usize) {
        if let Some(token) = pick(&self.links, link) {
            let begun = RedeemMagicLink::begin(&token, Client::default());
            self.go_on(stepped(begun, |_| Outcome::SignedIn), May::default());
        }
    }

    fn go_to_a_provider(&mut self, session: Option<usize>) {
        let session = session.and_then(|session| pick(&self.sessions, session));
        let next = LocalPath::verify_page();
        let begun = BeginOauth::begin("oidc", None, &next, session.as_ref(), context!(self));
        self.go_on(stepped(begun, Outcome::Away), May::default());
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
            from: Client::default(),
        });
        let may = May {
            browser: Some(browser),
            ..May::default()
        };
        self.go_on(stepped(begun, Outcome::Back), may);
    }

    fn trade_a_code(&mut self, code: usize, other_browser: bool) {
        let Some((code, browser)) = pick(&self.codes, code) else {
            return;
        };
        let browser = if other_browser {
            Secret::generate(&self.source)
        } else {
            browser
        };
        let begun = ExchangeSignInCode::begin(&code, browser.digest(), Client::default());
        let everybody = self.users.iter().map(|user| user.id);
        let may = May {
            entered: everybody.filter(|_| !other_browser).collect(),
            ..May::default()
        };
        self.go_on(stepped(begun, |_| Outcome::SignedIn), may);
    }

    fn begin_a_passkey(&mut self, session: usize) {
        let session = pick(&self.sessions, session);
        let user = session.as_ref().and_then(|session| self.user(session.user_id));
        if let Some((session, user)) = session.zip(user) {
            let begun = BeginPasskeyRegistration::begin(user, &session, context!(self));
            self.go_on(stepped(begun, Outcome::Challenge), May::default());
        }
    }

    fn finish_a_passkey(&mut self, begun: usize, session: usize, credential: u8) {
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

    fn finish_a_login(&mut self, begun: usize, credential: u8, handle: Option<usize>) {
        if let Some(begun) = pick(&self.logins, begun) {
            let handle = handle.and_then(|user| pick(&self.users, user)).map(|user| user.id);
            let handle = handle.map_or_else(String::new, |id| id.to_string());
            let answer = format!("{credential}|{handle}|{}", begun.options);
            let next = CompletePasskeyLogin::begin(&begun.challenge_id, answer, Client::default());
            self.go_on(stepped(next, |_| Outcome::SignedIn), May::default());
        }
    }

    /// Answers the question of one ceremony that runs.
    fn answer_one(&mut self, ceremony: usize) {
        if ceremony < self.running.len() {
            let mut running = self.running.remove(ceremony);
            let answer = self.answer(running.question, &mut running.may);
            let next = running.ceremony.on(answer, context!(self));
            self.go_on(next, running.may);
        }
    }

    fn promote(&mut self, user: usize) {
        if let Some(user) = self.users.get_mut(user) {
            user.role = Role::Admin;
            let id = user.id;
            // A change of a user's role ends the user's sessions.
            self.sessions.retain(|session| session.user_id != id);
        }
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

    pub(crate) fn user(&self, id: UserId) -> Option<User> {
        self.users.iter().find(|user| user.id == id).cloned()
    }
}
