//! For each version of each type of fact, a file has an example payload. A payload that changes its shape needs a new
//! version and an upcaster, because logs contain facts of the old version.
//!
//! After adding a type or a version, run with `UPDATE_GOLDEN=1` once and commit the new file. Never edit an old one.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::DateTime;
use ticketing_domain::catalog::{
    CancellationFinished, CatalogEvent, EventCancelled, EventCompleted, EventCreated, EventPublished, SalesClosed,
    SalesOpened,
};
use ticketing_domain::inventory::{
    InventoryEvent, ReleaseReason, SeatsBlocked, SeatsHeld, SeatsReleased, SeatsRetaken, SeatsSold, SeatsUnblocked,
    SectionOpened, TakenSeats,
};
use ticketing_domain::payment::{
    CaptureRequested, Charge, MethodFingerprint, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentDeferred,
    PaymentEvent, PaymentRefunded, PaymentRequested, PaymentVoided, RefundCause, RefundRequested, VoidRequested,
};
use ticketing_domain::reservation::{
    CancelReason, CompensationReason, ReservationCancelled, ReservationCompensated, ReservationCompleted,
    ReservationEvent, ReservationExpired, ReservationHeld, ReservationPaymentDeclined, ReservationPaymentGivenUp,
    ReservationPaymentStarted, ReservationRefunded,
};
use ticketing_domain::stored::StoredEvent;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::{EventDetails, PricingTier, RefundRule, Section, Venue};
use ticketing_ports::vocabulary::ids::{
    CustomerId, EventId, PaymentId, RefundId, ReservationId, SectionId, TicketId, UserId,
};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{ActionKind, ActionWanted, MethodKind, MethodToken, PaymentMethod};
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_ports::vocabulary::reservation::Ticket;
use ticketing_ports::vocabulary::seating::{Allocation, Label, RowPlan, SeatId, Seating};
use uuid::Uuid;

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
            let Some(new) = tables.into_iter().flatten().find(|new| new.event_type == event_type) else {
                continue;
            };
            assert_eq!(new.version, version);
            let lowered = (new.lower)(&payload);
            let shape = |json: &[u8]| match serde_json::from_slice(json).unwrap() {
                serde_json::Value::Object(fields) => fields.keys().cloned().collect::<Vec<_>>(),
                other => panic!("{event_type} is {other}"),
            };
            let golden = std::fs::read(golden_file(event_type, new.before)).unwrap();
            assert_eq!(shape(&lowered), shape(&golden), "{event_type}");
            match &sample {
                Sample::Reservation(event) => {
                    let read = ReservationEvent::read(event_type, new.before, &lowered).unwrap();
                    assert_eq!(read, *event, "what cost nothing still has no payment");
                }
                Sample::Payment(_) => {
                    assert!(PaymentEvent::read(event_type, new.before, &lowered).is_ok());
                    assert_eq!(lowered, golden.trim_ascii_end());
                }
                Sample::Catalog(_) | Sample::Inventory(_) => {}
            }
        }
    }
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

fn visa() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("tok_visa is a token and no card number"),
    }
}

fn golden_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn golden_file(event_type: &str, version: u16) -> PathBuf {
    golden_folder().join(format!("{event_type}.v{version}.json"))
}

#[derive(Debug)]
enum Sample {
    Catalog(CatalogEvent),
    Inventory(InventoryEvent),
    Reservation(ReservationEvent),
    Payment(PaymentEvent),
}

impl Sample {
    fn written(&self) -> Vec<(&'static str, u16, Vec<u8>)> {
        fn of(event: &impl StoredEvent) -> Vec<(&'static str, u16, Vec<u8>)> {
            let (event_type, version) = event.schema();
            vec![(event_type, version, event.payload())]
        }
        match self {
            Self::Catalog(event) => of(event),
            Self::Inventory(event) => of(event),
            Self::Reservation(event) => of(event),
            Self::Payment(event) => of(event),
        }
    }
}

fn samples() -> Vec<Sample> {
    let mut samples: Vec<_> = facts_of_a_catalog().into_iter().map(Sample::Catalog).collect();
    samples.extend(facts_of_an_inventory().into_iter().map(Sample::Inventory));
    samples.extend(facts_of_a_reservation().into_iter().map(Sample::Reservation));
    samples.extend(facts_of_a_payment().into_iter().map(Sample::Payment));
    samples
}

fn facts_of_a_catalog() -> Vec<CatalogEvent> {
    vec![
        EventCreated {
            event_id: EventId::new(id(1)),
            owner_id: UserId::new(id(2)),
            created_at: at(0),
            details: details(),
        }
        .into(),
        EventPublished {}.into(),
        SalesOpened {}.into(),
        SalesClosed {}.into(),
        EventCancelled {
            reason: Some(label("Storm warning")),
        }
        .into(),
        CancellationFinished {}.into(),
        EventCompleted {}.into(),
    ]
}

