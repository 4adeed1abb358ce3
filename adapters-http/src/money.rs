//! Amounts of money in requests and answers.

use serde::Serialize;
use ticketing_domain::refusal::FieldError;
use ticketing_ports::vocabulary::money::{Currency, Money};
use utoipa::ToSchema;

use crate::extract::{Faults, Fields, MinorUnits, Place, Read, Sent};

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MoneyBody {
    /// The amount in minor units of the currency, such as cents.
    #[schema(example = 5000)]
    amount: i64,
    /// The ISO 4217 code of the currency.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    currency: String,
}

impl Read for MoneyBody {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::of(sent, at, faults)?;
        let amount = fields.take::<MinorUnits>("amount", faults);
        let currency = fields.take("currency", faults);
        fields.end(&["amount", "currency"], faults);
        Some(Self {
            amount: amount?.0,
            currency: currency?,
        })
    }
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount,
            currency: money.currency.to_string(),
        }
    }
}

impl MoneyBody {
    pub(crate) fn parse(&self, field: &str, errors: &mut Vec<FieldError>) -> Option<Money> {
        match Currency::new(&self.currency) {
            Ok(currency) => Some(Money::new(self.amount, currency)),
            Err(invalid) => {
                errors.push(FieldError::new(format!("{field}.currency"), invalid.to_string()));
                None
            }
        }
    }
}
