//! The JSON bodies of requests and answers about the fees and taxes of an event.

use serde::Serialize;
use ticketing_domain::catalog::{FeeDraft, PriceRulesDraft, TaxDraft};
use ticketing_domain::refusal::FieldError;
use ticketing_ports::vocabulary::percent::{InvalidPercent, Percent};
use ticketing_ports::vocabulary::pricing::{Fee, FeeAmount, FeePer, FeeRules, Tax, TaxRounding, TaxRules, TaxedPart};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields::{parse_each, parse_label};
use crate::extract::{Faults, Place, Read, Sent, read_object, read_text};
use crate::money::MoneyBody;

/// A fee, such as a booking fee: an `amount`, or a `percent` of the price.
#[derive(Debug, Clone, ToSchema)]
pub(crate) struct FeeRequest {
    #[schema(example = "Booking fee", min_length = 1, max_length = 100)]
    name: String,
    /// The same amount for each ticket or order.
    amount: Option<MoneyBody>,
    /// In place of `amount`: how many percent of the price of the ticket, or of all tickets of the order.
    #[schema(example = "2.5", pattern = "^(100(\\.0{1,4})?|[1-9]?[0-9](\\.[0-9]{1,4})?)$")]
    percent: Option<String>,
    /// Whether each `ticket` that costs something has the fee, or each `order` that does.
    #[schema(value_type = Option<String>, pattern = "^(ticket|order)$", default = "ticket")]
    per: Option<FeePer>,
    /// Whether the fee is inside the price of the ticket, or on top of it. A fee per order is always on top.
    #[schema(default = false)]
    included: Option<bool>,
}

read_object!(FeeRequest {
    name,
    amount,
    percent,
    per,
    included
});

/// A tax. It is inside the prices and fees that it is on, or on top of them.
#[derive(Debug, Clone, ToSchema)]
pub(crate) struct TaxRequest {
    #[schema(example = "VAT", min_length = 1, max_length = 100)]
    name: String,
    /// How many percent the tax is, with at most four decimals.
    #[schema(example = "8.875", pattern = "^(100(\\.0{1,4})?|[1-9]?[0-9](\\.[0-9]{1,4})?)$")]
    rate: String,
    /// Whether the tax is inside prices and fees, or on top of them.
    included: bool,
    /// What the tax is on: the prices of `tickets` without the fees inside them, all `fees`, or `everything`.
    #[schema(value_type = Option<String>, pattern = "^(tickets|fees|everything)$", default = "everything")]
    on: Option<TaxedPart>,
}

read_object!(TaxRequest {
    name,
    rate,
    included,
    on
});

impl Read for FeePer {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        read_text(sent, at, faults, "one of ticket, order", |text| {
            Self::ALL.into_iter().find(|per| per.as_str() == text)
        })
    }
}

impl Read for TaxedPart {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        read_text(sent, at, faults, "one of tickets, fees, everything", |text| {
            Self::ALL.into_iter().find(|on| on.as_str() == text)
        })
    }
}

impl Read for TaxRounding {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        read_text(sent, at, faults, "one of per_line, per_tax", |text| {
            Self::ALL.into_iter().find(|rounding| rounding.as_str() == text)
        })
    }
}

/// Parses the fees and taxes of a request. Every one is parsed even after one has failed, so that all faults are
/// reported together.
pub(super) fn parse_price_rules(
    fees: &[FeeRequest],
    taxes: &[TaxRequest],
    rounding: TaxRounding,
    errors: &mut Vec<FieldError>,
) -> Option<PriceRulesDraft> {
    let fees = parse_each(fees, "fees", errors, parse_fee);
    let taxes = parse_each(taxes, "taxes", errors, parse_tax);
    Some(PriceRulesDraft {
        fees: fees?,
        taxes: taxes?,
        rounding,
    })
}

fn parse_fee(fee: &FeeRequest, field: &str, errors: &mut Vec<FieldError>) -> Option<FeeDraft> {
    let name = parse_label(&fee.name, &format!("{field}.name"), errors);
    let amount = match (&fee.amount, &fee.percent) {
        (Some(amount), None) => amount.parse(&format!("{field}.amount"), errors).map(FeeAmount::Fixed),
        (None, Some(percent)) => parse_percent(percent, format!("{field}.percent"), errors).map(FeeAmount::Percent),
        (given, _) => {
            let reason = match given {
                Some(_) => "has no place beside `percent`",
                None => "is missing: give the `amount` of the fee, or its `percent`",
            };
            errors.push(FieldError::new(format!("{field}.amount"), reason));
            None
        }
    };
    Some(FeeDraft {
        name: name?,
        rules: FeeRules {
            amount: amount?,
            per: fee.per.unwrap_or(FeePer::Ticket),
            included: fee.included.unwrap_or(false),
        },
    })
}

fn parse_tax(tax: &TaxRequest, field: &str, errors: &mut Vec<FieldError>) -> Option<TaxDraft> {
    let name = parse_label(&tax.name, &format!("{field}.name"), errors);
    let rate = parse_percent(&tax.rate, format!("{field}.rate"), errors);
    Some(TaxDraft {
        name: name?,
        rules: TaxRules {
            rate: rate?,
            included: tax.included,
            on: tax.on.unwrap_or(TaxedPart::Everything),
        },
    })
}

pub(crate) fn parse_percent(text: &str, field: String, errors: &mut Vec<FieldError>) -> Option<Percent> {
    let percent = text.parse();
    percent
        .map_err(|invalid: InvalidPercent| errors.push(FieldError::new(field, invalid.to_string())))
        .ok()
}

/// A fee of the event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FeeBody {
    fee_id: Uuid,
    name: String,
    /// Null if the fee is a share of the price.
    amount: Option<MoneyBody>,
    /// How many percent of the price; null if the fee is always the same.
    #[schema(example = "2.5")]
    percent: Option<String>,
    /// `ticket` or `order`.
    per: &'static str,
    /// Whether the fee is inside the price of the ticket.
    included: bool,
}

impl From<&Fee> for FeeBody {
    fn from(fee: &Fee) -> Self {
        let (amount, percent) = match fee.rules.amount {
            FeeAmount::Fixed(amount) => (Some(amount.into()), None),
            FeeAmount::Percent(percent) => (None, Some(percent.to_string())),
        };
        Self {
            fee_id: fee.fee_id.uuid(),
            name: fee.name.to_string(),
            amount,
            percent,
            per: fee.rules.per.as_str(),
            included: fee.rules.included,
        }
    }
}

/// A tax of the event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TaxBody {
    tax_id: Uuid,
    name: String,
    /// How many percent the tax is.
    #[schema(example = "8.875")]
    rate: String,
    /// Whether the tax is inside prices and fees, or on top of them.
    included: bool,
    /// `tickets`, `fees` or `everything`.
    on: &'static str,
}

impl From<&Tax> for TaxBody {
    fn from(tax: &Tax) -> Self {
        Self {
            tax_id: tax.tax_id.uuid(),
            name: tax.name.to_string(),
            rate: tax.rules.rate.to_string(),
            included: tax.rules.included,
            on: tax.rules.on.as_str(),
        }
    }
}
