//! The conformance tests that every implementation of [`IdentityStore`] must pass.

use std::sync::Arc;

use ticketing_ports::people::identities::{Identity, IdentityStore, LinkIdentityError};

use super::fixtures::{at, person, user};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for identities. Its argument is an expression that returns a new
    /// `Arc<dyn IdentityStore>`.
    identity_store_conformance in identities for Arc<dyn IdentityStore> {
        an_identity_belongs_to_one_user,
        exactly_one_racing_link_of_an_identity_wins,
        linking_an_identity_to_its_user_again_changes_nothing,
        issuer_and_subject_are_compared_exactly,
        identities_of_a_user_are_listed_oldest_first,
        identities_of_an_erased_person_can_be_linked_again,
    }
}

const ISSUER: &str = "https://login.example.com";

fn identity(subject: &str, owner: usize) -> Identity {
    Identity {
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        user_id: user(owner),
        linked_at: at(1),
    }
}

async fn an_identity_belongs_to_one_user(identities: &Arc<dyn IdentityStore>) -> Verdict {
    identities.link(identity("ada", 1)).await?;
    let outcome = identities.link(identity("ada", 2)).await;
    ensure!(
        matches!(outcome, Err(LinkIdentityError::Taken)),
        "{outcome:?} instead of the error for a taken identity"
    );
    ensure_eq!(
        identities.find(ISSUER, "ada").await?,
        Some(identity("ada", 1)),
        "the first link"
    );
    ensure_eq!(
        identities.identities_of(user(2)).await?,
        [],
        "identities of the second user"
    );
    Ok(())
}

async fn exactly_one_racing_link_of_an_identity_wins(identities: &Arc<dyn IdentityStore>) -> Verdict {
    let outcomes = race(16, |racer| {
        let identities = Arc::clone(identities);
        async move {
            match identities.link(identity("ada", racer)).await {
                Ok(()) => Ok(true),
                Err(LinkIdentityError::Taken) => Ok(false),
                Err(error) => Err(Broken::from(error)),
            }
        }
    })
    .await?;
    let mut winners = Vec::new();
    for (racer, outcome) in outcomes.into_iter().enumerate() {
        if outcome? {
            winners.push(user(racer));
        }
    }
    ensure_eq!(winners.len(), 1, "number of racers that linked the identity");
    let found = identities.find(ISSUER, "ada").await?;
    ensure_eq!(
        found.map(|one| one.user_id),
        winners.first().copied(),
        "user who has the identity"
    );
    Ok(())
}

async fn linking_an_identity_to_its_user_again_changes_nothing(identities: &Arc<dyn IdentityStore>) -> Verdict {
    identities.link(identity("ada", 1)).await?;
    let later = Identity {
        linked_at: at(9),
        ..identity("ada", 1)
    };
    identities.link(later).await?;
    ensure_eq!(
        identities.identities_of(user(1)).await?,
        [identity("ada", 1)],
        "identities after the same link again"
    );
    Ok(())
}

async fn issuer_and_subject_are_compared_exactly(identities: &Arc<dyn IdentityStore>) -> Verdict {
    let others = ["ada", "Ada", "ada ", ""].map(|subject| identity(subject, 1));
    let elsewhere = Identity {
        issuer: format!("{ISSUER}/"),
        user_id: user(2),
        ..identity("ada", 1)
    };
    identities.link(elsewhere.clone()).await?;
    ensure_eq!(
        identities.find(ISSUER, "ada").await?,
        None,
        "an identity of another issuer"
    );
    for (number, other) in others.into_iter().enumerate() {
        let other = Identity {
            user_id: user(10 + number),
            ..other
        };
        identities.link(other.clone()).await?;
        ensure_eq!(
            identities.find(ISSUER, &other.subject).await?,
            Some(other.clone()),
            "identity of the subject that was asked for"
        );
    }
    ensure_eq!(
        identities.find(&elsewhere.issuer, "ada").await?,
        Some(elsewhere.clone()),
        "the identity of the other issuer"
    );
    Ok(())
}

async fn identities_of_a_user_are_listed_oldest_first(identities: &Arc<dyn IdentityStore>) -> Verdict {
    // Sorted by subject the identities have another order than by time, so a store that sorts by subject fails.
    let [first, second] = [("zoe", 1), ("ada", 2)].map(|(subject, time)| Identity {
        linked_at: at(time),
        ..identity(subject, 1)
    });
    for one in [&second, &identity("bob", 2), &first] {
        identities.link(one.clone()).await?;
    }
    ensure_eq!(
        identities.identities_of(user(1)).await?,
        [first, second],
        "identities of the user"
    );
    Ok(())
}

async fn identities_of_an_erased_person_can_be_linked_again(identities: &Arc<dyn IdentityStore>) -> Verdict {
    for one in [identity("ada", 1), identity("countess", 1), identity("bob", 2)] {
        identities.link(one).await?;
    }
    ensure_eq!(identities.erase(&person(1)).await?, 2, "number of erased identities");
    ensure_eq!(
        identities.identities_of(user(1)).await?,
        [],
        "identities of the erased user"
    );
    ensure_eq!(identities.find(ISSUER, "ada").await?, None, "an erased identity");
    ensure_eq!(
        identities.identities_of(user(2)).await?,
        [identity("bob", 2)],
        "identities of somebody else"
    );
    identities.link(identity("ada", 2)).await?;
    ensure_eq!(
        identities.erase(&person(1)).await?,
        0,
        "number of identities that were erased twice"
    );
    Ok(())
}