fn facts_of_an_inventory() -> Vec<InventoryEvent> {
    let reservation_id = ReservationId::new(id(3));
    vec![
        SectionOpened {
            section_id: SectionId::new(id(4)),
            event_id: EventId::new(id(1)),
            name: label("VIP"),
            seating: Seating::Numbered {
                rows: vec![RowPlan {
                    row: label("A"),
                    seats: 20,
                }],
            },
        }
        .into(),
        SeatsHeld {
            reservation_id,
            seats: seats(),
            allocation: Allocation::Adjacent,
            held_until: at(300),
        }
        .into(),
        SeatsReleased {
            reservation_id,
            reason: ReleaseReason::Expired,
            held: 2,
            sold: 0,
        }
        .into(),
        SeatsSold {
            reservation_id,
            quantity: 2,
        }
        .into(),
        SeatsRetaken {
            reservation_id,
            seats: TakenSeats::Places(3),
        }
        .into(),
        SeatsBlocked { seats: seats() }.into(),
        SeatsUnblocked { seats: seats() }.into(),
    ]
}

fn facts_of_a_reservation() -> Vec<ReservationEvent> {
    let reservation_id = ReservationId::new(id(3));
    let payment_id = PaymentId::new(id(5));
    vec![
        ReservationHeld {
            reservation_id,
            event_id: EventId::new(id(1)),
            customer_id: CustomerId::new(id(6)),
            section_id: SectionId::new(id(4)),
            section: label("VIP"),
            tier: label("regular"),
            seats: seats(),
            allocation: Allocation::Adjacent,
            unit_price: Money::new(12_000, Currency::EUR),
            total: total(),
            held_until: at(300),
            at: at(0),
        }
        .into(),
        ReservationPaymentStarted { payment_id }.into(),
        ReservationPaymentDeclined {
            payment_id,
            reason: DeclineReason::InsufficientFunds,
            declines: 1,
        }
        .into(),
        ReservationPaymentGivenUp { payment_id }.into(),
        ReservationCompleted {
            sale: sale(),
            tickets: vec![
                Ticket {
                    ticket_id: TicketId::new(id(7)),
                    seat_id: Some(seat("A-1")),
                },
                Ticket {
                    ticket_id: TicketId::new(id(8)),
                    seat_id: None,
                },
            ],
        }
        .into(),
        ReservationExpired {
            payment_id: Some(payment_id),
        }
        .into(),
        ReservationCancelled {
            reason: CancelReason::Customer,
            was_completed: true,
        }
        .into(),
        ReservationCompensated {
            reason: CompensationReason::PaidTooLate,
            payment_id,
        }
        .into(),
        ReservationRefunded {
            amount: total(),
            was_completed: false,
        }
        .into(),
    ]
}

fn facts_of_a_payment() -> Vec<PaymentEvent> {
    let reservation_id = ReservationId::new(id(3));
    let payment_id = PaymentId::new(id(5));
    let refund_id = RefundId::new(id(9));
    vec![
        PaymentRequested {
            payment_id,
            reservation_id,
            event_id: EventId::new(id(1)),
            customer_id: CustomerId::new(id(6)),
            amount: total(),
            method: MethodKind::Card,
            method_fingerprint: Some(MethodFingerprint::of(payment_id, &visa())),
            charge: Charge::AuthorizeAndCapture,
            at: at(30),
        }
        .into(),
        PaymentDeferred {
            action: Some(ActionWanted {
                kind: ActionKind::ClientSecret,
                until: at(60),
            }),
            at: at(31),
        }
        .into(),
        PaymentAuthorized {
            last_four: Some("4242".to_owned()),
            at: at(31),
        }
        .into(),
        PaymentDeclined {
            reason: DeclineReason::Declined,
            at: at(31),
        }
        .into(),
        CaptureRequested { at: at(31) }.into(),
        PaymentCaptured { at: at(32) }.into(),
        VoidRequested { at: at(33) }.into(),
        PaymentVoided { at: at(34) }.into(),
        RefundRequested {
            refund_id,
            amount: total(),
            cause: RefundCause::Admin,
            reason: Some(label("Goodwill")),
            at: at(40),
        }
        .into(),
        PaymentRefunded {
            reservation_id,
            refund_id,
            amount: total(),
            refunded_in_total: total(),
            in_full: true,
            cause: RefundCause::Admin,
            at: at(41),
        }
        .into(),
    ]
}

fn sale() -> Sale {
    Sale {
        reservation_id: ReservationId::new(id(3)),
        payment_id: None,
        event_id: EventId::new(id(1)),
        customer_id: CustomerId::new(id(6)),
        section: label("VIP"),
        tier: label("regular"),
        quantity: 2,
        unit_price: Money::new(12_000, Currency::EUR),
        total_amount: total(),
        sold_at: at(60),
    }
}

fn seats() -> TakenSeats {
    TakenSeats::Seats(vec![seat("A-1"), seat("A-2")])
}

fn total() -> Money {
    Money::new(24_000, Currency::EUR)
}

fn details() -> Arc<EventDetails> {
    Arc::new(EventDetails {
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
        }],
        pricing_tiers: vec![PricingTier {
            section: label("VIP"),
            tier: label("regular"),
            price: Money::new(12_000, Currency::EUR),
            available_from: None,
            available_until: Some(at(500_000)),
        }],
        hold_seconds: 300,
        max_seats_per_order: 8,
        refund_policy: vec![RefundRule {
            hours_before: 168,
            percent: 100,
        }],
    })
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("the number of seconds is within range")
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a short plain text is a valid label")
}

fn seat(text: &str) -> SeatId {
    SeatId::parse(text).expect("the text names a seat")
}
