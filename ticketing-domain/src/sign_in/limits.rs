//! How long things live and how often they may be tried.

use std::time::Duration;

use chrono::TimeDelta;
use ticketing_ports::people::rate_limiter::Quota;

/// How long a mailed link opens the door.
pub const MAGIC_LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// So many links of one address may be live; further ones are not mailed.
pub const LIVE_MAGIC_LINKS: u64 = 3;
/// How long an authenticator may take to answer.
pub const CHALLENGE_LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// How long somebody may take at an identity provider.
pub const OAUTH_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long the code in a fragment can be traded for a session: a page does it at once.
pub const SIGN_IN_CODE_LIFETIME: TimeDelta = TimeDelta::minutes(1);
/// How long a ticket opens a WebSocket.
pub const WS_TICKET_LIFETIME: TimeDelta = TimeDelta::seconds(30);
/// A session that nobody uses ends after so long.
pub const SESSION_IDLE: TimeDelta = TimeDelta::hours(24);
/// A session ends after so long, however much it is used.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// A session that is younger may change the ways into its account.
pub const SESSION_FRESH: TimeDelta = TimeDelta::minutes(15);
pub const PASSKEYS_PER_USER: usize = 10;

const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Of one network, over all that can be asked without a session.
pub const AUTH_QUOTA: Quota = Quota {
    limit: 100,
    window: WINDOW,
};
/// Mails to one address; more are silently not sent.
pub const MAIL_QUOTA: Quota = Quota {
    limit: 5,
    window: WINDOW,
};
/// Proofs of one network that did not hold.
pub const FAILURE_QUOTA: Quota = Quota {
    limit: 20,
    window: WINDOW,
};
