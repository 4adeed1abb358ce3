//! What a ceremony asks of the world outside, and the answers to that, as plain data.

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

use super::proven_address::NewUser;

/// One question of a ceremony, or one thing that the ceremony wants done. The doc of each variant names its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyQuestion {
    /// Counts a mail to the address against [`MAIL_QUOTA`](super::MAIL_QUOTA). Answered with [`CeremonyAnswer::Yes`]
    /// if the mail may go out, and with [`CeremonyAnswer::No`] if not.
    CountMail(EmailAddress),
    /// Counts the live links of the address. Answered with [`CeremonyAnswer::Count`].
    CountLiveLinks(EmailAddress),
    /// Stores a token. Answered with [`CeremonyAnswer::Done`].
    PutToken(OneTimeToken),
    /// Takes a token out of its store. Answered with [`CeremonyAnswer::Token`].
    TakeToken {
        /// The purpose for which the token must have been made.
        purpose: TokenPurpose,
        /// The digest of the token's secret.
        digest: SecretDigest,
    },
    /// Sends a mail in the background, and withdraws the link in the mail if the mail cannot be sent. Answered with
    /// [`CeremonyAnswer::Done`].
    SendLink {
        /// The mail.
        mail: Mail,
        /// The digest of the link's token.
        link: SecretDigest,
    },
    /// Stores a challenge. Answered with [`CeremonyAnswer::Done`].
    PutChallenge(Challenge),
    /// Takes a challenge out of its store. Answered with [`CeremonyAnswer::Challenge`].
    TakeChallenge {
        /// The kind of ceremony for which the challenge must have been made.
        ceremony: CeremonyKind,
        /// The digest of the challenge's secret.
        digest: SecretDigest,
    },
    /// Finds the user who has the id. Answered with [`CeremonyAnswer::User`].
    FindUser(UserId),
    /// Finds the user who has the address. Answered with [`CeremonyAnswer::User`].
    FindUserByAddress(EmailAddress),
    /// Stores a new user. Answered with [`CeremonyAnswer::User`]: the user as it was stored, or nobody if somebody has the
    /// address already. If a guest has bought with the address, the user is stored under the id of that guest's person.
    CreateUser(NewUser),
    /// Finds the session whose secret has the digest. Answered with [`CeremonyAnswer::Session`].
    FindSession(SecretDigest),
    /// Stores a new session. Answered with [`CeremonyAnswer::Done`].
    CreateSession(Session),
    /// Asks an identity provider for the URL of its sign-in page. Answered with [`CeremonyAnswer::Url`].
    AuthorizationUrl {
        /// The provider's name.
        provider: String,
        /// The OAuth state, the nonce and the code verifier of this sign-in.
        request: AuthorizationRequest,
    },
    /// Trades a provider's code for what the provider says of the person. Answered with [`CeremonyAnswer::Claims`].
    Claims {
        /// The provider's name.
        provider: String,
        /// What the browser brought back from the provider, and what was stored when the browser went there.
        answer: AuthorizationAnswer,
    },
    /// Finds the user to whom an identity is linked. Answered with [`CeremonyAnswer::Identity`].
    FindIdentity {
        /// The provider's issuer identifier.
        issuer: String,
        /// The person's id at the provider.
        subject: String,
    },
    /// Links an identity to a user. Answered with [`CeremonyAnswer::Yes`], or with [`CeremonyAnswer::No`] if the
    /// identity is linked to another user.
    LinkIdentity(Identity),
    /// Makes a challenge for a new passkey. Answered with [`CeremonyAnswer::Begun`].
    BeginRegistration {
        /// Who gets the passkey.
        user: UserId,
        /// The user's address, which the authenticator shows as the name of the account.
        email: EmailAddress,
        /// The passkeys of the user, which cannot be registered again.
        existing: Vec<Passkey>,
    },
    /// Checks the answer to a challenge for a new passkey. Answered with [`CeremonyAnswer::Registered`].
    FinishRegistration {
        /// The state of the challenge, as it was stored when the challenge was made.
        state: Vec<u8>,
        /// The authenticator's answer, as JSON.
        answer: String,
    },
    /// Makes a challenge for any passkey. Answered with [`CeremonyAnswer::Begun`].
    BeginLogin,
    /// Reads from which credential an authenticator's answer claims to come. Answered with
    /// [`CeremonyAnswer::Identified`].
    Identify {
        /// The authenticator's answer, as JSON.
        answer: String,
    },
    /// Checks the answer to a challenge for any passkey. Answered with [`CeremonyAnswer::Used`].
    FinishLogin {
        /// The state of the challenge, as it was stored when the challenge was made.
        state: Vec<u8>,
        /// The authenticator's answer, as JSON.
        answer: String,
        /// The passkey to check the answer against.
        passkey: Passkey,
    },
    /// Finds all passkeys of a user. Answered with [`CeremonyAnswer::Passkeys`].
    PasskeysOf(UserId),
    /// Finds the passkey that has the credential id. Answered with [`CeremonyAnswer::Passkey`].
    FindPasskey(Vec<u8>),
    /// Stores a new passkey. Answered with [`CeremonyAnswer::Added`].
    AddPasskey {
        /// The passkey.
        passkey: Passkey,
        /// At most how many passkeys the user may have, this one included.
        most: usize,
    },
    /// Stores a passkey after its use. Answered with [`CeremonyAnswer::Yes`], or with [`CeremonyAnswer::No`] if the
    /// stored counter is no longer `seen_counter`.
    UpdatePasskey {
        /// The passkey as it is to be stored.
        passkey: Passkey,
        /// The counter that was stored when the passkey was read.
        seen_counter: u32,
    },
}

