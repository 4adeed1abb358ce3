//! The conformance tests that every implementation of [`UserStore`] must pass.

use std::sync::Arc;

use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::roles::Role;

use super::fixtures::{at, person, user as id};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for users. Its argument is an expression that returns a new
    /// `Arc<dyn UserStore>`.
    user_store_conformance in users for Arc<dyn UserStore> {
        an_address_belongs_to_one_user,
        exactly_one_racing_creator_of_an_address_wins,
        an_id_belongs_to_one_user,
        a_user_is_found_by_id_and_by_address,
        an_unknown_user_is_nothing,
        every_role_is_kept,
        a_changed_role_is_seen_by_the_next_reader,
        an_erased_user_is_gone,
        the_address_of_an_erased_user_is_free_again,
    }
}

fn user(number: usize, email: &str) -> Result<User, Broken> {
    Ok(User {
        id: id(number),
        email: EmailAddress::parse(email)?,
        role: Role::Customer,
        created_at: at(number as i64),
    })
}

fn ensure_taken(outcome: &Result<(), CreateUserError>) -> Verdict {
    ensure!(
        matches!(outcome, Err(CreateUserError::Taken)),
        "{outcome:?} instead of the error for a taken id or address"
    );
    Ok(())
}

async fn an_address_belongs_to_one_user(users: &Arc<dyn UserStore>) -> Verdict {
    let ada = user(1, "ada@example.com")?;
    users.create(ada.clone()).await?;
    ensure_taken(&users.create(user(2, "Ada@Example.com")?).await)?;
    ensure_eq!(users.find(id(2)).await?, None, "the second user");
    ensure_eq!(users.find_by_email(&ada.email).await?, Some(ada), "the first user");
    Ok(())
}

async fn exactly_one_racing_creator_of_an_address_wins(users: &Arc<dyn UserStore>) -> Verdict {
    let outcomes = race(16, |racer| {
        let users = Arc::clone(users);
        async move {
            let racer = user(racer, "ada@example.com")?;
            match users.create(racer).await {
                Ok(()) => Ok(true),
                Err(CreateUserError::Taken) => Ok(false),
                Err(error) => Err(Broken::from(error)),
            }
        }
    })
    .await?;
    let mut winners = Vec::new();
    for (racer, outcome) in outcomes.into_iter().enumerate() {
        if outcome? {
            winners.push(id(racer));
        }
    }
    ensure_eq!(winners.len(), 1, "number of racers that created a user");
    let found = users.find_by_email(&EmailAddress::parse("ada@example.com")?).await?;
    ensure_eq!(
        found.map(|user| user.id),
        winners.first().copied(),
        "the user of the address"
    );
    Ok(())
}

async fn an_id_belongs_to_one_user(users: &Arc<dyn UserStore>) -> Verdict {
    let ada = user(1, "ada@example.com")?;
    let impostor = user(1, "mallory@example.com")?;
    users.create(ada.clone()).await?;
    ensure_taken(&users.create(impostor.clone()).await)?;
    ensure_eq!(users.find(id(1)).await?, Some(ada), "the first user");
    ensure_eq!(users.find_by_email(&impostor.email).await?, None, "the refused user");
    Ok(())
}

async fn a_user_is_found_by_id_and_by_address(users: &Arc<dyn UserStore>) -> Verdict {
    let all = [
        user(1, "ada@example.com")?,
        user(2, "ada.l@example.com")?,
        user(3, "grace@example.com")?,
    ];
    for one in &all {
        users.create(one.clone()).await?;
    }
    for one in all {
        ensure_eq!(users.find(one.id).await?, Some(one.clone()), "user by id");
        ensure_eq!(users.find_by_email(&one.email).await?, Some(one), "user by address");
    }
    Ok(())
}

async fn an_unknown_user_is_nothing(users: &Arc<dyn UserStore>) -> Verdict {
    users.create(user(1, "ada@example.com")?).await?;
    ensure_eq!(users.find(id(2)).await?, None, "unknown id");
    let nobody = EmailAddress::parse("nobody@example.com")?;
    ensure_eq!(users.find_by_email(&nobody).await?, None, "unknown address");
    ensure!(
        !users.set_role(id(2), Role::Admin).await?,
        "the role of an unknown user was changed"
    );
    ensure_eq!(
        users.erase(&person(2)).await?,
        0,
        "number of erased users with an unknown id"
    );
    Ok(())
}

async fn every_role_is_kept(users: &Arc<dyn UserStore>) -> Verdict {
    for (number, role) in Role::ALL.into_iter().enumerate() {
        let one = User {
            role,
            ..user(number, &format!("{}@example.com", role.as_str()))?
        };
        users.create(one.clone()).await?;
        ensure_eq!(users.find(one.id).await?, Some(one), "user");
    }
    Ok(())
}

async fn a_changed_role_is_seen_by_the_next_reader(users: &Arc<dyn UserStore>) -> Verdict {
    let (ada, grace) = (user(1, "ada@example.com")?, user(2, "grace@example.com")?);
    users.create(ada.clone()).await?;
    users.create(grace.clone()).await?;
    for role in [Role::Admin, Role::EventOwner, Role::Customer, Role::Customer] {
        ensure!(users.set_role(ada.id, role).await?, "an existing user was not found");
        let changed = Some(User { role, ..ada.clone() });
        ensure_eq!(users.find(ada.id).await?, changed, "user by id");
        ensure_eq!(users.find_by_email(&ada.email).await?, changed, "user by address");
    }
    ensure_eq!(users.find(grace.id).await?, Some(grace), "another user");
    Ok(())
}

async fn an_erased_user_is_gone(users: &Arc<dyn UserStore>) -> Verdict {
    let (ada, grace) = (user(1, "ada@example.com")?, user(2, "grace@example.com")?);
    users.create(ada.clone()).await?;
    users.create(grace.clone()).await?;
    ensure_eq!(users.erase(&person(1)).await?, 1, "number of erased users");
    ensure_eq!(users.find(ada.id).await?, None, "user by id");
    ensure_eq!(users.find_by_email(&ada.email).await?, None, "user by address");
    ensure_eq!(
        users.erase(&person(1)).await?,
        0,
        "number of users that were erased twice"
    );
    ensure_eq!(users.find(grace.id).await?, Some(grace), "another user");
    Ok(())
}

async fn the_address_of_an_erased_user_is_free_again(users: &Arc<dyn UserStore>) -> Verdict {
    users.create(user(1, "ada@example.com")?).await?;
    users.erase(&person(1)).await?;
    let again = user(2, "ada@example.com")?;
    users.create(again.clone()).await?;
    ensure_eq!(users.find_by_email(&again.email).await?, Some(again), "user by address");
    Ok(())
}
