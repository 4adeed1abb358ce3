//! What a ceremony asks of the world outside, and the answers, as plain data.

use ticketing_ports::outside::identity_providers::{AuthorizationAnswer, AuthorizationRequest, Claims};
use ticketing_ports::outside::mailer::Mail;
use ticketing_ports::people::challenges::{CeremonyKind, Challenge};
use ticketing_ports::people::identities::Identity;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, TokenPurpose};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::relying_party::{BegunCeremony, ClaimedCredential, NewCredential, UsedCredential};
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use super::account::NewUser;

/// One question of a ceremony, or one thing that it wants done. Each names the answer that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyQuestion {
    /// Counts a mail to the address against [`MAIL_QUOTA`](super::MAIL_QUOTA). [`CeremonyAnswer::Yes`] if the mail may go
    /// out, [`CeremonyAnswer::No`] if not.
    CountMail(EmailAddress),
    /// How many links of the address are live. [`CeremonyAnswer::Count`].
    CountLiveLinks(EmailAddress),
    /// Stores a token. [`CeremonyAnswer::Done`].
    PutToken(OneTimeToken),
    /// Takes a token out of its store. [`CeremonyAnswer::Token`].
    TakeToken {
        /// What the token has to be for.
        purpose: TokenPurpose,
        /// The digest of the token's secret.
        digest: SecretDigest,
    },
    /// Sends a mail in the background, and withdraws the link in it if the mail cannot be sent. [`CeremonyAnswer::Done`].
    SendLink {
        /// The mail.
        mail: Mail,
        /// The digest of the link's token.
        link: SecretDigest,
    },
    /// Stores a challenge. [`CeremonyAnswer::Done`].
    PutChallenge(Challenge),
    /// Takes a challenge out of its store. [`CeremonyAnswer::Challenge`].
    TakeChallenge {
        /// Which ceremony the challenge has to be of.
        ceremony: CeremonyKind,
        /// The digest of the challenge's secret.
        digest: SecretDigest,
    },
    /// Who has the id. [`CeremonyAnswer::User`].
    FindUser(UserId),
    /// Who has the address. [`CeremonyAnswer::User`].
    FindUserByAddress(EmailAddress),
    /// Stores a new user. [`CeremonyAnswer::Yes`], or [`CeremonyAnswer::No`] if the address has a user.
    CreateUser(NewUser),
    /// Which session has the digest. [`CeremonyAnswer::Session`].
    FindSession(SecretDigest),
    /// Stores a new session. [`CeremonyAnswer::Done`].
    CreateSession(Session),
    /// Where an identity provider wants browsers sent. [`CeremonyAnswer::Url`].
    AuthorizationUrl {
        /// The provider's name.
        provider: String,
        /// What the provider is to give back.
        request: AuthorizationRequest,
    },
    /// Trades a provider's code for what the provider says of the person. [`CeremonyAnswer::Claims`].
    Claims {
        /// The provider's name.
        provider: String,
        /// What the browser brought back from the provider.
        answer: AuthorizationAnswer,
    },
    /// Whose identity it is. [`CeremonyAnswer::Identity`].
    FindIdentity {
        /// The provider's issuer identifier.
        issuer: String,
        /// The person's id at the provider.
        subject: String,
    },
    /// Links an identity to a user. [`CeremonyAnswer::Yes`], or [`CeremonyAnswer::No`] if it is linked to another user.
    LinkIdentity(Identity),
    /// Makes a challenge for a new passkey. [`CeremonyAnswer::Begun`].
    BeginRegistration {
        /// Who gets the passkey.
        user: UserId,
        /// The name that the authenticator shows.
        email: EmailAddress,
        /// The passkeys of the user, which cannot be registered again.
        existing: Vec<Passkey>,
    },
    /// Checks the answer to a challenge for a new passkey. [`CeremonyAnswer::Registered`].
    FinishRegistration {
        /// What was kept of the challenge.
        state: Vec<u8>,
        /// The authenticator's answer, as JSON.
        answer: String,
    },
    /// Makes a challenge for any passkey. [`CeremonyAnswer::Begun`].
    BeginLogin,
    /// Which credential an authenticator's answer claims to come from. [`CeremonyAnswer::Identified`].
    Identify {
        /// The authenticator's answer, as JSON.
        answer: String,
    },
    /// Checks the answer to a challenge for any passkey. [`CeremonyAnswer::Used`].
    FinishLogin {
        /// What was kept of the challenge.
        state: Vec<u8>,
        /// The authenticator's answer, as JSON.
        answer: String,
        /// The passkey to check the answer against.
        passkey: Passkey,
    },
    /// Which passkeys a user has. [`CeremonyAnswer::Passkeys`].
    PasskeysOf(UserId),
    /// Which passkey has the credential id. [`CeremonyAnswer::Passkey`].
    FindPasskey(Vec<u8>),
    /// Stores a new passkey. [`CeremonyAnswer::Added`].
    AddPasskey {
        /// The passkey.
        passkey: Passkey,
        /// How many passkeys the user may have at most, with this one.
        most: usize,
    },
    /// Stores a passkey after its use. [`CeremonyAnswer::Yes`], or [`CeremonyAnswer::No`] if its stored counter is no longer
    /// the one that was seen.
    UpdatePasskey {
        /// The passkey as it is now.
        passkey: Passkey,
        /// The counter that was stored when the passkey was read.
        seen_counter: u32,
    },
}

/// The answer to a [`CeremonyQuestion`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyAnswer {
    /// It was done.
    Done,
    /// Yes.
    Yes,
    /// No.
    No,
    /// So many.
    Count(u64),
    /// The token; `None` if it is unknown, used or expired.
    Token(Option<OneTimeToken>),
    /// The challenge; `None` if it is unknown, used or expired.
    Challenge(Option<Challenge>),
    /// The user; `None` if there is none.
    User(Option<User>),
    /// The session; `None` if there is none.
    Session(Option<Session>),
    /// The URL.
    Url(String),
    /// What the provider says of the person, or that the browser's answer proves nothing. A provider that cannot be reached
    /// gives no answer at all.
    Claims(Result<Claims, ProofRefused>),
    /// The identity; `None` if it is linked to nobody.
    Identity(Option<Identity>),
    /// The challenge that was made.
    Begun(BegunCeremony),
    /// The new credential, or why there is none.
    Registered(Result<NewCredential, CredentialRefused>),
    /// The credential that was claimed, or why there is none.
    Identified(Result<ClaimedCredential, CredentialRefused>),
    /// The credential after its use, or why the use does not hold.
    Used(Result<UsedCredential, CredentialRefused>),
    /// The passkey; `None` if there is none.
    Passkey(Option<Passkey>),
    /// The passkeys of the user, the oldest first.
    Passkeys(Vec<Passkey>),
    /// That the passkey was added, or why not.
    Added(Result<(), NotAdded>),
}

/// Why a passkey was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdded {
    /// The credential is registered already, for this user or another.
    Taken,
    /// The user has as many passkeys as it may have.
    TooMany,
}

/// That what came back from an identity provider proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofRefused;

/// Why an authenticator's answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialRefused {
    /// It is not the JSON of an authenticator's answer.
    Malformed,
    /// Its challenge, origin, signature or user verification is wrong.
    Refused,
    /// Its signature counter went back, so that there may be a copy of the passkey.
    PossiblyCopied,
}
