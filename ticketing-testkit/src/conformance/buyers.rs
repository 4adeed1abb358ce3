//! The conformance tests that every implementation of [`BuyerStore`] must pass.

use std::sync::Arc;

use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::erase::Person;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::ReservationId;
use uuid::Uuid;

use super::fixtures::{person, user};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for buyers. Its argument is an expression that returns a new
    /// `Arc<dyn BuyerStore>`.
    buyer_store_conformance in buyers for Arc<dyn BuyerStore> {
        an_address_is_of_one_person,
        racing_askers_are_told_one_person,
        an_order_has_the_address_that_was_given_last,
        a_first_address_never_replaces_another,
        an_order_without_an_address_has_none,
        an_erased_person_has_no_address,
    }
}

fn address(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).expect("the text is a valid address")
}

fn order(number: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(0x0D_0000_0000 + number))
}

async fn an_address_is_of_one_person(buyers: &Arc<dyn BuyerStore>) -> Verdict {
    let ada = address("ada");
    ensure_eq!(buyers.person_of(&ada, user(1)).await?, user(1), "the first asker");
    ensure_eq!(buyers.person_of(&ada, user(2)).await?, user(1), "a later asker");
    ensure_eq!(
        buyers.person_of(&address("bob"), user(3)).await?,
        user(3),
        "the person with another address"
    );
    Ok(())
}

async fn racing_askers_are_told_one_person(buyers: &Arc<dyn BuyerStore>) -> Verdict {
    let told = race(16, |racer| {
        let buyers = Arc::clone(buyers);
        async move { buyers.person_of(&address("ada"), user(racer)).await }
    })
    .await?;
    let mut people = Vec::new();
    for person in told {
        people.push(person.map_err(Broken::from)?);
    }
    people.dedup();
    ensure_eq!(people.len(), 1, "number of people whom the racers were told");
    ensure_eq!(
        Some(&buyers.person_of(&address("ada"), user(99)).await?),
        people.first(),
        "the person whom a late asker is told"
    );
    Ok(())
}

async fn an_order_has_the_address_that_was_given_last(buyers: &Arc<dyn BuyerStore>) -> Verdict {
    for name in ["adda", "ada"] {
        buyers.give_address(order(1), &address(name)).await?;
    }
    buyers.give_address(order(2), &address("bob")).await?;
    ensure_eq!(
        buyers.address_of(order(1)).await?,
        Some(address("ada")),
        "the address after a correction"
    );
    ensure_eq!(
        buyers.address_of(order(2)).await?,
        Some(address("bob")),
        "the address of another order"
    );
    Ok(())
}

async fn a_first_address_never_replaces_another(buyers: &Arc<dyn BuyerStore>) -> Verdict {
    for name in ["ada", "bob"] {
        buyers.give_first_address(order(1), &address(name)).await?;
        ensure_eq!(
            buyers.address_of(order(1)).await?,
            Some(address("ada")),
            "the first address"
        );
    }
    buyers.give_address(order(1), &address("eve")).await?;
    buyers.give_first_address(order(1), &address("ada")).await?;
    ensure_eq!(
        buyers.address_of(order(1)).await?,
        Some(address("eve")),
        "the address after a correction"
    );
    Ok(())
}

async fn an_order_without_an_address_has_none(buyers: &Arc<dyn BuyerStore>) -> Verdict {
    buyers.give_address(order(1), &address("ada")).await?;
    ensure_eq!(buyers.address_of(order(2)).await?, None, "an unknown order");
    Ok(())
}

async fn an_erased_person_has_no_address(buyers: &Arc<dyn BuyerStore>) -> Verdict {
    // An erasure that failed half-way earlier knows the person by the id only.
    for (number, email) in [(1, None), (3, Some(address("ada")))] {
        let erased = Person {
            email,
            ..person(number)
        };
        buyers.person_of(&address("ada"), user(number)).await?;
        buyers.person_of(&address("bob"), user(2)).await?;
        for (number, name) in [(1, "ada"), (2, "ada"), (3, "bob")] {
            buyers.give_address(order(number), &address(name)).await?;
        }
        ensure_eq!(buyers.erase(&erased).await?, 3, "number of erased records");
        for number in [1, 2] {
            ensure_eq!(buyers.address_of(order(number)).await?, None, "an erased address");
        }
        ensure_eq!(
            buyers.address_of(order(3)).await?,
            Some(address("bob")),
            "the address of somebody else"
        );
        ensure_eq!(buyers.erase(&erased).await?, 0, "number of records erased twice");
        ensure_eq!(
            buyers.person_of(&address("bob"), user(9)).await?,
            user(2),
            "somebody else"
        );
    }
    let later = buyers.person_of(&address("ada"), user(4)).await?;
    ensure!(later == user(4), "the address is still of {later:?}");
    Ok(())
}
