//! Works out the price of an order, and the parts that it consists of.

use ticketing_ports::vocabulary::money::{Currency, Money, MoneyError};
use ticketing_ports::vocabulary::pricing::{
    Discount, Fee, FeeAmount, FeePer, NamedCode, PricePart, PriceRules, Tax, TaxRounding,
};

use super::fractions::{WHOLE, divided, rounded, share};

/// A line of an order whose price is to be worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineToPrice<'o> {
    /// The price of one ticket, which is not negative.
    pub unit_price: Money,
    /// How many tickets.
    pub quantity: u32,
    /// The code that lowers the price, and by how much; `None` if none does.
    pub discount: Option<(&'o NamedCode, Discount)>,
}

/// The price of a line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePrice {
    /// The parts: first the price of the tickets, then the discount, the fees and the taxes.
    pub parts: Vec<PricePart>,
    /// What the line costs: all parts together that are not inside others.
    pub total: Money,
}

/// Returns the price of each line of an order.
///
/// A discount lowers the price of each ticket, and never below 0. Fees and taxes follow from the lowered price. A ticket
/// that costs nothing has no fee, and an order that costs nothing has none either. A fee for each ticket is rounded for one
/// ticket, so two tickets have twice the fee. A fee of the order is a part of the first line that costs something. Taxes are on what is left once the
/// taxes inside it are taken out.
///
/// # Errors
/// When an amount is out of range.
pub fn price_of_order(rules: &PriceRules, lines: &[LineToPrice<'_>]) -> Result<Vec<LinePrice>, MoneyError> {
    let mut priced: Vec<Priced> = lines.iter().map(Priced::tickets).collect::<Result<_, _>>()?;
    for fee in &rules.fees {
        match fee.rules.per {
            FeePer::Ticket => priced.iter_mut().try_for_each(|line| line.add_fee_of_tickets(fee))?,
            FeePer::Order => add_fee_of_order(&mut priced, fee)?,
        }
    }
    for tax in &rules.taxes {
        add_tax(&mut priced, rules, tax)?;
    }
    priced.into_iter().map(Priced::finished).collect()
}

/// A line, as far as its price is worked out.
struct Priced {
    currency: Currency,
    quantity: i64,
    /// The price of one ticket, without the discount.
    ticket: i64,
    /// How much of that is not inside a fee.
    ticket_without_fees: i64,
    /// All fees of the line, those inside the price among them.
    fees: i64,
    parts: Vec<PricePart>,
}

impl Priced {
    fn tickets(line: &LineToPrice<'_>) -> Result<Self, MoneyError> {
        let price = line.unit_price;
        let mut parts = vec![PricePart::Base {
            amount: price.times(line.quantity)?,
        }];
        let mut ticket = price.amount;
        if let Some((code, discount)) = line.discount {
            let off = off_one_ticket(price, discount)?;
            ticket -= off;
            parts.push(PricePart::Discount {
                code: code.clone(),
                amount: Money::new(-off, price.currency).times(line.quantity)?,
            });
        }
        Ok(Self {
            currency: price.currency,
            quantity: line.quantity.into(),
            ticket,
            ticket_without_fees: ticket,
            fees: 0,
            parts,
        })
    }

    /// Returns the price of all tickets of the line, without the discount.
    fn all_tickets(&self) -> Result<i64, MoneyError> {
        times(self.ticket, self.quantity)
    }

    fn costs_nothing(&self) -> bool {
        self.ticket == 0 || self.quantity == 0
    }

    fn add_fee_of_tickets(&mut self, fee: &Fee) -> Result<(), MoneyError> {
        if self.costs_nothing() {
            return Ok(());
        }
        let mut of_one = amount_of_fee(fee, self.ticket)?;
        if fee.rules.included {
            of_one = of_one.min(self.ticket_without_fees);
            self.ticket_without_fees -= of_one;
        }
        self.add_fee(fee, times(of_one, self.quantity)?)
    }

    fn add_fee(&mut self, fee: &Fee, amount: i64) -> Result<(), MoneyError> {
        self.fees = self.fees.checked_add(amount).ok_or(MoneyError::Overflow)?;
        self.parts.push(PricePart::Fee {
            fee_id: fee.fee_id,
            name: fee.name.clone(),
            per: fee.rules.per,
            included: fee.rules.included,
            amount: Money::new(amount, self.currency),
        });
        Ok(())
    }

    fn finished(self) -> Result<LinePrice, MoneyError> {
        let adding = self.parts.iter().filter(|part| !part.is_included());
        let total = adding
            .map(PricePart::amount)
            .try_fold(Money::zero(self.currency), Money::plus)?;
        Ok(LinePrice {
            parts: self.parts,
            total,
        })
    }
}

/// Returns how much a discount takes off the price of one ticket.
fn off_one_ticket(price: Money, discount: Discount) -> Result<i64, MoneyError> {
    let off = match discount {
        Discount::Percent(percent) => share(price.amount, percent)?,
        Discount::Amount(off) => off.amount.min(price.amount),
        Discount::DownTo(fixed) => price.amount - fixed.amount.min(price.amount),
    };
    Ok(off)
}

fn amount_of_fee(fee: &Fee, of: i64) -> Result<i64, MoneyError> {
    match fee.rules.amount {
        FeeAmount::Fixed(fixed) => Ok(fixed.amount),
        FeeAmount::Percent(percent) => share(of, percent),
    }
}

fn add_fee_of_order(lines: &mut [Priced], fee: &Fee) -> Result<(), MoneyError> {
    let of_all = lines.iter().try_fold(0_i64, |sum, line| {
        sum.checked_add(line.all_tickets()?).ok_or(MoneyError::Overflow)
    })?;
    match lines.iter_mut().find(|line| !line.costs_nothing()) {
        Some(first) => first.add_fee(fee, amount_of_fee(fee, of_all)?),
        None => Ok(()),
    }
}

/// Adds a tax to each line that has something to be taxed.
fn add_tax(lines: &mut [Priced], rules: &PriceRules, tax: &Tax) -> Result<(), MoneyError> {
    // A price with taxes inside is this many millionths of the price without them.
    let whole_and_taxes = |is_on: fn(&Tax) -> bool| {
        let inside = rules.taxes.iter().filter(|tax| tax.rules.included && is_on(tax));
        WHOLE + inside.map(|tax| i128::from(tax.rules.rate.millionths())).sum::<i128>()
    };
    let of_tickets = whole_and_taxes(|tax| tax.rules.on.has_tickets());
    let of_fees = whole_and_taxes(|tax| tax.rules.on.has_fees());
    let rate = i128::from(tax.rules.rate.millionths());
    // All taxes are fractions of this denominator. So they can be added up before they are rounded.
    let denominator = of_tickets * of_fees;
    let mut numerators = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        let tickets = if tax.rules.on.has_tickets() {
            times(line.ticket_without_fees, line.quantity)?
        } else {
            0
        };
        let fees = if tax.rules.on.has_fees() { line.fees } else { 0 };
        numerators.push(rate * (i128::from(tickets) * of_fees + i128::from(fees) * of_tickets));
    }
    let amounts = match rules.rounding {
        TaxRounding::PerLine => numerators
            .iter()
            .map(|numerator| rounded(*numerator, denominator))
            .collect(),
        TaxRounding::PerTax => divided(&numerators, denominator),
    };
    for ((line, numerator), amount) in lines.iter_mut().zip(numerators).zip(amounts) {
        let amount = i64::try_from(amount).map_err(|_| MoneyError::Overflow)?;
        let alone = i64::try_from(rounded(numerator, denominator)).map_err(|_| MoneyError::Overflow)?;
        if numerator > 0 {
            line.parts.push(PricePart::Tax {
                tax_id: tax.tax_id,
                name: tax.name.clone(),
                rate: tax.rules.rate,
                included: tax.rules.included,
                amount: Money::new(amount, line.currency),
                moved: amount - alone,
            });
        }
    }
    Ok(())
}

fn times(amount: i64, quantity: i64) -> Result<i64, MoneyError> {
    amount.checked_mul(quantity).ok_or(MoneyError::Overflow)
}
