//! How long links, sessions and challenges last, and how often something may be tried.

use std::time::Duration;

use chrono::TimeDelta;
use ticketing_ports::people::rate_limiter::Quota;

/// How long a mailed link can be used.
pub const MAGIC_LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// At most how many sign-in links that still work one address may have at a time. While it has that many, no further
/// link is mailed.
pub const LIVE_MAGIC_LINKS: u64 = 3;
/// How long an authenticator may take to answer a challenge.
pub const CHALLENGE_LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// How long a person may take to sign in at an identity provider.
pub const OAUTH_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a sign-in code can be traded for a session. The page that gets the code trades it at once.
pub const SIGN_IN_CODE_LIFETIME: TimeDelta = TimeDelta::minutes(1);
/// How long a client may take to open a WebSocket with the ticket that it got for that.
pub const WS_TICKET_LIFETIME: TimeDelta = TimeDelta::seconds(30);
/// A session that is not used for this long ends.
pub const SESSION_IDLE: TimeDelta = TimeDelta::hours(24);
/// A session ends this long after its beginning, however often it is used.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// For how long after its beginning a session may add a passkey to its account, link a provider to it or erase it.
pub const SESSION_FRESH: TimeDelta = TimeDelta::minutes(15);
/// At most how many passkeys a user may have.
pub const PASSKEYS_PER_USER: usize = 10;

/// The span of time over which requests, mails and failed sign-ins are counted against their quotas.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// At most how many requests without a session one network may send in 15 minutes.
pub const AUTH_QUOTA: Quota = Quota {
    limit: 100,
    window: WINDOW,
};
/// At most how many mails one address gets in 15 minutes. Further mails are not sent, and nobody is told.
pub const MAIL_QUOTA: Quota = Quota {
    limit: 5,
    window: WINDOW,
};
/// How many sign-in proofs from one network may fail in 15 minutes. After that the network is told only that there
/// were too many.
pub const FAILURE_QUOTA: Quota = Quota {
    limit: 20,
    window: WINDOW,
};
