//! Exact fractions of amounts, and how they become whole minor units. No amount and no fraction is negative.

use ticketing_ports::vocabulary::money::MoneyError;
use ticketing_ports::vocabulary::percent::Percent;

/// 100 percent, in millionths.
pub(super) const WHOLE: i128 = 1_000_000;

/// Returns a fraction as a whole number. Half is rounded up.
pub(super) fn rounded(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

/// Returns a share of an amount, rounded to a whole minor unit. Half is rounded up.
pub(super) fn share(of: i64, percent: Percent) -> Result<i64, MoneyError> {
    let share = rounded(i128::from(of) * i128::from(percent.millionths()), WHOLE);
    i64::try_from(share).map_err(|_| MoneyError::Overflow)
}

/// Rounds the sum of fractions, and divides it among them again: each gets the whole number below it, and those with the
/// largest remainders get one more, of equal ones the first.
///
/// This is the method of largest remainders, also called Hare–Niemeyer.
pub(super) fn divided(numerators: &[i128], denominator: i128) -> Vec<i128> {
    let mut parts: Vec<_> = numerators.iter().map(|numerator| numerator / denominator).collect();
    let sum = rounded(numerators.iter().sum(), denominator);
    let missing = sum - parts.iter().sum::<i128>();
    let mut by_remainder: Vec<_> = (0..numerators.len()).collect();
    by_remainder.sort_by_key(|&index| std::cmp::Reverse(numerators[index] % denominator));
    for index in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[index] += 1;
    }
    parts
}
