//! For each version of each type of fact, a file has an example payload. A payload that changes its shape needs a new
//! version and an upcaster, because logs contain facts of the old version.
//!
//! After adding a type or a version, run with `UPDATE_GOLDEN=1` once and commit the new file. Never edit an old one.

mod details;
mod samples;
mod values;

use std::collections::BTreeSet;
use std::path::PathBuf;

use samples::{Sample, samples};
use ticketing_domain::catalog::CatalogEvent;
use ticketing_domain::generations;
use ticketing_domain::inventory::InventoryEvent;
use ticketing_domain::payment::PaymentEvent;
use ticketing_domain::reservation::{Line, ReservationEvent};
use ticketing_domain::stored::StoredEvent;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::Metadata;

#[test]
fn every_event_is_written_as_its_committed_payload() {
    for (event_type, version, payload) in samples().iter().flat_map(Sample::written) {
        let file = golden_file(event_type, version);
        if std::env::var_os("UPDATE_GOLDEN").is_some() && !file.exists() {
            std::fs::write(&file, [payload.as_slice(), b"\n"].concat()).unwrap();
        }
        let golden = std::fs::read_to_string(&file)
            .unwrap_or_else(|_| panic!("{} is missing; see the top of this test", file.display()));
        assert_eq!(
            String::from_utf8(payload).unwrap(),
            golden.trim_end(),
            "the payload of {event_type} changed: give it a new version and an upcaster"
        );
    }
}

#[test]
fn every_committed_payload_is_still_read() {
    for entry in std::fs::read_dir(golden_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (event_type, version) = name.rsplit_once(".v").expect("golden files are named Type.vN.json");
        let data = std::fs::read(&path).unwrap();
        let version = version.parse().unwrap();
        let read = CatalogEvent::read(event_type, version, &data)
            .map(Sample::Catalog)
            .or_else(|_| InventoryEvent::read(event_type, version, &data).map(Sample::Inventory))
            .or_else(|_| ReservationEvent::read(event_type, version, &data).map(Sample::Reservation))
            .or_else(|_| PaymentEvent::read(event_type, version, &data).map(Sample::Payment));
        assert!(read.is_ok(), "{name} is not read any more: {}", read.unwrap_err());
    }
}

#[test]
fn what_an_older_build_reads_is_written_as_it_always_was_and_says_the_same() {
    for sample in samples() {
        for (event_type, version, payload) in sample.written() {
            let tables = [PaymentEvent::NEW_VERSIONS, ReservationEvent::NEW_VERSIONS];
            for new in tables.into_iter().flatten().filter(|new| new.event_type == event_type) {
                assert_eq!(new.version, version);
                let lowered = (new.lower)(&payload).unwrap();
                let golden = std::fs::read(golden_file(event_type, new.before)).unwrap();
                assert_eq!(shape(&lowered), shape(&golden), "{event_type}");
                match &sample {
                    Sample::Reservation(event) => {
                        let read = ReservationEvent::read(event_type, new.before, &lowered).unwrap();
                        assert_eq!(read, as_older_builds_tell_it(event.clone(), new.before), "{event_type}");
                    }
                    // The older version of a payment lacks a field, and says no more than it always did.
                    Sample::Payment(_) => {
                        assert!(PaymentEvent::read(event_type, new.before, &lowered).is_ok());
                        assert_eq!(lowered, golden.trim_ascii_end());
                    }
                    Sample::Catalog(_) | Sample::Inventory(_) => {}
                }
            }
        }
    }
}

/// Returns the names of the fields of an object.
fn shape(json: &[u8]) -> Vec<String> {
    match serde_json::from_slice(json).expect("the data of a fact is JSON") {
        serde_json::Value::Object(fields) => fields.keys().cloned().collect(),
        other => panic!("{other} is not an object"),
    }
}

/// Returns what is read of a fact that was written in an older version: no line tells the id of its tier,
/// but for a hold from version 3 on and a sale from version 4 on, and a sale in version 2 or 1 does not tell the id of its section.
fn as_older_builds_tell_it(mut event: ReservationEvent, version: u16) -> ReservationEvent {
    match &mut event {
        ReservationEvent::ReservationHeld(held) => {
            let [line] = &*held.lines else {
                panic!("{:?}", held.lines)
            };
            let line = line.clone();
            let tier_id = line.tier_id.filter(|_| version >= 3);
            held.lines = [Line { tier_id, ..line }].into();
        }
        ReservationEvent::ReservationCompleted(completed) => {
            let line = &mut completed.sale.lines[0];
            line.tier_id = line.tier_id.filter(|_| version >= 4);
            line.section_id = line.section_id.filter(|_| version >= 3);
        }
        _ => {}
    }
    event
}

