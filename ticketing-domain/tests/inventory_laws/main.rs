//! Laws of the inventory: its counts are right whatever is asked of a section, and in whatever order.
//!
//! Sections are tiny and reservations few, so that random commands often conflict. The right answer comes from a
//! plain list of places and, for the best seats, from a search through all choices.

#![expect(clippy::unwrap_used, reason = "the test of a broken law fails by panicking")]

mod asked;
mod halls;
mod plain_list;
mod section;
mod snapshots;
mod trying_everything;

use std::collections::BTreeSet;

use asked::{KINDS, RESERVATIONS, any_command, any_event, any_moment, newcomers_command, row_of_runs, seating, steps};
use chrono::TimeDelta;
use plain_list::PlainList;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use section::{answer, buyer_of, customer_of, expired, live_states, open, opened, reservation, sorted, take_in};
use ticketing_domain::inventory::{Claim, ClaimKind, Counted, InventoryEvent, InventoryState};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CodeId, TicketTypeId, TierId};
use uuid::Uuid;

/// Returns everything that can be counted: all places, and those of each ticket type and tier, and with each code.
fn counted() -> impl Iterator<Item = Counted> {
    let kinds = KINDS.into_iter().flat_map(|(ticket_type, tier)| {
        [
            Counted::TicketType(TicketTypeId::new(Uuid::from_u128(ticket_type))),
            Counted::Tier(TierId::new(Uuid::from_u128(tier))),
            Counted::Code(CodeId::new(Uuid::from_u128(ticket_type))),
        ]
    });
    kinds.chain([Counted::All])
}

