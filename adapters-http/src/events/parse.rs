//! Turns an organiser's request into a draft. Reports all faults of the request together.

use ticketing_domain::catalog::{self, EventDraft, SectionDraft, TicketTypeDraft};
use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember, PricingTier, RefundRule, TicketTypeRules, Venue};
use ticketing_ports::vocabulary::money::Currency;
use ticketing_ports::vocabulary::seating::{RowPlaces, RowPlan, SeatLabel, Seating};

use super::bodies::{CreateEventRequest, GAP, RefundRuleBody, RowBody, SeatingBody, SectionRequest, VenueBody};
use super::fields::{parse_each, parse_label, parse_optional};
use super::price_rule_bodies::parse_price_rules;
use super::ticket_bodies::{PoolMemberBody, PoolRequest, PricingTierRequest, TicketTypeRequest};

impl TryFrom<&CreateEventRequest> for EventDraft {
    type Error = Refusal;

    fn try_from(request: &CreateEventRequest) -> Result<Self, Refusal> {
        let mut errors = Vec::new();
        let draft = parse_draft(request, &mut errors);
        match draft {
            Some(draft) if errors.is_empty() => Ok(draft),
            _ => Err(Refusal::Invalid(errors)),
        }
    }
}

/// Parses every field even after one has failed, so that all faults are reported together.
fn parse_draft(request: &CreateEventRequest, errors: &mut Vec<FieldError>) -> Option<EventDraft> {
    let name = parse_label(&request.name, "name", errors);
    let category = parse_optional(request.category.as_deref(), "category", errors);
    let genre = parse_optional(request.genre.as_deref(), "genre", errors);
    let currency = Currency::new(&request.currency)
        .map_err(|invalid| errors.push(FieldError::new("currency", invalid.to_string())))
        .inspect(|currency| catalog::check_currency(*currency, errors))
        .ok();
    let venue = parse_venue(&request.venue, errors);
    let sections = parse_each(&request.sections, "sections", errors, parse_section);
    let pricing_tiers = parse_each(&request.pricing_tiers, "pricing_tiers", errors, parse_tier);
    let pools = parse_each(request.pools.iter().flatten(), "pools", errors, parse_pool);
    let price_rules = parse_price_rules(
        request.fees.as_deref().unwrap_or_default(),
        request.taxes.as_deref().unwrap_or_default(),
        request.tax_rounding.unwrap_or_default(),
        errors,
    );
    let rule = |rule: &RefundRuleBody| RefundRule {
        hours_before: rule.hours_before,
        // A percentage too large for `u8` becomes 255, which the refund policy then refuses.
        percent: u8::try_from(rule.percent).unwrap_or(u8::MAX),
    };
    Some(EventDraft {
        name: name?,
        category,
        genre,
        currency: currency?,
        starts_at: request.starts_at,
        venue: venue?,
        sections: sections?,
        pricing_tiers: pricing_tiers?,
        hold_seconds: request.hold_seconds,
        max_extensions: request.max_extensions,
        max_hold_seconds: request.max_hold_seconds,
        max_seats_per_order: request.max_seats_per_order,
        max_seats_per_customer: request.max_seats_per_customer,
        refund_policy: request
            .refund_policy
            .as_ref()
            .map(|rules| rules.iter().map(rule).collect()),
        pools: pools?,
        price_rules: price_rules?,
    })
}

fn parse_venue(venue: &VenueBody, errors: &mut Vec<FieldError>) -> Option<Venue> {
    let name = parse_label(&venue.name, "venue.name", errors);
    let city = parse_label(&venue.city, "venue.city", errors);
    let timezone = parse_label(&venue.timezone, "venue.timezone", errors);
    let country = parse_label(&venue.country, "venue.country", errors);
    let venue = Venue {
        name: name?,
        city: city?,
        country: country?,
        timezone: timezone?,
    };
    catalog::check_venue(&venue, errors);
    Some(venue)
}

