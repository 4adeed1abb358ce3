//! What every [`OauthTokenStore`] does.

use std::sync::Arc;

use chrono::TimeDelta;
use ticketing_ports::oauth_tokens::{OauthTokenStore, SealedToken};

use super::fixtures::{at, person, user};
use super::{Verdict, ensure_eq, suite};

suite! { $
    /// Makes a test of every rule for sealed tokens; the expression gives a fresh `Arc<dyn OauthTokenStore>`.
    oauth_token_store_conformance in oauth_tokens for Arc<dyn OauthTokenStore> {
        a_token_is_found_by_provider_and_user_until_it_expires,
        storing_again_replaces_the_token,
        a_forgotten_token_is_gone,
        forgetting_a_token_that_is_not_there_is_no_error,
        erasing_the_sealed_tokens_of_a_person_spares_everybody_else,
    }
}

fn token(provider: &str, number: usize) -> SealedToken {
    SealedToken {
        provider: provider.to_owned(),
        user_id: user(number),
        envelope: format!("v1.k1.{provider}.{number}"),
        expires_at: at(60),
    }
}

async fn a_token_is_found_by_provider_and_user_until_it_expires(tokens: &Arc<dyn OauthTokenStore>) -> Verdict {
    let last_moment = at(60) - TimeDelta::microseconds(1);
    let all = [token("google", 1), token("github", 1), token("google", 2)];
    for one in &all {
        tokens.put(one.clone()).await?;
    }
    for one in all {
        let found = tokens.find(&one.provider, one.user_id, last_moment).await?;
        ensure_eq!(found, Some(one), "token in its last moment");
    }
    ensure_eq!(tokens.find("github", user(2), at(0)).await?, None, "unknown token");
    ensure_eq!(tokens.find("google", user(1), at(60)).await?, None, "token at its end");
    Ok(())
}

async fn storing_again_replaces_the_token(tokens: &Arc<dyn OauthTokenStore>) -> Verdict {
    tokens.put(token("google", 1)).await?;
    let newer = SealedToken {
        envelope: "v1.k2.newer".to_owned(),
        expires_at: at(120),
        ..token("google", 1)
    };
    tokens.put(newer.clone()).await?;
    ensure_eq!(tokens.find("google", user(1), at(60)).await?, Some(newer), "token");
    let shorter = SealedToken {
        expires_at: at(30),
        ..token("google", 1)
    };
    tokens.put(shorter).await?;
    ensure_eq!(tokens.find("google", user(1), at(60)).await?, None, "replaced token");
    Ok(())
}

async fn a_forgotten_token_is_gone(tokens: &Arc<dyn OauthTokenStore>) -> Verdict {
    let others = [token("github", 1), token("google", 2)];
    for one in [&token("google", 1)].into_iter().chain(&others) {
        tokens.put(one.clone()).await?;
    }
    tokens.forget("google", user(1)).await?;
    ensure_eq!(tokens.find("google", user(1), at(0)).await?, None, "forgotten token");
    for one in others {
        let found = tokens.find(&one.provider, one.user_id, at(0)).await?;
        ensure_eq!(found, Some(one), "another token");
    }
    Ok(())
}

async fn forgetting_a_token_that_is_not_there_is_no_error(tokens: &Arc<dyn OauthTokenStore>) -> Verdict {
    tokens.forget("google", user(1)).await?;
    Ok(())
}

async fn erasing_the_sealed_tokens_of_a_person_spares_everybody_else(tokens: &Arc<dyn OauthTokenStore>) -> Verdict {
    for one in [token("google", 1), token("github", 1), token("google", 2)] {
        tokens.put(one).await?;
    }
    ensure_eq!(tokens.erase(&person(1)).await?, 2, "erased tokens");
    for provider in ["google", "github"] {
        let found = tokens.find(provider, user(1), at(0)).await?;
        ensure_eq!(found, None, "an erased token of {provider}");
    }
    let another = tokens.find("google", user(2), at(0)).await?;
    ensure_eq!(another, Some(token("google", 2)), "a token of somebody else");
    ensure_eq!(tokens.erase(&person(1)).await?, 0, "tokens erased again");
    Ok(())
}