proptest! {
    #[test]
    fn every_answer_is_that_of_a_plain_list_of_places(seating in seating(), steps in steps()) {
        let mut books = PlainList::new(&seating);
        let mut section = open(seating);
        for (now, command) in steps {
            match (answer(&section, &command, now), books.refusal(&command, now)) {
                (Err(refused), expected) => prop_assert_eq!(Some(refused), expected),
                (Ok(events), expected) => {
                    prop_assert_eq!(expected, None, "the command was to be refused, but led to {:?}", events);
                    books.check_and_apply(&command, &events, now);
                    take_in(&mut section, &events);
                }
            }
            prop_assert_eq!(section.counts(now), books.counts(now));
            prop_assert_eq!(section.seat_rows(now), books.seat_rows(now));
            prop_assert_eq!(section.lapsed(now).collect::<Vec<_>>(), books.ends(|end| end <= now));
            prop_assert_eq!(section.next_lapse(now), books.ends(|end| end > now).first().copied());
            for counted in counted() {
                prop_assert_eq!(section.taken(counted), books.taken(counted, None));
                let by = reservation(RESERVATIONS[1]);
                prop_assert_eq!(section.taken_by(by, counted), books.taken(counted, Some(by)));
            }
            for reservation in RESERVATIONS.map(reservation) {
                let claim = section.claim(reservation).map(|Claim { kind, seats }| (kind, sorted(seats)));
                prop_assert_eq!(claim, books.claim(reservation));
                for customer in [customer_of(reservation), buyer_of(reservation)] {
                    prop_assert_eq!(section.held_by(customer).collect::<Vec<_>>(), books.held_by(customer));
                    prop_assert_eq!(section.sold_with(customer, Counted::All), books.sold_to(customer));
                }
            }
        }
    }

    #[test]
    fn every_fact_can_be_undone_also_one_that_contradicts_the_others(
        seating in seating(),
        events in vec(any_event(), 0..20),
    ) {
        let mut section = InventoryState::default();
        let mut journal = Vec::new();
        for event in std::iter::once(opened(seating).into()).chain(events) {
            let before = section.clone();
            journal.push((section.evolve(&event), before));
        }
        for (undo, before) in journal.into_iter().rev() {
            section.undo(undo);
            prop_assert_eq!(&section, &before);
        }
    }

    #[test]
    fn no_seat_is_ever_claimed_twice(seating in seating(), steps in steps()) {
        let capacity = seating.capacity();
        for (_, section) in live_states(seating, &steps) {
            let claims: Vec<_> = section.reservations().filter_map(|by| section.claim(by)).collect();
            let claimed: u32 = claims.iter().map(|claim| claim.seats.quantity()).sum();
            prop_assert!(claimed <= capacity);
            let named: Vec<_> = claims.iter().flat_map(|claim| claim.seats.seats()).collect();
            let distinct: BTreeSet<_> = named.iter().collect();
            prop_assert_eq!(named.len(), distinct.len());
        }
    }

    #[test]
    fn held_sold_blocked_and_available_always_add_up_to_the_capacity(seating in seating(), steps in steps()) {
        let capacity = seating.capacity();
        for (now, section) in live_states(seating, &steps) {
            for moment in [Timestamp::MIN_UTC, now, Timestamp::MAX_UTC] {
                prop_assert_eq!(section.counts(moment).capacity(), capacity);
            }
        }
    }

    #[test]
    fn a_replay_of_the_events_gives_the_live_state(seating in seating(), steps in steps()) {
        let mut section = open(seating.clone());
        let mut history = Vec::new();
        for (now, command) in steps {
            let events = answer(&section, &command, now).unwrap_or_default();
            take_in(&mut section, &events);
            history.extend(events);
        }
        let mut replayed = open(seating);
        take_in(&mut replayed, &history);
        prop_assert_eq!(replayed, section);
    }

    #[test]
    fn a_section_goes_on_from_a_snapshot_as_if_all_facts_had_been_read(
        seating in seating(),
        steps in steps(),
        stop in any::<Index>(),
    ) {
        let mut section = open(seating.clone());
        let mut history = vec![opened(seating).into()];
        for (now, command) in steps {
            let events = answer(&section, &command, now).unwrap_or_default();
            take_in(&mut section, &events);
            history.extend(events);
        }
        snapshots::check_a_stop(&history, stop)?;
    }

    #[test]
    fn a_section_goes_on_from_a_snapshot_however_absurd_its_history(
        history in vec(any_event(), 0..12),
        stop in any::<Index>(),
    ) {
        snapshots::check_a_stop(&history, stop)?;
    }

    #[test]
    fn a_damaged_snapshot_is_refused_or_a_section_with_right_books(
        history in vec(any_event(), 0..12),
        changes in vec((any::<Index>(), prop_oneof![any::<u8>(), 0..5_u8]), 0..3),
        end in proptest::option::of(any::<Index>()),
    ) {
        let mut section = InventoryState::default();
        take_in(&mut section, &history);
        snapshots::check_damage(&section, &changes, end)?;
    }

    #[test]
    fn deciding_twice_gives_one_answer_and_changes_nothing(seating in seating(), steps in steps()) {
        for (now, section) in live_states(seating, &steps) {
            let before = section.clone();
            for (_, command) in &steps {
                prop_assert_eq!(answer(&section, command, now), answer(&before, command, now));
            }
            prop_assert_eq!(section, before);
        }
    }

    #[test]
    fn a_hold_that_ran_out_never_stands_in_anybodys_way(
        seating in seating(),
        steps in steps(),
        command in newcomers_command(),
        wait in 0..8_i64,
    ) {
        let (now, section) = live_states(seating, &steps).pop().expect("the list begins with the opened section");
        let now = now + TimeDelta::seconds(wait);

        let mut cleaned_up = section.clone();
        for reservation in section.reservations() {
            if let Some(Claim { kind: ClaimKind::Held { until }, seats }) = section.claim(reservation)
                && until <= now
            {
                cleaned_up.evolve(&expired(reservation, seats.quantity()));
            }
        }

        let release_aside = |events: Vec<InventoryEvent>| -> Vec<_> {
            events.into_iter().filter(|event| !matches!(event, InventoryEvent::SeatsReleased(_))).collect()
        };
        prop_assert_eq!(
            answer(&section, &command, now).map(release_aside),
            answer(&cleaned_up, &command, now),
        );
    }

    #[test]
    fn no_history_however_absurd_makes_the_books_wrong(
        history in vec(any_event(), 0..12),
        commands in vec(any_command(), 2),
        now in any_moment(),
    ) {
        let mut section = InventoryState::default();
        let mut capacity = None;
        for event in history {
            section.evolve(&event);
            let counts = section.counts(now);
            if section.is_open() {
                prop_assert_eq!(counts.capacity(), *capacity.get_or_insert(counts.capacity()));
                let claims = section.reservations().filter_map(|by| section.claim(by));
                let standing = claims.filter(|claim| !matches!(claim.kind, ClaimKind::Held { until } if until <= now));
                let claimed: u32 = standing.map(|claim| claim.seats.quantity()).sum();
                prop_assert_eq!(counts.held + counts.sold, claimed);
            } else {
                prop_assert_eq!(&section, &InventoryState::default());
            }
            for command in &commands {
                if let Ok(events) = answer(&section, command, now) {
                    prop_assert!(!events.is_empty());
                }
            }
        }
    }

    #[test]
    fn the_best_seats_are_those_found_by_trying_everything(
        rows in vec(vec(any::<bool>(), 0..9), 1..6),
        quantity in 1..12_u32,
    ) {
        trying_everything::check_best_seats(&rows, quantity);
    }
}

proptest! {
    #![proptest_config(ticketing_testkit::property::costing(5))]

    #[test]
    fn the_best_seats_of_wide_rows_are_those_found_by_trying_everything(
        rows in vec(row_of_runs(), 1..4),
        quantity in prop_oneof![1..12_u32, 55..75_u32],
    ) {
        trying_everything::check_best_seats(&rows, quantity);
    }
}
