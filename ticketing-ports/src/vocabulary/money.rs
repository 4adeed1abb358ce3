//! Amounts of money: whole minor units such as cents, a currency, and arithmetic that checks its range.

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// A currency, as three upper-case ASCII letters in the form of an ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency([u8; 3]);

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The text is not three upper-case ASCII letters.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a currency is three upper-case letters")]
pub struct InvalidCurrency;

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// The dollar of the United States.
    pub const USD: Self = Self(*b"USD");

    /// Makes a currency from its code. This does not check whether such a currency exists.
    ///
    /// # Errors
    /// Fails unless the code is three upper-case ASCII letters.
    pub fn new(code: &str) -> Result<Self, InvalidCurrency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if bytes.iter().all(u8::is_ascii_uppercase) {
            Ok(Self(bytes))
        } else {
            Err(InvalidCurrency)
        }
    }

    /// Returns the code of the currency.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency holds ASCII letters only")
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (cents) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The amount in minor units, such as cents. It may be negative.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

/// Why an amount could not be calculated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The two amounts are in different currencies.
    #[error("amounts in {0} and in {1} cannot be added or subtracted")]
    CurrencyMismatch(Currency, Currency),
    /// The result is beyond the range of `i64`.
    #[error("the amount is out of range")]
    Overflow,
}

impl Money {
    /// Makes an amount of `amount` minor units.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Returns an amount of 0 in that currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Returns whether the amount is 0.
    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// Adds two amounts.
    ///
    /// # Errors
    /// Fails if the currencies differ or the sum is out of range.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// Multiplies the amount by `factor`.
    ///
    /// # Errors
    /// Fails if the product is out of range.
    pub fn times(self, factor: u32) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(i64::from(factor)).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// Returns `percent` (0 to 100) of the amount, rounded down to a whole minor unit.
    pub fn percent(self, percent: u8) -> Self {
        let share = i128::from(self.amount) * i128::from(percent.min(100)) / 100;
        Self {
            amount: i64::try_from(share).expect("0 to 100 percent of an i64 fits into an i64"),
            ..self
        }
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch(self.currency, other.currency))
        }
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EUR: Currency = Currency::EUR;

    #[test]
    fn different_currencies_are_never_added() {
        let sum = Money::new(1, EUR).plus(Money::new(1, Currency::USD));
        assert_eq!(sum, Err(MoneyError::CurrencyMismatch(EUR, Currency::USD)));
    }

    #[test]
    fn arithmetic_past_the_range_is_an_error_and_never_wraps() {
        assert_eq!(
            Money::new(i64::MAX, EUR).plus(Money::new(1, EUR)),
            Err(MoneyError::Overflow)
        );
        assert_eq!(Money::new(i64::MAX, EUR).times(2), Err(MoneyError::Overflow));
    }

    #[test]
    fn a_share_is_rounded_down_in_favour_of_the_house() {
        assert_eq!(Money::new(999, EUR).percent(50), Money::new(499, EUR));
        assert_eq!(Money::new(i64::MAX, EUR).percent(100), Money::new(i64::MAX, EUR));
    }

    #[test]
    fn a_currency_is_three_upper_case_letters_and_nothing_else() {
        for code in ["", "EU", "EURO", "eur", "E1R", "ÉU"] {
            assert_eq!(Currency::new(code), Err(InvalidCurrency), "{code:?}");
        }
        assert_eq!(Currency::new("EUR"), Ok(EUR));
    }
}
