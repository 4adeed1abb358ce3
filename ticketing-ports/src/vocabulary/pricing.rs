//! What is added to the price of tickets, what is taken off it, and the parts that a price consists of.

use serde::{Deserialize, Serialize};

use crate::vocabulary::ids::{CodeId, FeeId, TaxId};
use crate::vocabulary::money::Money;
use crate::vocabulary::percent::Percent;
use crate::vocabulary::seating::Label;

/// The fees and taxes of an event, and how taxes are rounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRules {
    /// The fees, in the order in which the organiser listed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Fee>,
    /// The taxes, in the order in which the organiser listed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<Tax>,
    /// How taxes are rounded to whole minor units.
    #[serde(default)]
    pub rounding: TaxRounding,
}

impl PriceRules {
    /// Returns whether the organiser has said nothing about fees, taxes and rounding.
    pub fn are_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether there are no fees and no taxes.
    pub fn are_plain(&self) -> bool {
        self.fees.is_empty() && self.taxes.is_empty()
    }
}

/// A fee of an event, such as a booking fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// The id of the fee.
    pub fee_id: FeeId,
    /// The name of the fee.
    pub name: Label,
    /// How much it is.
    #[serde(flatten)]
    pub rules: FeeRules,
}

/// How much a fee is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeRules {
    /// The amount.
    pub amount: FeeAmount,
    /// Whether each ticket has the fee, or each order.
    pub per: FeePer,
    /// Whether the fee is inside the price of the ticket, or on top of it.
    pub included: bool,
}

/// The amount of a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeAmount {
    /// Always the same amount.
    Fixed(Money),
    /// A share of the price of the ticket or, for a fee per order, of all tickets of the order.
    Percent(Percent),
}

/// What has a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeePer {
    /// Each ticket that costs something.
    Ticket,
    /// Each order that costs something, once.
    Order,
}

impl FeePer {
    /// All there are, in the order of their declaration.
    pub const ALL: [Self; 2] = [Self::Ticket, Self::Order];

    /// Returns the name under which it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Order => "order",
        }
    }
}

/// A tax of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// The id of the tax.
    pub tax_id: TaxId,
    /// The name of the tax, such as `VAT`.
    pub name: Label,
    /// How much it is, and of what.
    #[serde(flatten)]
    pub rules: TaxRules,
}

/// How much a tax is, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRules {
    /// The rate.
    pub rate: Percent,
    /// Whether the tax is inside the prices and fees that it is on, or on top of them.
    pub included: bool,
    /// What the tax is on.
    pub on: TaxedPart,
}

/// What a tax is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxedPart {
    /// The prices of tickets, without the fees inside them.
    Tickets,
    /// The fees.
    Fees,
    /// The prices of tickets, and the fees.
    Everything,
}

impl TaxedPart {
    /// All there are, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Tickets, Self::Fees, Self::Everything];

    /// Returns the name under which it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Fees => "fees",
            Self::Everything => "everything",
        }
    }

    /// Returns whether the prices of tickets are taxed.
    pub fn has_tickets(self) -> bool {
        self != Self::Fees
    }

    /// Returns whether fees are taxed.
    pub fn has_fees(self) -> bool {
        self != Self::Tickets
    }
}

/// How taxes are rounded to whole minor units. Half a minor unit is rounded up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxRounding {
    /// Each tax of each line is rounded.
    #[default]
    PerLine,
    /// Each tax is added up over all lines of the order, and then rounded once. A line may so have one minor unit more or
    /// less than it would have alone; its price part says so.
    PerTax,
}

impl TaxRounding {
    /// All there are, in the order of their declaration.
    pub const ALL: [Self; 2] = [Self::PerLine, Self::PerTax];

    /// Returns the name under which it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerLine => "per_line",
            Self::PerTax => "per_tax",
        }
    }
}

/// What is taken off the price of each ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// A share of the price.
    Percent(Percent),
    /// This amount, or the whole price if that is less.
    Amount(Money),
    /// What the price is above this one.
    DownTo(Money),
}

/// A code, as it was called on a certain day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCode {
    /// The id of the code.
    pub code_id: CodeId,
    /// What customers enter.
    pub code: Label,
}

/// One part of the price of a line of an order.
///
/// The parts that are not inside others add up to the price of the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum PricePart {
    /// The price of the tickets, at that of their tier.
    Base {
        /// The amount.
        amount: Money,
    },
    /// What a code has taken off.
    Discount {
        /// The code.
        #[serde(flatten)]
        code: NamedCode,
        /// The amount, which is negative.
        amount: Money,
    },
    /// A fee.
    Fee {
        /// The id of the fee.
        fee_id: FeeId,
        /// The name of the fee.
        name: Label,
        /// Whether each ticket of the line has the fee, or the order has it once.
        per: FeePer,
        /// Whether the fee is inside the price of the tickets.
        included: bool,
        /// The amount.
        amount: Money,
    },
    /// A tax.
    Tax {
        /// The id of the tax.
        tax_id: TaxId,
        /// The name of the tax.
        name: Label,
        /// The rate.
        rate: Percent,
        /// Whether the tax is inside the other parts.
        included: bool,
        /// The amount.
        amount: Money,
        /// By how many minor units rounding over the whole order has changed the amount.
        #[serde(default, skip_serializing_if = "is_zero")]
        moved: i64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(moved: &i64) -> bool {
    *moved == 0
}

impl PricePart {
    /// Returns the amount. That of a discount is negative.
    pub fn amount(&self) -> Money {
        match self {
            Self::Base { amount }
            | Self::Discount { amount, .. }
            | Self::Fee { amount, .. }
            | Self::Tax { amount, .. } => *amount,
        }
    }

    /// Returns whether the part is inside other parts, so that it does not add to the price.
    pub fn is_included(&self) -> bool {
        match self {
            Self::Base { .. } | Self::Discount { .. } => false,
            Self::Fee { included, .. } | Self::Tax { included, .. } => *included,
        }
    }
}
