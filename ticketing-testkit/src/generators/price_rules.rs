//! Strategies for the fees and taxes of an event.

use proptest::collection::vec;
use proptest::prelude::*;
use ticketing_domain::catalog::{FeeDraft, PriceRulesDraft, TaxDraft};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::{FeeAmount, FeePer, FeeRules, TaxRounding, TaxRules, TaxedPart};
use ticketing_ports::vocabulary::seating::Label;

/// Generates percentages: often a whole one, sometimes one with decimals.
pub fn percent() -> impl Strategy<Value = Percent> {
    let with_decimals = (0..100_u32, 0..10_000_u32).prop_map(|(whole, decimals)| {
        let text = format!("{whole}.{decimals:04}");
        text.parse().expect("a number below 100 with four decimals")
    });
    prop_oneof![3 => (0..=100_u8).prop_map(Percent::whole), 1 => with_decimals]
}

/// Generates the fees and taxes of an event: mostly none.
pub fn price_rules(currency: Currency) -> impl Strategy<Value = PriceRulesDraft> {
    let fees = vec(fee_rules(currency), 0..4).prop_map(|rules| {
        let named = rules.into_iter().enumerate().map(|(index, rules)| FeeDraft {
            name: name("fee", index),
            rules,
        });
        named.collect()
    });
    let taxes = vec(tax_rules(), 0..4).prop_map(|rules| {
        let named = rules.into_iter().enumerate().map(|(index, rules)| TaxDraft {
            name: name("tax", index),
            rules,
        });
        named.collect()
    });
    let some = (fees, taxes, rounding()).prop_map(|(fees, taxes, rounding)| PriceRulesDraft { fees, taxes, rounding });
    prop_oneof![2 => Just(PriceRulesDraft::default()), 1 => some]
}

/// Returns two fees and two taxes whose amounts have to be rounded.
pub fn some_price_rules(currency: Currency) -> PriceRulesDraft {
    let fee = |index, amount, per| FeeDraft {
        name: name("fee", index),
        rules: FeeRules {
            amount,
            per,
            included: false,
        },
    };
    let tax = |index, rate: &str, included, on| TaxDraft {
        name: name("tax", index),
        rules: TaxRules {
            rate: rate.parse().expect("the text is a percentage"),
            included,
            on,
        },
    };
    let percent: Percent = "2.5".parse().expect("the text is a percentage");
    PriceRulesDraft {
        fees: vec![
            fee(1, FeeAmount::Percent(percent), FeePer::Ticket),
            fee(2, FeeAmount::Fixed(Money::new(99, currency)), FeePer::Order),
        ],
        taxes: vec![
            tax(1, "6", true, TaxedPart::Everything),
            tax(2, "8.875", false, TaxedPart::Tickets),
        ],
        rounding: TaxRounding::PerTax,
    }
}

fn name(what: &str, index: usize) -> Label {
    Label::new(&format!("{what} {index}")).expect("a short text is a label")
}

fn fee_rules(currency: Currency) -> impl Strategy<Value = FeeRules> {
    let amount = prop_oneof![
        (0..1_000_i64).prop_map(move |amount| FeeAmount::Fixed(Money::new(amount, currency))),
        percent().prop_map(FeeAmount::Percent),
    ];
    let per = proptest::sample::select(FeePer::ALL.to_vec());
    (amount, per, any::<bool>()).prop_map(|(amount, per, included)| FeeRules {
        amount,
        per,
        included: included && per == FeePer::Ticket,
    })
}

fn tax_rules() -> impl Strategy<Value = TaxRules> {
    let on = proptest::sample::select(TaxedPart::ALL.to_vec());
    (percent(), any::<bool>(), on).prop_map(|(rate, included, on)| TaxRules { rate, included, on })
}

fn rounding() -> impl Strategy<Value = TaxRounding> {
    proptest::sample::select(TaxRounding::ALL.to_vec())
}
