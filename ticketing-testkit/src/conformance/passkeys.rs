//! The conformance tests that every implementation of [`PasskeyStore`] must pass.

use std::sync::Arc;

use ticketing_ports::people::passkeys::{AddPasskeyError, Passkey, PasskeyStore};

use super::fixtures::{at, person, user};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for passkeys. Its argument is an expression that returns a new
    /// `Arc<dyn PasskeyStore>`.
    passkey_store_conformance in passkeys for Arc<dyn PasskeyStore> {
        a_credential_belongs_to_one_user,
        exactly_one_racing_registration_of_a_credential_wins,
        a_user_has_no_more_passkeys_than_it_may_have,
        racing_registrations_never_exceed_what_a_user_may_have,
        a_passkey_comes_back_as_it_was_added,
        an_unknown_passkey_is_nothing,
        an_update_from_a_stale_counter_is_refused,
        exactly_one_racing_update_from_a_counter_wins,
        an_update_does_not_give_a_passkey_to_somebody_else,
        passkeys_of_a_user_are_listed_oldest_first,
        a_passkey_is_renamed_by_its_owner_only,
        a_removed_passkey_is_gone,
        erasing_the_passkeys_of_a_person_spares_everybody_else,
        only_its_owner_removes_a_passkey,
    }
}

fn passkey(number: usize) -> Passkey {
    Passkey {
        credential_id: vec![number as u8, 0, 255],
        user_id: user(1),
        name: format!("Key {number}"),
        credential: vec![b'\'', 0, number as u8],
        counter: 7,
        created_at: at(number as i64),
        last_used_at: None,
        suspect: false,
    }
}

async fn a_credential_belongs_to_one_user(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    for user_id in [user(1), user(2)] {
        let again = Passkey { user_id, ..passkey(1) };
        let outcome = passkeys.add(again, 10).await;
        ensure!(
            matches!(outcome, Err(AddPasskeyError::Taken)),
            "{outcome:?} instead of the error for a taken credential"
        );
    }
    let found = passkeys.find(&passkey(1).credential_id).await?;
    ensure_eq!(found, Some(passkey(1)), "the first registration");
    ensure_eq!(passkeys.passkeys_of(user(2)).await?, [], "passkeys of the second user");
    Ok(())
}

async fn a_user_has_no_more_passkeys_than_it_may_have(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    let elsewhere = Passkey {
        user_id: user(2),
        ..passkey(9)
    };
    passkeys.add(elsewhere, 1).await?;
    for number in 1..=3 {
        passkeys.add(passkey(number), 3).await?;
    }
    let outcome = passkeys.add(passkey(4), 3).await;
    ensure!(
        matches!(outcome, Err(AddPasskeyError::TooMany)),
        "{outcome:?} instead of the error for too many passkeys"
    );
    ensure_eq!(
        passkeys.find(&passkey(4).credential_id).await?,
        None,
        "the fourth passkey, which was refused"
    );
    let outcome = passkeys.add(passkey(1), 3).await;
    ensure!(
        matches!(outcome, Err(AddPasskeyError::Taken)),
        "{outcome:?} instead of the error for a taken credential"
    );
    passkeys.remove(user(1), &passkey(2).credential_id).await?;
    passkeys.add(passkey(4), 3).await?;
    Ok(())
}

async fn racing_registrations_never_exceed_what_a_user_may_have(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    let outcomes = race(14, |racer| {
        let passkeys = Arc::clone(passkeys);
        async move {
            match passkeys.add(passkey(racer), 10).await {
                Ok(()) => Ok(true),
                Err(AddPasskeyError::TooMany) => Ok(false),
                Err(error) => Err(Broken::from(error)),
            }
        }
    })
    .await?;
    let mut added = 0;
    for outcome in outcomes {
        added += usize::from(outcome?);
    }
    ensure_eq!(added, 10, "number of registrations that were answered with success");
    ensure_eq!(passkeys.passkeys_of(user(1)).await?.len(), 10, "passkeys of the user");
    Ok(())
}

