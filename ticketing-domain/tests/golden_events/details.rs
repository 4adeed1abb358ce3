//! The details of an event on sale: the plainest, and with what each version of `EventCreated` has added.

use ticketing_ports::vocabulary::event_details::{
    EventDetails, HoldExtensions, Pool, PoolMember, PricingTier, RefundRule, Section, TicketType, TicketTypeRules,
    Venue,
};
use ticketing_ports::vocabulary::ids::{FeeId, PoolId, SectionId, TaxId, TicketTypeId, TierId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::{
    Fee, FeeAmount, FeePer, FeeRules, PriceRules, Tax, TaxRounding, TaxRules, TaxedPart,
};
use ticketing_ports::vocabulary::seating::{RowPlaces, RowPlan, SeatLabel, Seating};

use crate::values::{at, id, label};

pub(crate) fn details() -> EventDetails {
    EventDetails {
        name: label("Night of the Proms"),
        category: Some(label("concert")),
        genre: None,
        currency: Currency::EUR,
        starts_at: at(1_000_000),
        venue: Venue {
            name: label("Sportpaleis"),
            city: label("Antwerp"),
            country: label("BE"),
            timezone: label("Europe/Brussels"),
        },
        sections: vec![Section {
            section_id: SectionId::new(id(4)),
            name: label("VIP"),
            seating: Seating::GeneralAdmission { capacity: 500 },
            ticket_types: Vec::new(),
        }],
        pricing_tiers: vec![PricingTier {
            available_until: Some(at(500_000)),
            ..PricingTier::always(label("VIP"), label("regular"), Money::new(12_000, Currency::EUR))
        }],
        hold_seconds: 300,
        pools: Vec::new(),
        price_rules: PriceRules::default(),
        extensions: None,
        max_seats_per_order: 8,
        max_seats_per_customer: None,
        refund_policy: vec![RefundRule {
            hours_before: 168,
            percent: 100,
        }],
    }
}

/// Returns rows of which one has an aisle and a seat `12A`.
pub(crate) fn rows_with_an_aisle() -> Seating {
    let printed = |text: &str| SeatLabel::parse(text).expect("the text can be printed on a seat");
    Seating::Numbered {
        rows: vec![
            RowPlan::numbered(label("A"), 20),
            RowPlan {
                row: label("B"),
                places: RowPlaces::of(vec![Some(printed("2")), None, Some(printed("12A"))]),
            },
        ],
    }
}

pub(crate) fn with_an_aisle() -> EventDetails {
    let mut details = details();
    details.sections[0].seating = rows_with_an_aisle();
    details
}

pub(crate) fn with_all_there_is() -> EventDetails {
    let mut with_types = with_types(with_an_aisle());
    with_types.sections[0].ticket_types[1].rules.only_with_code = true;
    EventDetails {
        max_seats_per_customer: Some(12),
        extensions: Some(EXTENSIONS),
        pools: with_a_pool().pools,
        price_rules: with_fees_and_taxes().price_rules,
        ..with_types
    }
}

pub(crate) fn with_fees_and_taxes() -> EventDetails {
    let fee = |fee_id, name, amount, per, included| Fee {
        fee_id: FeeId::new(id(fee_id)),
        name: label(name),
        rules: FeeRules { amount, per, included },
    };
    let tax = |tax_id, name, rate: &str, included, on| Tax {
        tax_id: TaxId::new(id(tax_id)),
        name: label(name),
        rules: TaxRules {
            rate: rate.parse().expect("the text is a percentage"),
            included,
            on,
        },
    };
    let two_euros = FeeAmount::Fixed(Money::new(200, Currency::EUR));
    let five_percent = FeeAmount::Percent(Percent::whole(5));
    EventDetails {
        price_rules: PriceRules {
            fees: vec![
                fee(16, "booking", two_euros, FeePer::Order, false),
                fee(17, "system", five_percent, FeePer::Ticket, true),
            ],
            taxes: vec![
                tax(18, "VAT", "6", true, TaxedPart::Tickets),
                tax(19, "city tax", "1.75", false, TaxedPart::Everything),
            ],
            rounding: TaxRounding::PerTax,
        },
        ..details()
    }
}

pub(crate) fn with_a_pool() -> EventDetails {
    EventDetails {
        pools: vec![Pool {
            pool_id: Some(PoolId::new(id(15))),
            name: label("all students"),
            quantity: 80,
            members: vec![PoolMember {
                section: label("VIP"),
                ticket_type: Some(label("student")),
            }],
        }],
        ..details()
    }
}

pub(crate) fn with_early_birds() -> EventDetails {
    let mut details = details();
    details.pricing_tiers[0].quantity = Some(200);
    details
}

pub(crate) fn with_ticket_types() -> EventDetails {
    with_types(details())
}

/// Gives the only section two ticket types.
fn with_types(mut details: EventDetails) -> EventDetails {
    let rules = TicketTypeRules {
        available_from: Some(at(1_000)),
        available_until: Some(at(500_000)),
        min_per_order: Some(2),
        max_per_order: Some(4),
        quantity: Some(50),
        only_with_code: false,
    };
    let types = [(10, "regular", TicketTypeRules::default()), (11, "student", rules)];
    details.sections[0].ticket_types = types
        .map(|(type_id, name, rules)| TicketType {
            ticket_type_id: TicketTypeId::new(id(type_id)),
            name: label(name),
            rules,
        })
        .into();
    let tiers = details.pricing_tiers.iter().flat_map(|tier| {
        [(13, "regular"), (14, "student")].map(|(tier_id, name)| PricingTier {
            tier_id: Some(TierId::new(id(tier_id))),
            ticket_type: Some(label(name)),
            quantity: Some(200),
            ..tier.clone()
        })
    });
    details.pricing_tiers = tiers.collect();
    details
}

const EXTENSIONS: HoldExtensions = HoldExtensions {
    at_most: 2,
    max_hold_seconds: 900,
};

pub(crate) fn with_extensions() -> EventDetails {
    EventDetails {
        extensions: Some(EXTENSIONS),
        ..details()
    }
}

pub(crate) fn with_a_limit() -> EventDetails {
    EventDetails {
        max_seats_per_customer: Some(12),
        ..details()
    }
}
