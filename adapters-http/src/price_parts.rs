//! The parts that the price of a line consists of, in answers.

use serde::Serialize;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::pricing::PricePart;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::money::MoneyBody;

/// A part of the price of a line. The parts that are not `included` in others add up to the line's `total_amount`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PricePartBody {
    /// What the part is: `base`, the price of the tickets; `discount`; `fee`; or `tax`.
    part: &'static str,
    /// The id of the code, the fee or the tax; null for `base`.
    id: Option<Uuid>,
    /// What the code, the fee or the tax is called; null for `base`.
    name: Option<String>,
    /// How many percent a tax is; null for all others.
    rate: Option<String>,
    /// Whether a fee is for each `ticket`, or for the `order`; null for all others.
    per: Option<&'static str>,
    /// Whether the part is inside others, so that it adds nothing.
    included: bool,
    /// A discount is negative.
    amount: MoneyBody,
    /// By how many minor units rounding over the whole order has changed the amount of a tax.
    rounding_moved: i64,
}

impl PricePartBody {
    /// Returns the parts of a line. One without discount, fees and taxes has only the price of its tickets.
    pub(crate) fn of_line(parts: &[PricePart], total: Money) -> Vec<Self> {
        if parts.is_empty() {
            return vec![Self::from(&PricePart::Base { amount: total })];
        }
        parts.iter().map(Self::from).collect()
    }
}

impl From<&PricePart> for PricePartBody {
    fn from(part: &PricePart) -> Self {
        let plain = Self {
            part: "base",
            id: None,
            name: None,
            rate: None,
            per: None,
            included: part.is_included(),
            amount: part.amount().into(),
            rounding_moved: 0,
        };
        match part {
            PricePart::Base { .. } => plain,
            PricePart::Discount { code, .. } => Self {
                part: "discount",
                id: Some(code.code_id.uuid()),
                name: Some(code.code.to_string()),
                ..plain
            },
            PricePart::Fee { fee_id, name, per, .. } => Self {
                part: "fee",
                id: Some(fee_id.uuid()),
                name: Some(name.to_string()),
                per: Some(per.as_str()),
                ..plain
            },
            PricePart::Tax {
                tax_id,
                name,
                rate,
                moved,
                ..
            } => Self {
                part: "tax",
                id: Some(tax_id.uuid()),
                name: Some(name.to_string()),
                rate: Some(rate.to_string()),
                rounding_moved: *moved,
                ..plain
            },
        }
    }
}
