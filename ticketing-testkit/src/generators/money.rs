//! Strategies for prices and means of payment.

use proptest::prelude::*;
use ticketing_domain::catalog::limits;
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};

/// Generates currencies: often a well-known one, sometimes another.
pub fn currency() -> impl Strategy<Value = Currency> {
    let well_known = proptest::sample::select(vec!["EUR", "USD", "GBP", "JPY"]);
    let another = proptest::sample::select(vec!["AED", "KWD", "NPR", "VES", "XOF", "ZAR"]);
    prop_oneof![3 => well_known, 1 => another]
        .prop_map(|code| Currency::new(code).expect("three upper-case letters are a valid currency"))
}

/// Generates prices of a place: often a common one, sometimes 0 or the highest that is allowed.
pub fn price(currency: Currency) -> impl Strategy<Value = Money> {
    prop_oneof![
        8 => 1..50_000_i64,
        1 => Just(0),
        1 => Just(limits::PRICE),
        2 => 0..=limits::PRICE,
    ]
    .prop_map(move |amount| Money::new(amount, currency))
}

pub fn method_kind() -> impl Strategy<Value = MethodKind> {
    prop_oneof![
        Just(MethodKind::Card),
        Just(MethodKind::Paypal),
        Just(MethodKind::ApplePay)
    ]
}

/// Generates tokens of a gateway. A card number is never one.
pub fn method_token() -> impl Strategy<Value = MethodToken> {
    prop_oneof![3 => "tok_[a-z0-9]{4,24}", 1 => "[!-~]{1,255}"]
        .prop_filter_map("a card number is no token", |text| MethodToken::new(&text))
}

pub fn payment_method() -> impl Strategy<Value = PaymentMethod> {
    (method_kind(), method_token()).prop_map(|(kind, token)| PaymentMethod { kind, token })
}
