//! Money: an integer of minor units and a currency, with checked arithmetic.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An ISO 4217 code: three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a currency is three upper-case letters")]
pub struct InvalidCurrency;

impl Currency {
    pub const EUR: Self = Self(*b"EUR");
    pub const USD: Self = Self(*b"USD");

    /// # Errors
    /// Unless the code is three upper-case ASCII letters.
    pub fn new(code: &str) -> Result<Self, InvalidCurrency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if bytes.iter().all(u8::is_ascii_uppercase) {
            Ok(Self(bytes))
        } else {
            Err(InvalidCurrency)
        }
    }

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
    pub amount: i64,
    pub currency: Currency,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    #[error("{0} and {1} cannot be mixed")]
    CurrencyMismatch(Currency, Currency),
    #[error("the amount is out of range")]
    Overflow,
}

impl Money {
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// # Errors
    /// When the currencies differ or the sum is out of range.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// # Errors
    /// When the currencies differ or the difference is out of range.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// # Errors
    /// When the product is out of range.
    pub fn times(self, factor: u32) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(i64::from(factor)).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// Returns `percent` (0 to 100) of the amount, rounded down to a whole minor unit.
    pub fn percent(self, percent: u8) -> Self {
        let share = i128::from(self.amount) * i128::from(percent.min(100)) / 100;
        Self {
            amount: i64::try_from(share).expect("at most the amount itself"),
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
        assert_eq!(
            Money::new(i64::MIN, EUR).minus(Money::new(1, EUR)),
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