/// The answer to a [`CeremonyQuestion`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyAnswer {
    /// What the ceremony wanted done is done.
    Done,
    /// Yes. What that means is said at the question that is answered.
    Yes,
    /// No. What that means is said at the question that is answered.
    No,
    /// The number that was asked for.
    Count(u64),
    /// The token; `None` if it is unknown, used or expired.
    Token(Option<OneTimeToken>),
    /// The challenge; `None` if it is unknown, used or expired.
    Challenge(Option<Challenge>),
    /// The user; `None` if nobody has the id or the address that was asked for.
    User(Option<User>),
    /// The session; `None` if no session has the digest that was asked for.
    Session(Option<Session>),
    /// The URL of the provider's sign-in page.
    Url(String),
    /// What the provider says of the person, or [`ProofRefused`] if what the browser brought back does not prove who
    /// the person is. If the provider cannot be reached, the ceremony gets no answer at all.
    Claims(Result<Claims, ProofRefused>),
    /// The identity and its user; `None` if the identity is linked to nobody.
    Identity(Option<Identity>),
    /// The challenge that was made for an authenticator.
    Begun(BegunCeremony),
    /// The new credential, or why the authenticator's answer is not accepted.
    Registered(Result<NewCredential, CredentialRefused>),
    /// The credential from which the answer claims to come, or why the answer cannot be read.
    Identified(Result<ClaimedCredential, CredentialRefused>),
    /// The credential after its use, or why the authenticator's answer is not accepted.
    Used(Result<UsedCredential, CredentialRefused>),
    /// The passkey; `None` if no passkey has the credential id that was asked for.
    Passkey(Option<Passkey>),
    /// The passkeys of the user, the oldest first.
    Passkeys(Vec<Passkey>),
    /// `Ok` if the passkey was added; else the reason why not.
    Added(Result<(), NotAdded>),
}

/// Why a passkey was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdded {
    /// The credential is registered already, for this user or another.
    Taken,
    /// The user already has as many passkeys as a user may have.
    TooMany,
}

/// What a browser brought back from an identity provider does not prove who the person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofRefused;

/// Why an authenticator's answer is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialRefused {
    /// What the browser sent is not the JSON of an authenticator's answer.
    Malformed,
    /// The challenge, origin, signature or user verification of the answer is wrong.
    Refused,
    /// The signature counter of the passkey was lower than before, so that there may be a copy of the passkey.
    PossiblyCopied,
}
