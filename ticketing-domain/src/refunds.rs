//! How much money a customer who cancels a paid reservation gets back.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::RefundRule;
use ticketing_ports::vocabulary::money::Money;

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
    fn nothing_is_given_back_once_the_event_has_begun() {
        let generous = [RefundRule {
            hours_before: 0,
            percent: 100,
        }];
        let starts_at = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        assert!(by_policy(&generous, starts_at, starts_at, Money::new(1_001, Currency::EUR)).is_zero());
    }
}
