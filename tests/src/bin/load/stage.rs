//! Prepares what a run needs before customers can shop: an event on sale and the sessions of the customers.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use box_office_tests::books::CODE_PREFIX;
use box_office_tests::client::{Ask, Bearer, Connection, path};
use box_office_tests::wire::{Availability, Event};
use chrono::TimeDelta;
use hyper::Uri;
use serde_json::{Value, json};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::EventId;

use crate::args::{Arguments, Seating};

const PRICE: i64 = 5_000;

/// How many early birds there are in a section, and how many students: so few that all are soon taken.
const EARLY: u32 = 20;
const STUDENTS: u32 = 30;

/// For how many tickets the code may be used: so few that its uses are soon gone.
const CODE_USES: u32 = 40;

/// The time from now to the beginning of the event that the tool makes: so long that every cancellation is refunded
/// in full.
const NOTICE: TimeDelta = TimeDelta::days(60);

/// The event whose tickets are sold, the names of its sections, and the ticket types of those that have any.
#[derive(Debug)]
pub(crate) struct Stage {
    pub event: EventId,
    pub sections: Vec<String>,
    pub ticket_types: BTreeMap<String, Vec<String>>,
    /// The code that customers enter; `None` if the event has none.
    pub code: Option<String>,
    pub sole_seller: bool,
}

/// Makes an event, or finds the one that the flag `--event` names.
pub(crate) async fn set(arguments: &Arguments, now: Timestamp) -> anyhow::Result<Stage> {
    let mut connection = Connection::new(arguments.url.clone());
    match (arguments.event, &arguments.admin_session) {
        (Some(event), _) => find_event(&mut connection, event, arguments).await,
        (None, Some(admin)) => make_event(&mut connection, admin, arguments, now).await,
        (None, None) => bail!("making an event needs --admin-session"),
    }
}

async fn find_event(connection: &mut Connection, event: EventId, arguments: &Arguments) -> anyhow::Result<Stage> {
    let ask = Ask::get(path(format!("/api/events/{event}/availability")));
    let availability: Option<Availability> = connection.read(ask).await?;
    let availability = availability.with_context(|| format!("event {event} does not exist"))?;
    let known = availability.sections;
    let sections = match arguments.sections_of_event.as_slice() {
        [] => known.into_keys().collect(),
        chosen => {
            if let Some(unknown) = chosen.iter().find(|name| !known.contains_key(*name)) {
                bail!("event {event} has no section {unknown}");
            }
            chosen.to_vec()
        }
    };
    let ask = Ask::get(path(format!("/api/events/{event}")));
    let shown: Option<Event> = connection.read(ask).await?;
    let shown = shown.with_context(|| format!("event {event} does not exist"))?;
    Ok(Stage {
        event,
        sections,
        ticket_types: types_of(&shown),
        code: None,
        sole_seller: arguments.sole_seller,
    })
}

async fn make_event(
    connection: &mut Connection,
    admin: &Bearer,
    arguments: &Arguments,
    now: Timestamp,
) -> anyhow::Result<Stage> {
    let sections: Vec<String> = (1..=arguments.sections)
        .map(|number| format!("Section {number}"))
        .collect();
    let body = event_request(arguments, &sections, now).to_string();
    let create = Ask::post(Uri::from_static("/api/events")).json(body.into());
    let event: Event = command(connection, create.bearer(admin))
        .await
        .context("cannot make the event")?;
    let ticket_types = types_of(&event);
    let event = event.event_id;
    let code = arguments.fees_and_codes.then(|| format!("{CODE_PREFIX}{CODE_USES}"));
    if let Some(code) = &code {
        let body = json!({"codes": [code], "percent": "12.5", "max_uses": CODE_USES});
        let ask = Ask::post(path(format!("/api/events/{event}/codes"))).json(body.to_string().into());
        let added: Option<Value> = connection
            .read(ask.bearer(admin))
            .await
            .context("cannot add the code")?;
        ensure!(added.is_some(), "the event does not exist");
    }
    for step in ["publish", "sales/open"] {
        let ask = Ask::post(path(format!("/api/events/{event}/{step}"))).bearer(admin);
        let _: Event = command(connection, ask)
            .await
            .with_context(|| format!("the request `{step}` has failed"))?;
    }
    Ok(Stage {
        event,
        sections,
        ticket_types,
        code,
        sole_seller: true,
    })
}