fn parse_section(section: &SectionRequest, field: &str, errors: &mut Vec<FieldError>) -> Option<SectionDraft> {
    let name = parse_label(&section.name, &format!("{field}.name"), errors);
    let seating = match &section.seating {
        SeatingBody::GeneralAdmission { capacity } => Some(Seating::GeneralAdmission { capacity: *capacity }),
        SeatingBody::Numbered { rows } => {
            let rows = parse_each(rows, &format!("{field}.seating.rows"), errors, parse_row);
            rows.map(|rows| Seating::Numbered { rows })
        }
    };
    let types = section.ticket_types.iter().flatten();
    let ticket_types = parse_each(types, &format!("{field}.ticket_types"), errors, parse_ticket_type);
    Some(SectionDraft {
        name: name?,
        seating: seating?,
        ticket_types: ticket_types?,
    })
}

fn parse_pool(pool: &PoolRequest, field: &str, errors: &mut Vec<FieldError>) -> Option<Pool> {
    let name = parse_label(&pool.name, &format!("{field}.name"), errors);
    let members = parse_each(&pool.members, &format!("{field}.members"), errors, parse_member);
    Some(Pool::new(name?, pool.quantity, members?))
}

pub(crate) fn parse_member(member: &PoolMemberBody, field: &str, errors: &mut Vec<FieldError>) -> Option<PoolMember> {
    let section = parse_label(&member.section, &format!("{field}.section"), errors);
    let ticket_type = parse_optional(member.ticket_type.as_deref(), &format!("{field}.ticket_type"), errors);
    Some(PoolMember {
        section: section?,
        ticket_type,
    })
}

fn parse_ticket_type(
    ticket_type: &TicketTypeRequest,
    field: &str,
    errors: &mut Vec<FieldError>,
) -> Option<TicketTypeDraft> {
    let name = parse_label(&ticket_type.name, &format!("{field}.name"), errors)?;
    let rules = TicketTypeRules {
        available_from: ticket_type.available_from,
        available_until: ticket_type.available_until,
        min_per_order: ticket_type.min_per_order,
        max_per_order: ticket_type.max_per_order,
        quantity: ticket_type.quantity,
        only_with_code: ticket_type.only_with_code.unwrap_or(false),
    };
    Some(TicketTypeDraft { name, rules })
}

fn parse_row(row: &RowBody, field: &str, errors: &mut Vec<FieldError>) -> Option<RowPlan> {
    let label = parse_label(&row.row, &format!("{field}.row"), errors);
    let places = match (row.seats, &row.places) {
        (Some(seats), None) => Some(RowPlaces::Numbered(seats)),
        (None, Some(places)) => parse_places(places, field, errors),
        (given, _) => {
            let reason = match given {
                Some(_) => "has no place beside `places`",
                None => "is missing: say how many seats the row has, or list its `places`",
            };
            errors.push(FieldError::new(format!("{field}.seats"), reason));
            None
        }
    };
    Some(RowPlan {
        row: label?,
        places: places?,
    })
}

fn parse_places(places: &[String], field: &str, errors: &mut Vec<FieldError>) -> Option<RowPlaces> {
    let mut labels = Vec::with_capacity(places.len());
    let mut all_are_right = true;
    for (index, text) in places.iter().enumerate() {
        match SeatLabel::parse(text) {
            Ok(label) => labels.push(Some(label)),
            Err(_) if text == GAP => labels.push(None),
            Err(invalid) => {
                all_are_right = false;
                errors.push(FieldError::new(format!("{field}.places[{index}]"), invalid.to_string()));
            }
        }
    }
    all_are_right.then(|| RowPlaces::of(labels))
}

fn parse_tier(tier: &PricingTierRequest, field: &str, errors: &mut Vec<FieldError>) -> Option<PricingTier> {
    let section = parse_label(&tier.section, &format!("{field}.section"), errors);
    let ticket_type = parse_optional(tier.ticket_type.as_deref(), &format!("{field}.ticket_type"), errors);
    let name = parse_label(&tier.tier, &format!("{field}.tier"), errors);
    let price = tier.price.parse(&format!("{field}.price"), errors);
    Some(PricingTier {
        ticket_type,
        available_from: tier.available_from,
        available_until: tier.available_until,
        quantity: tier.quantity,
        ..PricingTier::always(section?, name?, price?)
    })
}
