//! The conformance tests that every implementation of [`SessionStore`] must pass.

use std::sync::Arc;

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::people::sessions::{Session, SessionStore, SignInMethod};

use super::fixtures::{at, digest, person, user};
use super::race::race;
use super::{Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for sessions. Its argument is an expression that returns a new
    /// `Arc<dyn SessionStore>`.
    session_store_conformance in sessions for Arc<dyn SessionStore> {
        a_session_is_found_until_it_expires,
        a_session_comes_back_as_it_was_created,
        an_unknown_session_is_nothing,
        a_touch_moves_the_idle_end_and_never_past_the_absolute_end,
        a_touch_does_not_bring_an_ended_session_back,
        a_touch_does_not_bring_an_expired_session_back,
        no_racing_touch_brings_an_ended_session_back,
        an_ended_session_is_gone_at_once,
        exactly_one_racing_end_finds_the_session,
        ending_all_sessions_of_a_user_spares_everybody_else,
        live_sessions_of_a_user_are_listed_newest_first,
        erasing_the_sessions_of_a_person_spares_everybody_else,
    }
}

/// Returns a session that begins at second `number`, expires after 100 seconds without use, and ends after 250 seconds.
fn session(number: usize) -> Session {
    let created_at = at(number as i64);
    Session {
        digest: digest(number),
        user_id: user(1),
        method: SignInMethod::MagicLink,
        created_at,
        last_active: created_at,
        idle_until: created_at + TimeDelta::seconds(100),
        ends_at: created_at + TimeDelta::seconds(250),
        ip: None,
        user_agent: None,
    }
}

/// Returns the time one microsecond before `end`. A store must be able to tell the two apart.
fn just_before(end: Timestamp) -> Timestamp {
    end - TimeDelta::microseconds(1)
}

async fn a_session_is_found_until_it_expires(sessions: &Arc<dyn SessionStore>) -> Verdict {
    let idle = session(1);
    let old = Session {
        idle_until: session(2).ends_at + TimeDelta::seconds(50),
        ..session(2)
    };
    for one in [idle, old] {
        sessions.create(one.clone()).await?;
        let end = one.expires_at();
        let found = sessions.find(one.digest, just_before(end)).await?;
        ensure_eq!(found, Some(one.clone()), "session in its last moment");
        ensure_eq!(sessions.find(one.digest, end).await?, None, "session at its end");
    }
    Ok(())
}