fn types_of(event: &Event) -> BTreeMap<String, Vec<String>> {
    let divided = event.sections.iter().filter(|section| !section.ticket_types.is_empty());
    let types = divided.map(|section| {
        let names = section.ticket_types.iter().map(|of| of.name.clone());
        (section.name.clone(), names.collect())
    });
    types.collect()
}

async fn command(connection: &mut Connection, ask: Ask) -> anyhow::Result<Event> {
    connection.read(ask).await?.context("the event does not exist")
}

fn event_request(arguments: &Arguments, sections: &[String], now: Timestamp) -> Value {
    let seating = match arguments.seating {
        Seating::General => json!({"kind": "general_admission", "capacity": arguments.capacity}),
        Seating::Numbered => {
            let rows: Vec<_> = (1..=arguments.rows)
                .map(|row| json!({"row": format!("R{row}"), "seats": arguments.seats_per_row}))
                .collect();
            json!({"kind": "numbered", "rows": rows})
        }
    };
    let types = arguments.ticket_types;
    let with_seating: Vec<_> = sections
        .iter()
        .map(|name| match types {
            false => json!({"name": name, "seating": seating}),
            true => json!({"name": name, "seating": seating, "ticket_types": [
                {"name": "regular"}, {"name": "student", "quantity": STUDENTS}]}),
        })
        .collect();
    let tiers: Vec<_> = sections
        .iter()
        .flat_map(|name| match types {
            false => vec![json!({"section": name, "tier": "regular", "price": euros(PRICE)})],
            true => vec![
                json!({"section": name, "ticket_type": "regular", "tier": "early", "price": euros(PRICE / 2),
                       "quantity": EARLY}),
                json!({"section": name, "ticket_type": "regular", "tier": "regular", "price": euros(PRICE)}),
                json!({"section": name, "ticket_type": "student", "tier": "regular", "price": euros(PRICE / 4)}),
            ],
        })
        .collect();
    let students = sections
        .iter()
        .map(|name| json!({"section": name, "ticket_type": "student"}));
    let pools = match types {
        false => json!([]),
        true => json!([{"name": "students", "quantity": STUDENTS + 1, "members": students.collect::<Vec<_>>()}]),
    };
    let (fees, taxes) = match arguments.fees_and_codes {
        false => (json!([]), json!([])),
        true => (
            json!([{"name": "ticket fee", "percent": "2.5"}, {"name": "order fee", "amount": euros(99), "per": "order"}]),
            json!([{"name": "VAT", "rate": "6", "included": true},
                   {"name": "city tax", "rate": "1.75", "included": false, "on": "tickets"}]),
        ),
    };
    json!({
        "name": "Load test",
        "currency": "EUR",
        "starts_at": now + NOTICE,
        "venue": {"name": "Test hall", "city": "Antwerp", "country": "BE", "timezone": "Europe/Brussels"},
        "sections": with_seating,
        "pricing_tiers": tiers,
        "pools": pools,
        "fees": fees,
        "taxes": taxes,
        "tax_rounding": "per_tax",
        "hold_seconds": arguments.hold_seconds,
        "max_seats_per_order": 8,
        "max_seats_per_customer": arguments.max_seats_per_customer,
        "refund_policy": [{"hours_before": 168, "percent": 100}],
    })
}

fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// Reads the customers' sessions from the flags and the file, where a line that begins with `#` is a remark.
pub(crate) fn sessions(arguments: &Arguments) -> anyhow::Result<Vec<Bearer>> {
    let mut sessions = arguments.customer_sessions.clone();
    if let Some(file) = &arguments.sessions_file {
        sessions.extend(sessions_in(file)?);
    }
    ensure!(!sessions.is_empty(), "the sessions file has no session");
    Ok(sessions)
}

fn sessions_in(file: &Path) -> anyhow::Result<Vec<Bearer>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            line.parse()
                .with_context(|| format!("line {number} of {} is not valid", file.display()))
        })
        .collect()
}
