//! How long links, sessions and challenges last, and how often something may be tried.

use std::time::Duration;

use chrono::TimeDelta;
use ticketing_ports::people::rate_limiter::Quota;

/// How long a mailed link can be used.
pub const MAGIC_LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// At most how many links of one address may be live. Further ones are not mailed.
pub const LIVE_MAGIC_LINKS: u64 = 3;
/// How long an authenticator may take to answer a challenge.
pub const CHALLENGE_LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// How long a person may take at an identity provider.
pub const OAUTH_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long the code in a fragment can be traded for a session. The page does so at once.
pub const SIGN_IN_CODE_LIFETIME: TimeDelta = TimeDelta::minutes(1);
/// How long a ticket can open a WebSocket.
pub const WS_TICKET_LIFETIME: TimeDelta = TimeDelta::seconds(30);
/// How long a session lasts without being used.
pub const SESSION_IDLE: TimeDelta = TimeDelta::hours(24);
/// How long a session lasts however often it is used.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// How long after its beginning a session may change the ways into its account.
pub const SESSION_FRESH: TimeDelta = TimeDelta::minutes(15);
/// At most how many passkeys a user may have.
pub const PASSKEYS_PER_USER: usize = 10;

/// How long a request, a mail or a failure counts.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// How many requests without a session one network may send.
pub const AUTH_QUOTA: Quota = Quota {
    limit: 100,
    window: WINDOW,
};
/// How many mails one address gets. Further ones are not sent, and nobody is told.
pub const MAIL_QUOTA: Quota = Quota {
    limit: 5,
    window: WINDOW,
};
/// How many proofs of one network may fail before it is told only that there were too many.
pub const FAILURE_QUOTA: Quota = Quota {
    limit: 20,
    window: WINDOW,
};