async fn a_session_comes_back_as_it_was_created(sessions: &Arc<dyn SessionStore>) -> Verdict {
    let varied = [
        Session {
            ip: Some([192, 0, 2, 1].into()),
            user_agent: Some("Mozilla/5.0 (\"quoted\"; ä) O'Brien\0".to_owned()),
            ..session(1)
        },
        Session {
            method: SignInMethod::Oauth,
            ip: Some([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()),
            user_agent: Some(String::new()),
            ..session(2)
        },
        Session {
            method: SignInMethod::Passkey,
            ..session(3)
        },
    ];
    for one in varied {
        sessions.create(one.clone()).await?;
        let found = sessions.find(one.digest, one.created_at).await?;
        ensure_eq!(found, Some(one), "session");
    }
    Ok(())
}

async fn an_unknown_session_is_nothing(sessions: &Arc<dyn SessionStore>) -> Verdict {
    sessions.create(session(1)).await?;
    ensure_eq!(sessions.find(digest(2), at(1)).await?, None, "unknown session");
    ensure!(
        !sessions.touch(digest(2), at(1), at(9)).await?,
        "an unknown session was touched"
    );
    ensure!(!sessions.end(digest(2)).await?, "an unknown session was ended");
    ensure_eq!(sessions.end_all_of(user(2)).await?, 0, "sessions of an unknown user");
    ensure_eq!(
        sessions.sessions_of(user(2), at(1)).await?,
        [],
        "sessions of an unknown user"
    );
    Ok(())
}

async fn a_touch_moves_the_idle_end_and_never_past_the_absolute_end(sessions: &Arc<dyn SessionStore>) -> Verdict {
    let one = session(0);
    sessions.create(one.clone()).await?;
    ensure!(
        sessions.touch(one.digest, at(90), at(190)).await?,
        "a live session was not found"
    );
    let touched = Session {
        last_active: at(90),
        idle_until: at(190),
        ..one.clone()
    };
    ensure_eq!(
        sessions.find(one.digest, at(189)).await?,
        Some(touched),
        "touched session"
    );
    ensure!(
        sessions.touch(one.digest, at(189), at(1_000)).await?,
        "a touched session was not found"
    );
    let end = just_before(one.ends_at);
    let found = sessions.find(one.digest, end).await?;
    ensure_eq!(
        found.map(|session| session.expires_at()),
        Some(one.ends_at),
        "the end of a session in use"
    );
    ensure_eq!(
        sessions.find(one.digest, one.ends_at).await?,
        None,
        "session at its absolute end"
    );
    Ok(())
}

async fn a_touch_does_not_bring_an_ended_session_back(sessions: &Arc<dyn SessionStore>) -> Verdict {
    let one = session(0);
    sessions.create(one.clone()).await?;
    sessions.end(one.digest).await?;
    ensure!(
        !sessions.touch(one.digest, at(1), at(101)).await?,
        "an ended session was touched"
    );
    ensure_eq!(sessions.find(one.digest, at(1)).await?, None, "ended session");
    ensure_eq!(sessions.sessions_of(user(1), at(1)).await?, [], "sessions of the user");
    Ok(())
}

async fn a_touch_does_not_bring_an_expired_session_back(sessions: &Arc<dyn SessionStore>) -> Verdict {
    let one = session(0);
    sessions.create(one.clone()).await?;
    let end = one.idle_until;
    ensure!(
        !sessions.touch(one.digest, end, end + TimeDelta::seconds(100)).await?,
        "an expired session was touched"
    );
    ensure_eq!(sessions.find(one.digest, end).await?, None, "expired session");
    Ok(())
}

async fn no_racing_touch_brings_an_ended_session_back(sessions: &Arc<dyn SessionStore>) -> Verdict {
    for number in 0..10 {
        let one = session(number);
        sessions.create(one.clone()).await?;
        let outcomes = race(16, |racer| {
            let (sessions, digest) = (Arc::clone(sessions), one.digest);
            async move {
                match racer {
                    7 => sessions.end(digest).await,
                    _ => sessions.touch(digest, at(20), at(120)).await,
                }
            }
        })
        .await?;
        for outcome in outcomes {
            outcome?;
        }
        ensure_eq!(sessions.find(one.digest, at(20)).await?, None, "ended session");
    }
    Ok(())
}

async fn an_ended_session_is_gone_at_once(sessions: &Arc<dyn SessionStore>) -> Verdict {
    sessions.create(session(1)).await?;
    sessions.create(session(2)).await?;
    ensure!(sessions.end(digest(1)).await?, "a live session was not found");
    ensure_eq!(sessions.find(digest(1), at(2)).await?, None, "ended session");
    ensure_eq!(
        sessions.sessions_of(user(1), at(2)).await?,
        [session(2)],
        "sessions of the user"
    );
    ensure!(!sessions.end(digest(1)).await?, "a session was ended twice");
    Ok(())
}

async fn exactly_one_racing_end_finds_the_session(sessions: &Arc<dyn SessionStore>) -> Verdict {
    for number in 0..10 {
        sessions.create(session(number)).await?;
        let ends = race(16, |_| {
            let sessions = Arc::clone(sessions);
            async move { sessions.end(digest(number)).await }
        })
        .await?;
        let mut found = 0;
        for end in ends {
            found += usize::from(end?);
        }
        ensure_eq!(found, 1, "number of calls that ended session {number}");
    }
    Ok(())
}

async fn ending_all_sessions_of_a_user_spares_everybody_else(sessions: &Arc<dyn SessionStore>) -> Verdict {
    for number in 0..6 {
        let one = Session {
            user_id: user(number % 3),
            ..session(number)
        };
        sessions.create(one).await?;
    }
    ensure_eq!(sessions.end_all_of(user(1)).await?, 2, "number of ended sessions");
    for number in 0..6 {
        let found = sessions.find(digest(number), at(10)).await?;
        ensure_eq!(found.is_some(), number % 3 != 1, "whether session {number} is left");
    }
    ensure_eq!(sessions.sessions_of(user(1), at(10)).await?, [], "sessions of the user");
    ensure_eq!(
        sessions.end_all_of(user(1)).await?,
        0,
        "number of sessions that were ended twice"
    );
    Ok(())
}

async fn live_sessions_of_a_user_are_listed_newest_first(sessions: &Arc<dyn SessionStore>) -> Verdict {
    // Sorted by digest the sessions have another order than by time, so a store that sorts by digest fails.
    let [first, second, third] = [(1, 3), (2, 1), (3, 2)].map(|(time, name)| Session {
        digest: digest(name),
        ..session(time)
    });
    let expired = Session {
        idle_until: at(5),
        ..session(4)
    };
    let another = Session {
        user_id: user(2),
        ..session(5)
    };
    for one in [&second, &third, &expired, &another, &first] {
        sessions.create(one.clone()).await?;
    }
    let listed = sessions.sessions_of(user(1), at(6)).await?;
    ensure_eq!(listed, [third, second, first], "sessions of the user");
    Ok(())
}

async fn erasing_the_sessions_of_a_person_spares_everybody_else(sessions: &Arc<dyn SessionStore>) -> Verdict {
    let another = Session {
        user_id: user(2),
        ..session(3)
    };
    for one in [session(1), session(2), another.clone()] {
        sessions.create(one).await?;
    }
    ensure_eq!(sessions.erase(&person(1)).await?, 2, "number of erased sessions");
    ensure_eq!(
        sessions.sessions_of(user(1), at(4)).await?,
        [],
        "sessions of the erased user"
    );
    for number in [1, 2] {
        let found = sessions.find(digest(number), at(4)).await?;
        ensure_eq!(found, None, "an erased session");
    }
    let left = sessions.find(another.digest, at(4)).await?;
    ensure_eq!(left, Some(another), "a session of somebody else");
    ensure_eq!(
        sessions.erase(&person(1)).await?,
        0,
        "number of sessions that were erased twice"
    );
    Ok(())
}
