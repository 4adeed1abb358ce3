//! The conformance tests that every implementation of [`ChallengeStore`] must pass.

use std::sync::Arc;

use chrono::TimeDelta;
use ticketing_ports::people::challenges::{CeremonyKind, Challenge, ChallengeStore};

use super::fixtures::{at, digest};
use super::race::race;
use super::{Verdict, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for challenges. Its argument is an expression that returns a new
    /// `Arc<dyn ChallengeStore>`.
    challenge_store_conformance in challenges for Arc<dyn ChallengeStore> {
        a_challenge_is_taken_exactly_once,
        exactly_one_racing_taker_gets_a_challenge,
        an_unknown_challenge_is_nothing,
        an_expired_challenge_is_not_there,
        a_challenge_serves_only_its_own_ceremony,
    }
}

const CEREMONIES: [CeremonyKind; 3] = [
    CeremonyKind::PasskeyRegistration,
    CeremonyKind::PasskeyLogin,
    CeremonyKind::Oauth,
];

/// A challenge of a login that expires after one minute.
fn challenge(number: usize) -> Challenge {
    Challenge {
        digest: digest(number),
        ceremony: CeremonyKind::PasskeyLogin,
        state: vec![number as u8, 0, 255, b'\''],
        expires_at: at(60),
    }
}

async fn a_challenge_is_taken_exactly_once(challenges: &Arc<dyn ChallengeStore>) -> Verdict {
    challenges.put(challenge(1)).await?;
    challenges.put(challenge(2)).await?;
    for number in [1, 2] {
        let first = challenges
            .take(CeremonyKind::PasskeyLogin, digest(number), at(0))
            .await?;
        ensure_eq!(first, Some(challenge(number)), "what the first taker got");
        let second = challenges
            .take(CeremonyKind::PasskeyLogin, digest(number), at(0))
            .await?;
        ensure_eq!(second, None, "what the second taker got");
    }
    Ok(())
}

async fn exactly_one_racing_taker_gets_a_challenge(challenges: &Arc<dyn ChallengeStore>) -> Verdict {
    for number in 0..10 {
        challenges.put(challenge(number)).await?;
        let takes = race(16, |_| {
            let challenges = Arc::clone(challenges);
            async move { challenges.take(CeremonyKind::PasskeyLogin, digest(number), at(0)).await }
        })
        .await?;
        let mut taken = 0;
        for take in takes {
            taken += usize::from(take?.is_some());
        }
        ensure_eq!(taken, 1, "number of takers who got challenge {number}");
    }
    Ok(())
}

async fn an_unknown_challenge_is_nothing(challenges: &Arc<dyn ChallengeStore>) -> Verdict {
    challenges.put(challenge(1)).await?;
    let taken = challenges.take(CeremonyKind::PasskeyLogin, digest(2), at(0)).await?;
    ensure_eq!(taken, None, "challenge");
    Ok(())
}

async fn an_expired_challenge_is_not_there(challenges: &Arc<dyn ChallengeStore>) -> Verdict {
    challenges.put(challenge(1)).await?;
    challenges.put(challenge(2)).await?;
    let last_moment = at(60) - TimeDelta::microseconds(1);
    let in_time = challenges
        .take(CeremonyKind::PasskeyLogin, digest(1), last_moment)
        .await?;
    ensure_eq!(in_time, Some(challenge(1)), "challenge in its last moment");
    let late = challenges.take(CeremonyKind::PasskeyLogin, digest(2), at(60)).await?;
    ensure_eq!(late, None, "challenge at its end");
    Ok(())
}

async fn a_challenge_serves_only_its_own_ceremony(challenges: &Arc<dyn ChallengeStore>) -> Verdict {
    for ceremony in CEREMONIES {
        let one = Challenge {
            ceremony,
            ..challenge(1)
        };
        challenges.put(one.clone()).await?;
        for other in CEREMONIES.into_iter().filter(|other| *other != ceremony) {
            let taken = challenges.take(other, one.digest, at(0)).await?;
            ensure_eq!(
                taken,
                None,
                "a challenge for a {ceremony:?} that is taken for a {other:?}"
            );
        }
        let taken = challenges.take(ceremony, one.digest, at(0)).await?;
        ensure_eq!(
            taken,
            Some(one),
            "a challenge for a {ceremony:?} after attempts to take it for another ceremony"
        );
    }
    Ok(())
}
