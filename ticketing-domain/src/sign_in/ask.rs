//! The questions of a ceremony, as plain data.

use ticketing_ports::outside::identity_providers::{AuthorizationAnswer, AuthorizationRequest, Claims};
use ticketing_ports::outside::mailer::Mail;
use ticketing_ports::people::challenges::{Ceremony as CeremonyKind, Challenge};
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

/// One question, or one thing to do. In brackets: how it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Whether another mail may go to the address in this quarter of an hour [`Answer::Yes`] or [`Answer::No`].
    CountMail(EmailAddress),
    /// How many links of the address are live [`Answer::Count`].
    CountLiveLinks(EmailAddress),
    /// [`Answer::Done`]
    PutToken(OneTimeToken),
    /// [`Answer::Token`]
    TakeToken {
        purpose: TokenPurpose,
        digest: SecretDigest,
    },
    /// Send in the background, and withdraw the link if the mail never leaves [`Answer::Done`].
    SendLink { mail: Mail, link: SecretDigest },
    /// [`Answer::Done`]
    PutChallenge(Challenge),
    /// [`Answer::Challenge`]
    TakeChallenge {
        ceremony: CeremonyKind,
        digest: SecretDigest,
    },
    /// [`Answer::User`]
    FindUser(UserId),
    /// [`Answer::User`]
    FindUserByAddress(EmailAddress),
    /// [`Answer::Yes`], or [`Answer::No`] when the address has a user.
    CreateUser(NewUser),
    /// [`Answer::Session`]
    FindSession(SecretDigest),
    /// [`Answer::Done`]
    CreateSession(Session),
    /// [`Answer::Url`]
    AuthorizationUrl {
        provider: String,
        request: AuthorizationRequest,
    },
    /// [`Answer::Claims`]
    Claims {
        provider: String,
        answer: AuthorizationAnswer,
    },
    /// [`Answer::Identity`]
    FindIdentity { issuer: String, subject: String },
    /// [`Answer::Yes`], or [`Answer::No`] when it belongs to somebody else.
    LinkIdentity(Identity),
    /// [`Answer::Begun`]
    BeginRegistration {
        user: UserId,
        email: EmailAddress,
        existing: Vec<Passkey>,
    },
    /// [`Answer::Registered`]
    FinishRegistration { state: Vec<u8>, answer: String },
    /// [`Answer::Begun`]
    BeginLogin,
    /// [`Answer::Identified`]
    Identify { answer: String },
    /// [`Answer::Used`]
    FinishLogin {
        state: Vec<u8>,
        answer: String,
        passkey: Passkey,
    },
    /// [`Answer::Passkeys`]
    PasskeysOf(UserId),
    /// [`Answer::Passkey`]
    FindPasskey(Vec<u8>),
    /// To a user who then has at most so many [`Answer::Added`].
    AddPasskey { passkey: Passkey, most: usize },
    /// [`Answer::Yes`], or [`Answer::No`] when its counter is another one by now.
    UpdatePasskey { passkey: Passkey, seen_counter: u32 },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done,
    Yes,
    No,
    Count(u64),
    Token(Option<OneTimeToken>),
    Challenge(Option<Challenge>),
    User(Option<User>),
    Session(Option<Session>),
    Url(String),
    /// What proves nothing is a refusal; what cannot be asked is no answer at all.
    Claims(Result<Claims, ProofRefused>),
    Identity(Option<Identity>),
    Begun(BegunCeremony),
    Registered(Result<NewCredential, CredentialRefused>),
    Identified(Result<ClaimedCredential, CredentialRefused>),
    Used(Result<UsedCredential, CredentialRefused>),
    Passkey(Option<Passkey>),
    Passkeys(Vec<Passkey>),
    Added(Result<(), NotAdded>),
}

/// Why a passkey was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdded {
    /// Somebody has it.
    Taken,
    /// The user has as many as it may have.
    TooMany,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofRefused;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialRefused {
    Malformed,
    Refused,
    PossiblyCopied,
}
