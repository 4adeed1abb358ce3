//! The conformance tests that every implementation of [`OneTimeTokenStore`] must pass.

use std::sync::Arc;

use ticketing_ports::people::erase::Person;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::vocabulary::email::EmailAddress;

use super::fixtures::{at, digest, person};
use super::race::race;
use super::{Verdict, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for one-time tokens. Its argument is an expression that returns a new
    /// `Arc<dyn OneTimeTokenStore>`.
    one_time_token_store_conformance in one_time_tokens for Arc<dyn OneTimeTokenStore> {
        a_token_is_taken_exactly_once,
        exactly_one_racing_taker_gets_a_token,
        an_unknown_token_is_nothing,
        a_token_comes_back_as_it_was_put,
        an_expired_token_is_not_there,
        a_token_opens_only_the_door_it_was_made_for,
        live_tokens_of_a_subject_are_counted,
        a_taken_token_is_not_counted,
        an_expired_token_is_not_counted,
        tokens_of_an_erased_person_open_nothing,
    }
}

/// Returns a one-time token of a sign-in link for ada@example.com. It expires after one minute.
fn token(number: usize) -> OneTimeToken {
    OneTimeToken {
        digest: digest(number),
        purpose: TokenPurpose::MagicLink,
        subject: "ada@example.com".to_owned(),
        payload: format!("payload {number}").into_bytes(),
        expires_at: at(60),
    }
}

async fn a_token_is_taken_exactly_once(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    tokens.put(token(1)).await?;
    tokens.put(token(2)).await?;
    for number in [1, 2] {
        let first = tokens.take(TokenPurpose::MagicLink, digest(number), at(0)).await?;
        ensure_eq!(first, Some(token(number)), "what the first taker got");
        let second = tokens.take(TokenPurpose::MagicLink, digest(number), at(0)).await?;
        ensure_eq!(second, None, "what the second taker got");
    }
    Ok(())
}

async fn exactly_one_racing_taker_gets_a_token(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    for number in 0..10 {
        tokens.put(token(number)).await?;
        let takes = race(16, |_| {
            let tokens = Arc::clone(tokens);
            async move { tokens.take(TokenPurpose::MagicLink, digest(number), at(0)).await }
        })
        .await?;
        let mut taken = 0;
        for take in takes {
            taken += usize::from(take?.is_some());
        }
        ensure_eq!(taken, 1, "number of takers who got token {number}");
    }
    Ok(())
}

async fn an_unknown_token_is_nothing(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    tokens.put(token(1)).await?;
    let taken = tokens.take(TokenPurpose::MagicLink, digest(2), at(0)).await?;
    ensure_eq!(taken, None, "token");
    Ok(())
}

async fn a_token_comes_back_as_it_was_put(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    for (number, purpose) in TokenPurpose::ALL.into_iter().enumerate() {
        let payloads = [Vec::new(), vec![0, 255, b'\'', 0], vec![7; 100_000]];
        let one = OneTimeToken {
            purpose,
            subject: ["", "O'Brien\0ä", "ada@example.com"][number].to_owned(),
            payload: payloads[number].clone(),
            ..token(number)
        };
        tokens.put(one.clone()).await?;
        let taken = tokens.take(purpose, one.digest, at(0)).await?;
        ensure_eq!(taken, Some(one), "token");
    }
    Ok(())
}

async fn an_expired_token_is_not_there(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    let short_of_a_minute = at(60) - chrono::TimeDelta::microseconds(1);
    for number in [1, 2] {
        tokens.put(token(number)).await?;
    }
    let in_time = tokens
        .take(TokenPurpose::MagicLink, digest(1), short_of_a_minute)
        .await?;
    ensure_eq!(in_time, Some(token(1)), "token in its last microsecond");
    let late = tokens.take(TokenPurpose::MagicLink, digest(2), at(60)).await?;
    ensure_eq!(late, None, "token at its end");
    Ok(())
}

