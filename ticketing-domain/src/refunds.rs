//! How much money a customer who cancels a paid reservation gets back.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::RefundRule;
use ticketing_ports::vocabulary::money::Money;

/// What decides how much a customer who cancels one reservation gets back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundTerms<'a> {
    /// The rules of the event, sorted with the longest notice first.
    pub policy: &'a [RefundRule],
    /// When the event begins.
    pub starts_at: Timestamp,
    /// What the customer has paid.
    pub paid: Money,
    /// How much of that has not gone back yet.
    pub left: Money,
}

/// A later change of the amount that goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundChange {
    /// The last moment of the amount before.
    pub after: Timestamp,
    /// How much goes back from then on.
    pub refund: Money,
}

impl RefundTerms<'_> {
    /// Returns how much goes back for cancelling at `now`: what the policy says, but never more than is left.
    pub fn refund(&self, now: Timestamp) -> Money {
        let share = by_policy(self.policy, self.starts_at, now, self.paid);
        if share.amount > self.left.amount {
            self.left
        } else {
            share
        }
    }

    /// Returns whether the event has begun at `now`.
    pub fn event_has_begun(&self, now: Timestamp) -> bool {
        self.starts_at <= now
    }

    /// Returns when the amount that goes back at `now` changes for the first time; `None` if it stays as it is.
    pub fn next_change(&self, now: Timestamp) -> Option<RefundChange> {
        let refund = self.refund(now);
        let ends_of_rules = self
            .policy
            .iter()
            .map(|rule| self.starts_at - chrono::TimeDelta::hours(i64::from(rule.hours_before)));
        ends_of_rules
            .chain([self.starts_at])
            .filter(|end| *end >= now)
            .map(|after| RefundChange {
                after,
                refund: self.refund(after + chrono::TimeDelta::microseconds(1)),
            })
            .find(|change| change.refund != refund)
    }
}

/// Returns the share of `paid` that the policy gives back for cancelling at `now`. The rules in `policy` are sorted,
/// with the longest notice first. Once the event has begun, the customer gets nothing back.
pub fn by_policy(policy: &[RefundRule], starts_at: Timestamp, now: Timestamp, paid: Money) -> Money {
    let notice = starts_at - now;
    let rule = policy
        .iter()
        .find(|rule| notice >= chrono::TimeDelta::hours(i64::from(rule.hours_before)));
    match rule {
        Some(rule) if notice > chrono::TimeDelta::zero() => paid.percent(rule.percent),
        _ => Money::zero(paid.currency),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use ticketing_ports::vocabulary::money::Currency;

    use super::*;

    #[test]
    fn the_longest_notice_that_was_given_decides_the_share() {
        let policy = [
            RefundRule {
                hours_before: 168,
                percent: 100,
            },
            RefundRule {
                hours_before: 72,
                percent: 50,
            },
        ];
        let starts_at = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        let refund =
            |notice| by_policy(&policy, starts_at, starts_at - notice, Money::new(1_001, Currency::EUR)).amount;
        assert_eq!(refund(TimeDelta::days(8)), 1_001);
        assert_eq!(refund(TimeDelta::days(7)), 1_001);
        assert_eq!(refund(TimeDelta::days(7) - TimeDelta::seconds(1)), 500);
        assert_eq!(refund(TimeDelta::days(3)), 500);
        assert_eq!(refund(TimeDelta::days(3) - TimeDelta::seconds(1)), 0);
    }

    #[test]
    fn the_amount_is_told_with_the_moment_at_which_it_changes() {
        let policy = [(168, 100), (72, 50)].map(|(hours_before, percent)| RefundRule { hours_before, percent });
        let starts_at = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        let euros = |amount| Money::new(amount, Currency::EUR);
        let terms = |left| RefundTerms {
            policy: &policy,
            starts_at,
            paid: euros(1_000),
            left: euros(left),
        };
        let change = |left: i64, notice: i64| {
            let now = starts_at - TimeDelta::hours(notice);
            let change = terms(left).next_change(now);
            change.map(|change| ((starts_at - change.after).num_hours(), change.refund.amount))
        };
        assert_eq!(change(1_000, 200), Some((168, 500)));
        assert_eq!(
            change(1_000, 168),
            Some((168, 500)),
            "the last moment of the whole price"
        );
        assert_eq!(change(1_000, 100), Some((72, 0)));
        assert_eq!(change(1_000, 1), None);
        assert_eq!(change(300, 200), Some((72, 0)), "the rest is less than either share");
        assert_eq!(change(0, 200), None);
    }

    #[test]
    fn a_promise_up_to_the_start_ends_at_the_start() {
        let policy = [RefundRule {
            hours_before: 0,
            percent: 80,
        }];
        let starts_at = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        let money = Money::new(1_000, Currency::EUR);
        let terms = RefundTerms {
            policy: &policy,
            starts_at,
            paid: money,
            left: money,
        };
        let change = terms.next_change(starts_at - TimeDelta::hours(5)).unwrap();
        assert_eq!((change.after, change.refund.amount), (starts_at, 0));
        assert!(!terms.event_has_begun(starts_at - TimeDelta::seconds(1)) && terms.event_has_begun(starts_at));
    }

    #[test]
    fn nothing_is_given_back_once_the_event_has_begun() {
        let generous = [RefundRule {
            hours_before: 0,
            percent: 100,
        }];
        let starts_at = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        assert!(by_policy(&generous, starts_at, starts_at, Money::new(1_001, Currency::EUR)).is_zero());
    }
}