#[test]
fn what_no_older_version_can_tell_is_never_lowered() {
    for order in [samples::held_with_a_type(), samples::completed_with_a_type()] {
        let (event_type, version) = order.schema();
        assert!(order.is_read_by_all(SchemaGeneration(6)), "{event_type} v{version}");
        assert!(!order.is_read_by_all(SchemaGeneration(5)), "{event_type} v{version}");
    }
    for order in [samples::held_by_a_guest(), samples::paid_by_a_guest()] {
        assert!(order.is_read_by_all(SchemaGeneration(7)));
        assert!(!order.is_read_by_all(SchemaGeneration(6)));
        let (event_type, version) = order.schema();
        let read = ReservationEvent::read(event_type, version, &order.payload());
        assert_eq!(read.unwrap(), order);
    }
    for order in [samples::held_in_two_sections(), samples::completed_in_two_sections()] {
        assert!(order.is_read_by_all(SchemaGeneration(4)));
        assert!(!order.is_read_by_all(SchemaGeneration(3)));
    }
    is_never_lowered(&samples::created(details::with_all_there_is()));
    is_never_lowered(&samples::created(details::with_fees_and_taxes()));
    for details in [
        details::with_ticket_types(),
        details::with_a_pool(),
        details::with_early_birds(),
    ] {
        let created = samples::created(details);
        assert!(created.is_read_by_all(SchemaGeneration(6)));
        assert!(!created.is_read_by_all(SchemaGeneration(5)));
    }
    for order in [samples::held_with_a_fee(), samples::completed_with_a_fee()] {
        is_never_lowered(&order);
        let (event_type, version) = order.schema();
        let read = ReservationEvent::read(event_type, version, &order.payload());
        assert_eq!(read.unwrap(), order);
    }
    is_never_lowered(&samples::opened_with_an_aisle());
    for sample in samples() {
        if let Sample::Inventory(told @ (InventoryEvent::SeatsHeld(_) | InventoryEvent::SeatsRetaken(_))) = sample {
            is_never_lowered(&told);
        }
    }
    for details in [details::with_a_limit(), details::with_extensions()] {
        let created = samples::created(details);
        assert!(created.is_read_by_all(SchemaGeneration(5)));
        assert!(!created.is_read_by_all(SchemaGeneration(4)));
    }
    let with_an_aisle = samples::created(details::with_an_aisle());
    assert!(
        with_an_aisle.is_read_by_all(SchemaGeneration(4)),
        "without a limit, the version before tells it"
    );
    assert!(!with_an_aisle.is_read_by_all(SchemaGeneration(3)));
}

/// The other examples have plain lines, so that older versions can tell them. This one locks the stored shape of codes and of the
/// parts of a price.
#[test]
fn the_parts_of_a_price_are_stored_as_they_were() {
    for order in [samples::held_with_a_fee(), samples::completed_with_a_fee()] {
        let (event_type, version) = order.schema();
        let file = golden_folder().join(format!("priced/{event_type}.v{version}.json"));
        let payload = String::from_utf8(order.payload()).unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() && !file.exists() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, format!("{payload}\n")).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap();
        assert_eq!(payload, golden.trim_end(), "{event_type}");
        assert_eq!(
            ReservationEvent::read(event_type, version, golden.as_bytes()).unwrap(),
            order
        );
    }
}

fn is_never_lowered<E: StoredEvent + PartialEq + std::fmt::Debug>(event: &E) {
    let (event_type, version) = event.schema();
    let older = E::NEW_VERSIONS.iter().filter(|new| new.event_type == event_type);
    for older in older {
        assert_eq!((older.lower)(&event.payload()), None, "{event_type}");
        assert!(!event.is_read_by_all(SchemaGeneration(older.since.0 - 1)));
    }
    assert!(event.is_read_by_all(generations::newest()));
    let mut written = event.to_new_event(Metadata::default());
    generations::write_for_all(SchemaGeneration::FIRST, &mut written);
    assert_eq!((written.event_version, written.data), (version, event.payload()));
    let read = E::read(event_type, version, &event.payload()).expect("this build reads what it writes");
    assert_eq!(read, *event);
}

#[test]
fn every_event_type_has_a_sample_and_no_two_aggregates_share_a_type() {
    let declared: Vec<_> = [
        CatalogEvent::SCHEMAS,
        InventoryEvent::SCHEMAS,
        ReservationEvent::SCHEMAS,
        PaymentEvent::SCHEMAS,
    ]
    .concat();
    let types: BTreeSet<_> = declared.iter().map(|(event_type, _)| *event_type).collect();
    assert_eq!(types.len(), declared.len());
    let sampled: BTreeSet<_> = samples()
        .iter()
        .flat_map(Sample::written)
        .map(|(name, version, _)| (name, version))
        .collect();
    assert_eq!(sampled, declared.into_iter().collect());
}

fn golden_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn golden_file(event_type: &str, version: u16) -> PathBuf {
    golden_folder().join(format!("{event_type}.v{version}.json"))
}
