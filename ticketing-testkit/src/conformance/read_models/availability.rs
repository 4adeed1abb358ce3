//! Counting the places of each section.

use ticketing_ports::read_models::changes::{Change, Hold};

use super::models::ReadModels;
use super::rows::{created, event_id, label, moved, opened, reservation_id, section_id};
use crate::conformance::fixtures::at;
use crate::conformance::{Broken, Verdict, ensure_eq};

pub(super) async fn counts_of_a_section_add_up_to_its_capacity(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), opened(1, 1, 10), opened(1, 2, 20)])
        .await?;
    let moves: [(i64, i64, i64, [u32; 4]); 5] = [
        (0, 0, 0, [10, 0, 0, 0]),
        (-4, 4, 0, [6, 4, 0, 0]),
        (0, -3, 3, [6, 1, 3, 0]),
        (1, -1, 0, [7, 0, 3, 0]),
        (-7, 0, 0, [0, 0, 3, 7]),
    ];
    for (available, held, sold, expected) in moves {
        models.apply(vec![moved(1, available, held, sold)]).await?;
        let counts = models.counts(1).await?;
        let [first, second] = counts.as_slice() else {
            return Err(Broken::because("a section is missing"));
        };
        let actual = [first.available, first.held, first.sold, first.blocked];
        ensure_eq!(actual, expected, "available, held, sold and blocked");
        ensure_eq!(first.capacity(), 10, "the sum of the counts");
        ensure_eq!(second.available, 20, "seats of another section");
    }
    Ok(())
}

pub(super) async fn sections_stand_in_the_organisers_order(models: &ReadModels) -> Verdict {
    ensure_eq!(
        models.availability.availability(event_id(1), at(0)).await?,
        None,
        "unknown event"
    );
    models
        .apply(vec![created(1), created(2), opened(1, 3, 30), opened(1, 1, 10)])
        .await?;
    models.apply(vec![opened(2, 4, 40), opened(1, 2, 20)]).await?;
    models.apply(vec![moved(1, -1, 1, 0)]).await?;
    let found = models.availability.availability(event_id(1), at(0)).await?;
    let Some(found) = found else {
        return Err(Broken::because("the event has no availability"));
    };
    ensure_eq!(found.event_id, event_id(1), "event");
    let sections: Vec<_> = found
        .sections
        .iter()
        .map(|section| (section.section_id, section.name.clone(), section.total_capacity))
        .collect();
    let expected = [(3, 30), (1, 10), (2, 20)]
        .map(|(number, capacity)| (section_id(number), label(&format!("Section {number}")), capacity));
    ensure_eq!(sections, expected, "sections");
    let updated: Vec<_> = found.sections.iter().map(|section| section.last_updated).collect();
    ensure_eq!(updated, [at(0), at(1), at(0)], "times of the last change");
    Ok(())
}

fn hold(number: usize, section: usize, quantity: u32, until: i64) -> Change {
    Change::HoldBegan(Hold {
        reservation_id: reservation_id(number),
        section_id: section_id(section),
        quantity,
        until: at(until),
    })
}

fn hold_ended(number: usize, section: usize) -> Change {
    Change::HoldEnded {
        reservation_id: reservation_id(number),
        section_id: section_id(section),
    }
}

pub(super) async fn a_hold_that_ran_out_counts_as_available_until_it_ends(models: &ReadModels) -> Verdict {
    models
        .apply(vec![created(1), opened(1, 1, 10), opened(1, 2, 20)])
        .await?;
    models
        .apply(vec![
            moved(1, -3, 3, 0),
            hold(1, 1, 3, 100),
            moved(1, -2, 2, 0),
            hold(2, 1, 2, 200),
        ])
        .await?;
    // A hold that begins and ends within one batch is never counted.
    models
        .apply(vec![
            moved(2, -4, 4, 0),
            hold(3, 2, 4, 50),
            moved(2, 4, -4, 0),
            hold_ended(3, 2),
        ])
        .await?;
    let counts = async |now| -> Result<Vec<(u32, u32)>, Broken> {
        let found = models.availability.availability(event_id(1), now).await?;
        let sections = found.map(|found| found.sections).unwrap_or_default();
        let counts = sections.into_iter().map(|section| section.counts);
        Ok(counts.map(|counts| (counts.available, counts.held)).collect())
    };
    let just_before = at(100) - chrono::TimeDelta::microseconds(1);
    ensure_eq!(
        counts(just_before).await?,
        [(5, 5), (20, 0)],
        "counts just before the first hold runs out"
    );
    ensure_eq!(
        counts(at(100)).await?,
        [(8, 2), (20, 0)],
        "counts when the first hold has run out"
    );
    ensure_eq!(
        counts(at(200)).await?,
        [(10, 0), (20, 0)],
        "counts when both holds have run out"
    );
    models.apply(vec![moved(1, 0, 0, 0), hold(2, 1, 2, 300)]).await?;
    ensure_eq!(
        counts(at(200)).await?,
        [(8, 2), (20, 0)],
        "counts once the second hold lasts longer"
    );
    models.apply(vec![moved(1, 3, -3, 0), hold_ended(1, 1)]).await?;
    models.apply(vec![hold_ended(1, 1)]).await?;
    ensure_eq!(
        counts(at(100)).await?,
        [(8, 2), (20, 0)],
        "counts once the first hold is released"
    );
    models.apply(vec![moved(1, 0, -2, 2), hold_ended(2, 1)]).await?;
    ensure_eq!(
        counts(at(200)).await?,
        [(8, 0), (20, 0)],
        "counts once the second hold is sold"
    );
    Ok(())
}

