//! How the world answers the questions of the ceremonies. It notes each law that one of them breaks.

use ticketing_domain::sign_in::{CeremonyAnswer, CeremonyQuestion, CredentialRefused, NewUser, NotAdded};
use ticketing_ports::outside::mailer::Mail;
use ticketing_ports::people::challenges::{CeremonyKind, Challenge};
use ticketing_ports::people::identities::Identity;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::relying_party::{BegunCeremony, ClaimedCredential, NewCredential, UsedCredential};
use ticketing_ports::people::sessions::Session;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::IdSource as _;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};

use crate::running::May;
use crate::world::World;

impl World {
    /// Answers one question, and notes in `may` what the ceremony may do after the answer.
    pub(crate) fn answer(&mut self, question: CeremonyQuestion, may: &mut May) -> CeremonyAnswer {
        match question {
            CeremonyQuestion::CountMail(_) => CeremonyAnswer::Yes,
            CeremonyQuestion::CountLiveLinks(email) => CeremonyAnswer::Count(self.live_links(&email)),
            CeremonyQuestion::PutToken(token) => {
                self.tokens.insert(token.digest, token);
                CeremonyAnswer::Done
            }
            CeremonyQuestion::TakeToken { purpose, digest } => {
                CeremonyAnswer::Token(self.take_token(purpose, digest, may))
            }
            CeremonyQuestion::SendLink { mail, .. } => {
                self.deliver(&mail);
                CeremonyAnswer::Done
            }
            CeremonyQuestion::PutChallenge(challenge) => {
                self.challenges.insert(challenge.digest, challenge);
                CeremonyAnswer::Done
            }
            CeremonyQuestion::TakeChallenge { ceremony, digest } => {
                CeremonyAnswer::Challenge(self.take_challenge(ceremony, digest, may))
            }
            CeremonyQuestion::FindUser(id) => CeremonyAnswer::User(self.user(id)),
            CeremonyQuestion::FindUserByAddress(email) => {
                let found = self.users.iter().find(|user| user.email == email).cloned();
                let customer = found.iter().filter(|user| user.role == Role::Customer);
                may.customers.extend(customer.map(|user| user.id));
                CeremonyAnswer::User(found)
            }
            CeremonyQuestion::CreateUser(new) => self.create_user(&new, may),
            CeremonyQuestion::FindSession(digest) => {
                let found = self.sessions.iter().find(|session| session.digest == digest).cloned();
                let live = found.as_ref().filter(|one| one.is_live(self.now));
                may.own_session = live.map(|one| one.user_id);
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
            CeremonyQuestion::LinkIdentity(identity) => self.link_identity(identity, may),
            about_passkeys => self.answer_about_passkeys(about_passkeys, may),
        }
    }

    fn answer_about_passkeys(&mut self, question: CeremonyQuestion, may: &mut May) -> CeremonyAnswer {
        match question {
            CeremonyQuestion::BeginRegistration { .. } => CeremonyAnswer::Begun(self.begun("register")),
            CeremonyQuestion::BeginLogin => CeremonyAnswer::Begun(self.begun("login")),
            CeremonyQuestion::FinishRegistration { state, answer } => {
                CeremonyAnswer::Registered(register(&state, &answer))
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
                let used = log_in(&state, &answer, &passkey);
                if used.is_ok() && may.claimed == Some(passkey.user_id) {
                    may.entered.insert(passkey.user_id);
                }
                CeremonyAnswer::Used(used)
            }
            CeremonyQuestion::PasskeysOf(user) => {
                let own = self.passkeys.iter().filter(|passkey| passkey.user_id == user);
                CeremonyAnswer::Passkeys(own.cloned().collect())
            }
            CeremonyQuestion::FindPasskey(id) => {
                let found = self.passkeys.iter().find(|passkey| passkey.credential_id == id);
                CeremonyAnswer::Passkey(found.cloned())
            }
            CeremonyQuestion::AddPasskey { passkey, most } => {
                CeremonyAnswer::Added(self.add_passkey(passkey, most, may))
            }
            CeremonyQuestion::UpdatePasskey { passkey, seen_counter } => {
                let same =
                    |one: &&mut Passkey| one.credential_id == passkey.credential_id && one.counter == seen_counter;
                let current = self.passkeys.iter_mut().find(same);
                yes_or_no(current.map(|current| *current = passkey).is_some())
            }
            other => panic!("{other:?} is not about passkeys"),
        }
    }

    fn live_links(&self, email: &EmailAddress) -> u64 {
        let live = |token: &&OneTimeToken| token.subject == email.as_str() && self.now < token.expires_at;
        self.tokens.values().filter(live).count() as u64
    }

    fn take_token(&mut self, purpose: TokenPurpose, digest: SecretDigest, may: &mut May) -> Option<OneTimeToken> {
        let fits = |token: &&OneTimeToken| token.purpose == purpose;
        let token = self.tokens.get(&digest).filter(fits).cloned()?;
        self.tokens.remove(&digest);
        may.opened_by = Some(digest);
        may.proven.extend(EmailAddress::parse(&token.subject).ok());
        Some(token)
    }

    fn deliver(&mut self, mail: &Mail) {
        let (_, rest) = mail.text.split_once("#token=").expect("a mail contains a sign-in link");
        let token = rest.split_whitespace().next().and_then(Secret::parse);
        self.links.extend(token);
    }

    fn take_challenge(&mut self, ceremony: CeremonyKind, digest: SecretDigest, may: &mut May) -> Option<Challenge> {
        let fits = |challenge: &&Challenge| challenge.ceremony == ceremony;
        let challenge = self.challenges.get(&digest).filter(fits).cloned()?;
        self.challenges.remove(&digest);
        may.opened_by = Some(digest);
        Some(challenge)
    }

    fn create_user(&mut self, new: &NewUser, may: &mut May) -> CeremonyAnswer {
        let user = new.user();
        if !may.proven.contains(&user.email) {
            self.broken
                .push("a user was made for an address that nobody had proven".to_owned());
        }
        if user.role != Role::Customer {
            self.broken.push("a sign-in made more than a customer".to_owned());
        }
        if self.users.iter().any(|other| other.email == user.email) {
            return CeremonyAnswer::User(None);
        }
        may.customers.insert(user.id);
        self.users.push(user.clone());
        CeremonyAnswer::User(Some(user))
    }

    fn link_identity(&mut self, identity: Identity, may: &May) -> CeremonyAnswer {
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

    fn add_passkey(&mut self, passkey: Passkey, most: usize, may: &May) -> Result<(), NotAdded> {
        if !may.entered.contains(&passkey.user_id) {
            self.broken
                .push("a passkey was made for somebody else's account".to_owned());
        }
        self.watch_secret(may);
        let mut others = self.passkeys.iter();
        if others.any(|other| other.credential_id == passkey.credential_id) {
            return Err(NotAdded::Taken);
        }
        let own = self.passkeys.iter().filter(|other| other.user_id == passkey.user_id);
        if own.count() >= most {
            return Err(NotAdded::TooMany);
        }
        self.passkeys.push(passkey);
        Ok(())
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

fn yes_or_no(yes: bool) -> CeremonyAnswer {
    if yes { CeremonyAnswer::Yes } else { CeremonyAnswer::No }
}

/// Makes a credential, if the authenticator answered the challenge.
fn register(challenge: &[u8], answer: &str) -> Result<NewCredential, CredentialRefused> {
    let (credential, _, options) = parts(answer);
    if options.as_bytes() != challenge {
        return Err(CredentialRefused::Refused);
    }
    Ok(NewCredential {
        credential_id: credential.into(),
        credential: Vec::new(),
        counter: 0,
    })
}

/// Uses a passkey, if the authenticator answered the challenge.
fn log_in(challenge: &[u8], answer: &str, passkey: &Passkey) -> Result<UsedCredential, CredentialRefused> {
    let (_, _, options) = parts(answer);
    if options.as_bytes() != challenge {
        return Err(CredentialRefused::Refused);
    }
    Ok(UsedCredential {
        credential: passkey.credential.clone(),
        counter: passkey.counter + 1,
    })
}