async fn a_token_opens_only_the_door_it_was_made_for(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    for purpose in TokenPurpose::ALL {
        let one = OneTimeToken { purpose, ..token(1) };
        tokens.put(one.clone()).await?;
        for other in TokenPurpose::ALL.into_iter().filter(|other| *other != purpose) {
            let taken = tokens.take(other, one.digest, at(0)).await?;
            ensure_eq!(taken, None, "a token for a {purpose:?} that is taken for a {other:?}");
        }
        let taken = tokens.take(purpose, one.digest, at(0)).await?;
        ensure_eq!(
            taken,
            Some(one),
            "a token for a {purpose:?} after attempts to take it for another purpose"
        );
    }
    Ok(())
}

async fn live_tokens_of_a_subject_are_counted(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    let others = [
        OneTimeToken {
            subject: "ada@example.co".to_owned(),
            ..token(10)
        },
        OneTimeToken {
            subject: "ADA@example.com".to_owned(),
            ..token(11)
        },
        OneTimeToken {
            purpose: TokenPurpose::SignInCode,
            ..token(12)
        },
    ];
    for other in others {
        tokens.put(other).await?;
    }
    for number in 0..5 {
        ensure_eq!(live(tokens, 0).await?, number as u64, "number of live tokens");
        tokens.put(token(number)).await?;
    }
    Ok(())
}

async fn a_taken_token_is_not_counted(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    tokens.put(token(1)).await?;
    tokens.put(token(2)).await?;
    tokens.take(TokenPurpose::MagicLink, digest(1), at(0)).await?;
    ensure_eq!(live(tokens, 0).await?, 1, "number of live tokens");
    Ok(())
}

async fn an_expired_token_is_not_counted(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    tokens.put(token(1)).await?;
    let longer = OneTimeToken {
        expires_at: at(61),
        ..token(2)
    };
    tokens.put(longer).await?;
    ensure_eq!(
        live(tokens, 59).await?,
        2,
        "number of live tokens before the first one ends"
    );
    ensure_eq!(
        live(tokens, 60).await?,
        1,
        "number of live tokens when the first one has ended"
    );
    ensure_eq!(
        live(tokens, 61).await?,
        0,
        "number of live tokens when the second one has ended"
    );
    Ok(())
}

async fn live(tokens: &Arc<dyn OneTimeTokenStore>, seconds: i64) -> Result<u64, super::Broken> {
    Ok(tokens
        .live_for(TokenPurpose::MagicLink, "ada@example.com", at(seconds))
        .await?)
}

async fn tokens_of_an_erased_person_open_nothing(tokens: &Arc<dyn OneTimeTokenStore>) -> Verdict {
    let ada = Person {
        email: Some(EmailAddress::parse("ada@example.com")?),
        ..person(1)
    };
    let ticket = |number: usize, person: &Person| OneTimeToken {
        purpose: TokenPurpose::WebSocketTicket,
        subject: person.id.to_string(),
        ..token(number)
    };
    let code = OneTimeToken {
        purpose: TokenPurpose::SignInCode,
        ..token(2)
    };
    let link_of_another = OneTimeToken {
        subject: "grace@example.com".to_owned(),
        ..token(4)
    };
    let hers = [token(1), code, ticket(3, &ada)];
    let others = [link_of_another, ticket(5, &person(2))];
    for one in hers.iter().chain(&others) {
        tokens.put(one.clone()).await?;
    }
    ensure_eq!(tokens.erase(&ada).await?, 3, "number of erased tokens");
    ensure_eq!(live(tokens, 0).await?, 0, "number of live tokens of the erased user");
    for one in hers {
        let taken = tokens.take(one.purpose, one.digest, at(0)).await?;
        ensure_eq!(taken, None, "an erased token for a {:?}", one.purpose);
    }
    for one in others {
        let taken = tokens.take(one.purpose, one.digest, at(0)).await?;
        ensure_eq!(taken, Some(one), "a token of somebody else");
    }
    ensure_eq!(tokens.erase(&ada).await?, 0, "number of tokens that were erased twice");
    Ok(())
}
