//! The price of each share of an order, with the fees and taxes of the event.

use ticketing_ports::vocabulary::event_details::EventDetails;

use super::shares::Share;
use super::wanted_line::field;
use crate::pricing::{LinePrice, LineToPrice, price_of_order};
use crate::refusal::Refusal;

/// Returns the price of each share. The price of an order without discount, fees and taxes has no parts.
///
/// # Errors
/// When an amount is out of range.
pub(super) fn line_prices(details: &EventDetails, shares: &[Share<'_>]) -> Result<Vec<LinePrice>, Refusal> {
    let too_much = |field: String| Refusal::invalid(field, "the total is out of range");
    let has_code = shares
        .iter()
        .any(|share| share.code.is_some_and(|code| code.rules.discount.is_some()));
    if details.price_rules.are_plain() && !has_code {
        let prices = shares.iter().map(|share| {
            let total = share.tier.price.times(share.quantity);
            Ok(LinePrice {
                parts: Vec::new(),
                total: total.map_err(|_| too_much(field(share.line, "quantity")))?,
            })
        });
        return prices.collect();
    }
    let lines: Vec<_> = shares
        .iter()
        .map(|share| LineToPrice {
            unit_price: share.tier.price,
            quantity: share.quantity,
            discount: share.code.and_then(|code| Some((&code.named, code.rules.discount?))),
        })
        .collect();
    price_of_order(&details.price_rules, &lines).map_err(|_| too_much("items".to_owned()))
}
