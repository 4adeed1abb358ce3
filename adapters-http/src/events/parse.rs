//! Turns an organiser's request into a draft. Reports all faults of the request together.

use ticketing_domain::catalog::{self, EventDraft, SectionDraft, TicketTypeDraft};
use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember, PricingTier, RefundRule, TicketTypeRules, Venue};
use ticketing_ports::vocabulary::money::Currency;
use ticketing_ports::vocabulary::seating::{Label, RowPlaces, RowPlan, SeatLabel, Seating};

use super::bodies::{CreateEventRequest, GAP, RefundRuleBody, RowBody, SeatingBody, SectionRequest, VenueBody};
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
    let sections: Vec<_> = request
        .sections
        .iter()
        .enumerate()
        .map(|(index, section)| parse_section(section, &format!("sections[{index}]"), errors))
        .collect();
    let pricing_tiers: Vec<_> = request
        .pricing_tiers
        .iter()
        .enumerate()
        .map(|(index, tier)| parse_tier(tier, &format!("pricing_tiers[{index}]"), errors))
        .collect();
    let pools: Vec<_> = request
        .pools
        .iter()
        .flatten()
        .enumerate()
        .map(|(index, pool)| parse_pool(pool, &format!("pools[{index}]"), errors))
        .collect();
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
        sections: sections.into_iter().collect::<Option<_>>()?,
        pricing_tiers: pricing_tiers.into_iter().collect::<Option<_>>()?,
        hold_seconds: request.hold_seconds,
        max_extensions: request.max_extensions,
        max_hold_seconds: request.max_hold_seconds,
        max_seats_per_order: request.max_seats_per_order,
        max_seats_per_customer: request.max_seats_per_customer,
        refund_policy: request
            .refund_policy
            .as_ref()
            .map(|rules| rules.iter().map(rule).collect()),
        pools: pools.into_iter().collect::<Option<_>>()?,
    })
}

pub(crate) fn parse_label(text: &str, field: &str, errors: &mut Vec<FieldError>) -> Option<Label> {
    Label::new(text)
        .map_err(|invalid| errors.push(FieldError::new(field, invalid.to_string())))
        .ok()
}

pub(super) fn parse_optional(text: Option<&str>, field: &str, errors: &mut Vec<FieldError>) -> Option<Label> {
    text.and_then(|text| parse_label(text, field, errors))
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
            let rows: Vec<_> = rows
                .iter()
                .enumerate()
                .map(|(index, row)| parse_row(row, &format!("{field}.seating.rows[{index}]"), errors))
                .collect();
            rows.into_iter()
                .collect::<Option<_>>()
                .map(|rows| Seating::Numbered { rows })
        }
    };
    let ticket_types: Vec<_> = section
        .ticket_types
        .iter()
        .flatten()
        .enumerate()
        .map(|(index, of)| parse_ticket_type(of, &format!("{field}.ticket_types[{index}]"), errors))
        .collect();
    Some(SectionDraft {
        name: name?,
        seating: seating?,
        ticket_types: ticket_types.into_iter().collect::<Option<_>>()?,
    })
}

fn parse_pool(pool: &PoolRequest, field: &str, errors: &mut Vec<FieldError>) -> Option<Pool> {
    let name = parse_label(&pool.name, &format!("{field}.name"), errors);
    let mut member = |(index, member): (usize, &PoolMemberBody)| {
        let field = |name: &str| format!("{field}.members[{index}].{name}");
        let section = parse_label(&member.section, &field("section"), errors);
        let ticket_type = parse_optional(member.ticket_type.as_deref(), &field("ticket_type"), errors);
        Some(PoolMember {
            section: section?,
            ticket_type,
        })
    };
    let members: Vec<_> = pool.members.iter().enumerate().map(&mut member).collect();
    Some(Pool {
        pool_id: None,
        name: name?,
        quantity: pool.quantity,
        members: members.into_iter().collect::<Option<_>>()?,
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