async fn exactly_one_racing_registration_of_a_credential_wins(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    let outcomes = race(16, |racer| {
        let passkeys = Arc::clone(passkeys);
        async move {
            let own = Passkey {
                user_id: user(racer),
                ..passkey(1)
            };
            match passkeys.add(own, 10).await {
                Ok(()) => Ok(true),
                Err(AddPasskeyError::Taken) => Ok(false),
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
    ensure_eq!(winners.len(), 1, "number of racers that succeeded");
    let found = passkeys.find(&passkey(1).credential_id).await?;
    ensure_eq!(
        found.map(|key| key.user_id),
        winners.first().copied(),
        "user who has the passkey"
    );
    Ok(())
}

async fn a_passkey_comes_back_as_it_was_added(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    let varied = [
        passkey(1),
        Passkey {
            name: "Ada's \"blue\" one, ä".to_owned(),
            credential_id: vec![9; 1023],
            credential: vec![255; 10_000],
            counter: u32::MAX,
            last_used_at: Some(at(9)),
            suspect: true,
            ..passkey(2)
        },
    ];
    for one in varied {
        passkeys.add(one.clone(), 10).await?;
        ensure_eq!(passkeys.find(&one.credential_id).await?, Some(one), "passkey");
    }
    Ok(())
}

async fn an_unknown_passkey_is_nothing(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    let unknown = passkey(2);
    ensure_eq!(passkeys.find(&unknown.credential_id).await?, None, "unknown passkey");
    ensure!(
        !passkeys.update(unknown.clone(), 7).await?,
        "an unknown passkey was updated"
    );
    ensure_eq!(passkeys.find(&unknown.credential_id).await?, None, "updated passkey");
    ensure!(
        !passkeys.remove(user(1), &unknown.credential_id).await?,
        "an unknown passkey was removed"
    );
    ensure_eq!(passkeys.passkeys_of(user(2)).await?, [], "passkeys of nobody");
    Ok(())
}

async fn an_update_from_a_stale_counter_is_refused(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    let used = Passkey {
        counter: 8,
        last_used_at: Some(at(1)),
        credential: vec![8],
        name: "Renamed".to_owned(),
        suspect: true,
        ..passkey(1)
    };
    ensure!(
        passkeys.update(used.clone(), 7).await?,
        "an update that names the stored counter was refused"
    );
    let id = &used.credential_id;
    ensure_eq!(passkeys.find(id).await?, Some(used.clone()), "updated passkey");
    for seen in [7, 9] {
        let other = Passkey {
            counter: 10,
            ..used.clone()
        };
        ensure!(
            !passkeys.update(other, seen).await?,
            "an update from counter {seen} instead of 8 was accepted"
        );
    }
    ensure_eq!(passkeys.find(id).await?, Some(used), "passkey after refused updates");
    Ok(())
}

async fn exactly_one_racing_update_from_a_counter_wins(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    let outcomes = race(16, |racer| {
        let passkeys = Arc::clone(passkeys);
        async move {
            let used = Passkey {
                counter: 8 + racer as u32,
                ..passkey(1)
            };
            passkeys.update(used, 7).await
        }
    })
    .await?;
    let mut winners = Vec::new();
    for (racer, outcome) in outcomes.into_iter().enumerate() {
        if outcome? {
            winners.push(8 + racer as u32);
        }
    }
    ensure_eq!(winners.len(), 1, "number of racers that succeeded");
    let found = passkeys.find(&passkey(1).credential_id).await?;
    ensure_eq!(
        found.map(|key| key.counter),
        winners.first().copied(),
        "counter after the race"
    );
    Ok(())
}

async fn an_update_does_not_give_a_passkey_to_somebody_else(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    let stolen = Passkey {
        user_id: user(2),
        counter: 8,
        ..passkey(1)
    };
    ensure!(!passkeys.update(stolen, 7).await?, "an update changed the owner");
    let found = passkeys.find(&passkey(1).credential_id).await?;
    ensure_eq!(found, Some(passkey(1)), "passkey");
    Ok(())
}

async fn passkeys_of_a_user_are_listed_oldest_first(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    // Sorted by id the passkeys have another order than by time, so a store that sorts by id fails.
    let [first, second, third] = [(3, 1), (1, 2), (2, 3)].map(|(number, time)| Passkey {
        created_at: at(time),
        ..passkey(number)
    });
    let another = Passkey {
        user_id: user(2),
        ..passkey(4)
    };
    for one in [&second, &another, &third, &first] {
        passkeys.add(one.clone(), 10).await?;
    }
    let listed = passkeys.passkeys_of(user(1)).await?;
    ensure_eq!(listed, [first, second, third], "passkeys of the user");
    Ok(())
}

async fn a_removed_passkey_is_gone(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    passkeys.add(passkey(2), 10).await?;
    let id = passkey(1).credential_id;
    ensure!(
        passkeys.remove(user(1), &id).await?,
        "an existing passkey was not found"
    );
    ensure_eq!(passkeys.find(&id).await?, None, "removed passkey");
    ensure_eq!(
        passkeys.passkeys_of(user(1)).await?,
        [passkey(2)],
        "passkeys of the user"
    );
    ensure!(!passkeys.remove(user(1), &id).await?, "a passkey was removed twice");
    ensure!(!passkeys.update(passkey(1), 7).await?, "a removed passkey was updated");
    Ok(())
}

async fn only_its_owner_removes_a_passkey(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    let id = passkey(1).credential_id;
    ensure!(!passkeys.remove(user(2), &id).await?, "somebody else removed a passkey");
    ensure_eq!(passkeys.find(&id).await?, Some(passkey(1)), "passkey");
    Ok(())
}

async fn a_passkey_is_renamed_by_its_owner_only(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    passkeys.add(passkey(1), 10).await?;
    let id = passkey(1).credential_id;
    ensure!(
        !passkeys.rename(user(2), &id, "Mine").await?,
        "somebody else renamed a passkey"
    );
    ensure!(
        !passkeys.rename(user(1), &[9], "Mine").await?,
        "an unknown passkey was renamed"
    );
    ensure_eq!(passkeys.find(&id).await?, Some(passkey(1)), "passkey");
    ensure!(
        passkeys.rename(user(1), &id, "Blue, 'new' ä").await?,
        "the owner of a passkey could not rename it"
    );
    let renamed = Passkey {
        name: "Blue, 'new' ä".to_owned(),
        ..passkey(1)
    };
    ensure_eq!(passkeys.find(&id).await?, Some(renamed), "renamed passkey");
    Ok(())
}

async fn erasing_the_passkeys_of_a_person_spares_everybody_else(passkeys: &Arc<dyn PasskeyStore>) -> Verdict {
    let others = Passkey {
        user_id: user(2),
        ..passkey(3)
    };
    for one in [passkey(1), passkey(2), others.clone()] {
        passkeys.add(one, 10).await?;
    }
    ensure_eq!(passkeys.erase(&person(1)).await?, 2, "number of erased passkeys");
    ensure_eq!(passkeys.passkeys_of(user(1)).await?, [], "passkeys of the erased user");
    ensure_eq!(
        passkeys.find(&passkey(1).credential_id).await?,
        None,
        "an erased passkey"
    );
    ensure_eq!(
        passkeys.passkeys_of(user(2)).await?,
        [others],
        "passkeys of somebody else"
    );
    ensure_eq!(
        passkeys.erase(&person(1)).await?,
        0,
        "number of passkeys that were erased twice"
    );
    Ok(())
}
