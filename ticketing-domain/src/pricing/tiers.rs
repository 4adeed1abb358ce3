//! Finds the price tiers of a section, or of one of its ticket types, that are in force at a given moment.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::PricingTier;
use ticketing_ports::vocabulary::seating::Label;

/// Returns the tiers of a section's ticket type that are in force at `now`, in the order in which their tickets are sold:
/// any number of tiers that have a quantity, and then at most one that has none. In a section without types,
/// `ticket_type` is `None`. A tier is in force from its `available_from` on, until just before its `available_until`.
pub fn tiers_in_force<'a>(
    tiers: &'a [PricingTier],
    section: &'a str,
    ticket_type: Option<&'a Label>,
    now: Timestamp,
) -> impl Iterator<Item = &'a PricingTier> {
    tiers.iter().filter(move |tier| {
        tier.section.as_str() == section
            && tier.ticket_type.as_ref() == ticket_type
            && tier.available_from.is_none_or(|from| from <= now)
            && tier.available_until.is_none_or(|until| now < until)
    })
}

/// Returns the index of each tier that overlaps in time with an earlier tier of the same section and ticket type in the
/// list, although any number of tickets is sold at the price of the earlier one.
pub fn overlapping(tiers: &[PricingTier]) -> Vec<usize> {
    let overlaps_earlier = |&index: &usize| {
        tiers[..index]
            .iter()
            .any(|earlier| earlier.quantity.is_none() && overlap(earlier, &tiers[index]))
    };
    (0..tiers.len()).filter(overlaps_earlier).collect()
}

fn overlap(a: &PricingTier, b: &PricingTier) -> bool {
    let begins_before_end = |x: &PricingTier, y: &PricingTier| match (x.available_from, y.available_until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    a.section == b.section && a.ticket_type == b.ticket_type && begins_before_end(a, b) && begins_before_end(b, a)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ticketing_ports::vocabulary::money::{Currency, Money};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn tier(section: &str, name: &str, from: Option<i64>, until: Option<i64>) -> PricingTier {
        let [section, name] = [section, name].map(|text| Label::new(text).unwrap());
        PricingTier {
            available_from: from.map(at),
            available_until: until.map(at),
            ..PricingTier::always(section, name, Money::new(100, Currency::EUR))
        }
    }

    #[test]
    fn at_the_very_moment_of_a_change_the_later_tier_is_in_force() {
        let tiers = [tier("A", "early", None, Some(10)), tier("A", "late", Some(10), None)];
        let names = |now| tiers_in_force(&tiers, "A", None, at(now)).map(|tier| tier.tier.as_str());
        assert!(names(9).eq(["early"]));
        assert!(names(10).eq(["late"]));
    }

    #[test]
    fn a_gap_between_tiers_has_no_price() {
        let tiers = [tier("A", "early", None, Some(10)), tier("A", "late", Some(20), None)];
        assert_eq!(tiers_in_force(&tiers, "A", None, at(15)).count(), 0);
        assert_eq!(tiers_in_force(&tiers, "B", None, at(5)).count(), 0);
    }

    #[test]
    fn tiers_overlap_within_a_section_only_and_not_where_they_merely_touch() {
        let touching = [tier("A", "early", None, Some(10)), tier("A", "late", Some(10), None)];
        assert_eq!(overlapping(&touching), Vec::<usize>::new());
        let nested = [
            tier("A", "all", None, None),
            tier("B", "all", None, None),
            tier("A", "day", Some(1), Some(2)),
        ];
        assert_eq!(overlapping(&nested), vec![2]);
    }

    #[test]
    fn a_tier_may_follow_one_of_which_a_number_of_tickets_is_sold() {
        let mut tiers = [tier("A", "first", None, None), tier("A", "then", None, None)];
        assert_eq!(overlapping(&tiers), vec![1]);
        tiers[0].quantity = Some(200);
        assert_eq!(overlapping(&tiers), Vec::<usize>::new());
        let names = tiers_in_force(&tiers, "A", None, at(1)).map(|tier| tier.tier.as_str());
        assert!(names.eq(["first", "then"]));
    }
}