pub(super) async fn a_reservation_holds_places_of_each_section_by_itself(models: &ReadModels) -> Verdict {
    open_three_sections(models).await?;
    models
        .apply(vec![
            moved(1, -3, 3, 0),
            hold(1, 1, 3, 100),
            moved(2, -2, 2, 0),
            hold(1, 2, 2, 100),
        ])
        .await?;
    let counts = async || -> Result<Vec<(u32, u32)>, Broken> {
        let found = models.availability.availability(event_id(1), at(100)).await?;
        let sections = found.map(|found| found.sections).unwrap_or_default();
        let counts = sections.into_iter().map(|section| section.counts);
        Ok(counts.map(|counts| (counts.available, counts.held)).collect())
    };
    ensure_eq!(
        counts().await?,
        [(10, 0), (10, 0)],
        "counts when the hold of both sections has run out"
    );
    // Somebody else has taken the places of the first section.
    models
        .apply(vec![
            moved(1, 3, -3, 0),
            hold_ended(1, 1),
            moved(1, -3, 3, 0),
            hold(2, 1, 3, 400),
        ])
        .await?;
    ensure_eq!(
        counts().await?,
        [(7, 3), (10, 0)],
        "counts once the hold has ended in the first section only"
    );
    models.apply(vec![moved(2, 2, -2, 0), hold_ended(1, 2)]).await?;
    ensure_eq!(
        counts().await?,
        [(7, 3), (10, 0)],
        "counts once the hold has ended in both sections"
    );
    Ok(())
}

/// The first event has sections 1 and 2, the second has section 3; each has 10 places.
async fn open_three_sections(models: &ReadModels) -> Verdict {
    let opened = vec![
        created(1),
        created(2),
        opened(1, 1, 10),
        opened(1, 2, 10),
        opened(2, 3, 10),
    ];
    models.apply(opened).await
}

pub(super) async fn holds_that_ran_out_are_counted(models: &ReadModels) -> Verdict {
    open_three_sections(models).await?;
    let mut changes = Vec::new();
    for (number, section) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
        changes.extend([moved(section, -1, 1, 0), hold(number, section, 1, 100 * number as i64)]);
    }
    models.apply(changes).await?;
    let lapsed = async |now: i64| -> Result<u64, Broken> {
        let found = models.availability.availability(event_id(1), at(now)).await?;
        Ok(found.map_or(0, |found| found.lapsed))
    };
    for (now, expected) in [(0, 0), (100, 1), (250, 2), (900, 3)] {
        ensure_eq!(lapsed(now).await?, expected, "holds that have run out");
    }
    models.apply(vec![moved(1, 1, -1, 0), hold_ended(2, 1)]).await?;
    ensure_eq!(
        lapsed(900).await?,
        2,
        "number of holds that have run out and were not released"
    );
    Ok(())
}

pub(super) async fn the_sequence_grows_by_one_with_every_change_of_a_count(models: &ReadModels) -> Verdict {
    open_three_sections(models).await?;
    let sequence = async |event: usize| -> Result<u64, Broken> {
        let found = models.availability.availability(event_id(event), at(0)).await?;
        Ok(found.map_or(0, |found| found.sequence))
    };
    let (first, other) = (sequence(1).await?, sequence(2).await?);
    models.apply(vec![moved(1, -1, 1, 0)]).await?;
    ensure_eq!(sequence(1).await?, first + 1, "sequence after one change");
    models.apply(vec![moved(2, -1, 1, 0), moved(1, -1, 1, 0)]).await?;
    ensure_eq!(sequence(1).await?, first + 3, "sequence after two more");
    ensure_eq!(sequence(2).await?, other, "sequence of another event");
    Ok(())
}
