//! One example of every version of every type of fact.

use ticketing_domain::catalog::{
    CancellationFinished, CatalogEvent, CodeEnded, CodesAdded, EventCancelled, EventCompleted, EventCreated,
    EventPublished, SalesClosed, SalesOpened,
};
use ticketing_domain::inventory::{
    HoldExtended, InventoryEvent, Part, ReleaseReason, SeatsBlocked, SeatsHeld, SeatsReleased, SeatsRetaken, SeatsSold,
    SeatsUnblocked, SectionOpened, TakenSeats,
};
use ticketing_domain::payment::{
    CaptureRequested, Charge, MethodFingerprint, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentDeferred,
    PaymentEvent, PaymentRefunded, PaymentRequested, PaymentVoided, RefundCause, RefundRequested, VoidRequested,
};
use ticketing_domain::reservation::{
    CancelReason, CompensationReason, Line, ReservationCancelled, ReservationCompensated, ReservationCompleted,
    ReservationEvent, ReservationExpired, ReservationExtended, ReservationHeld, ReservationMoneyReturned,
    ReservationPaymentDeclined, ReservationPaymentGivenUp, ReservationPaymentStarted, ReservationRefunded,
};
use ticketing_domain::stored::StoredEvent;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::{EventDetails, PoolMember};
use ticketing_ports::vocabulary::ids::{
    CodeId, CustomerId, EventId, FeeId, LineId, PaymentId, RefundId, ReservationId, SectionId, TaxId, TicketId,
    TicketTypeId, TierId, UserId,
};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{
    ActionKind, ActionWanted, DeclineReason, MethodKind, MethodToken, PaymentMethod,
};
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::{Discount, FeePer, NamedCode, PricePart};
use ticketing_ports::vocabulary::reservation::{LineKind, NamedTicketType, Sale, Ticket};
use ticketing_ports::vocabulary::seating::Allocation;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use crate::details::{rows_with_an_aisle, with_all_there_is};
use crate::values::{at, id, label, seat};

#[derive(Debug)]
pub(crate) enum Sample {
    Catalog(CatalogEvent),
    Inventory(InventoryEvent),
    Reservation(ReservationEvent),
    Payment(PaymentEvent),
}

impl Sample {
    pub(crate) fn written(&self) -> Vec<(&'static str, u16, Vec<u8>)> {
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

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples: Vec<_> = facts_of_a_catalog().into_iter().map(Sample::Catalog).collect();
    samples.extend(facts_of_an_inventory().into_iter().map(Sample::Inventory));
    samples.extend(facts_of_a_reservation().into_iter().map(Sample::Reservation));
    samples.extend(facts_of_a_payment().into_iter().map(Sample::Payment));
    samples
}

fn facts_of_a_catalog() -> Vec<CatalogEvent> {
    vec![
        created(with_all_there_is()),
        EventPublished {}.into(),
        SalesOpened {}.into(),
        SalesClosed {}.into(),
        EventCancelled {
            reason: Some(label("Storm warning")),
        }
        .into(),
        CancellationFinished {}.into(),
        CodesAdded {
            codes: vec![spring()],
            rules: CodeRules {
                discount: Some(Discount::Percent(Percent::whole(10))),
                valid_for: vec![PoolMember::of_type(label("VIP"), label("student"))],
                available_from: Some(at(1_000)),
                available_until: Some(at(500_000)),
                max_uses: Some(100),
                max_uses_per_customer: Some(2),
            },
        }
        .into(),
        CodeEnded {
            code_id: spring().code_id,
        }
        .into(),
        EventCompleted {}.into(),
    ]
}

fn facts_of_an_inventory() -> Vec<InventoryEvent> {
    let reservation_id = ReservationId::new(id(3));
    vec![
        opened_with_an_aisle(),
        SeatsHeld {
            reservation_id,
            customer_id: Some(CustomerId::new(id(6))),
            seats: seats(),
            allocation: Allocation::Adjacent,
            held_until: at(300),
            parts: parts(2),
        }
        .into(),
        HoldExtended {
            reservation_id,
            quantity: 2,
            held_until: at(600),
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
            customer_id: Some(CustomerId::new(id(6))),
        }
        .into(),
        SeatsRetaken {
            reservation_id,
            customer_id: Some(CustomerId::new(id(6))),
            seats: TakenSeats::Places(3),
            parts: parts(3),
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
            lines: [line()].into(),
            total: total(),
            held_until: at(300),
            at: at(0),
            order_secret: None,
        }
        .into(),
        ReservationPaymentStarted {
            payment_id,
            person: None,
        }
        .into(),
        ReservationPaymentDeclined {
            payment_id,
            reason: DeclineReason::InsufficientFunds,
            declines: 1,
        }
        .into(),
        ReservationPaymentGivenUp { payment_id }.into(),
        ReservationExtended {
            held_until: at(600),
            extensions: 1,
        }
        .into(),
        ReservationCompleted {
            sale: sale(),
            tickets: vec![
                Ticket {
                    ticket_id: TicketId::new(id(7)),
                    line_id: line().line_id,
                    seat_id: Some(seat("A-1")),
                },
                Ticket {
                    ticket_id: TicketId::new(id(8)),
                    line_id: line().line_id,
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
            refunded_in_total: total(),
            was_completed: false,
        }
        .into(),
        ReservationMoneyReturned {
            amount: Money::new(1_000, total().currency),
            refunded_in_total: Money::new(3_500, total().currency),
        }
        .into(),
    ]
}

pub(crate) fn created(details: EventDetails) -> CatalogEvent {
    let created = EventCreated {
        event_id: EventId::new(id(1)),
        owner_id: UserId::new(id(2)),
        created_at: at(0),
        details: details.into(),
    };
    created.into()
}

pub(crate) fn opened_with_an_aisle() -> InventoryEvent {
    let opened = SectionOpened {
        section_id: SectionId::new(id(4)),
        event_id: EventId::new(id(1)),
        name: label("VIP"),
        seating: rows_with_an_aisle(),
    };
    opened.into()
}

/// The hold of an order over two sections.
pub(crate) fn held_in_two_sections() -> ReservationEvent {
    match facts_of_a_reservation().swap_remove(0) {
        ReservationEvent::ReservationHeld(held) => ReservationHeld {
            lines: [line(), another_line()].into(),
            ..held
        }
        .into(),
        other => panic!("{other:?}"),
    }
}

/// The hold of a guest.
pub(crate) fn held_by_a_guest() -> ReservationEvent {
    let order_secret = Some(SecretDigest::from_bytes([7; 32]));
    match facts_of_a_reservation().swap_remove(0) {
        ReservationEvent::ReservationHeld(held) => ReservationHeld { order_secret, ..held }.into(),
        other => panic!("{other:?}"),
    }
}

/// The payment of a guest whose address was given.
pub(crate) fn paid_by_a_guest() -> ReservationEvent {
    let started = ReservationPaymentStarted {
        payment_id: PaymentId::new(id(5)),
        person: Some(CustomerId::new(id(6))),
    };
    started.into()
}

/// The hold of tickets whose price has parts.
pub(crate) fn held_with_a_fee() -> ReservationEvent {
    let lines = [with_a_fee()].into();
    match facts_of_a_reservation().swap_remove(0) {
        ReservationEvent::ReservationHeld(held) => ReservationHeld { lines, ..held }.into(),
        other => panic!("{other:?}"),
    }
}

/// The sale of tickets whose price has parts.
pub(crate) fn completed_with_a_fee() -> ReservationEvent {
    let lines = vec![with_a_fee().sold()];
    let sale = Sale { lines, ..sale() };
    let tickets = Vec::new();
    ReservationCompleted { sale, tickets }.into()
}

fn spring() -> NamedCode {
    NamedCode {
        code_id: CodeId::new(id(20)),
        code: label("SPRING"),
    }
}

/// A line of tickets with a discount, a fee and a tax.
fn with_a_fee() -> Line {
    let eur = |amount| Money::new(amount, Currency::EUR);
    let code = spring();
    let price_parts = vec![
        PricePart::Base { amount: total() },
        PricePart::Discount {
            code: code.clone(),
            amount: eur(-2_400),
        },
        PricePart::Fee {
            fee_id: FeeId::new(id(16)),
            name: label("booking"),
            per: FeePer::Order,
            included: false,
            amount: eur(200),
        },
        PricePart::Tax {
            tax_id: TaxId::new(id(18)),
            name: label("VAT"),
            rate: Percent::whole(6),
            included: true,
            amount: eur(1_234),
            moved: -1,
        },
    ];
    Line {
        code: Some(code),
        price_parts,
        total: eur(21_800),
        ..line()
    }
}

/// The hold of a ticket that has a type.
pub(crate) fn held_with_a_type() -> ReservationEvent {
    let lines = [of_a_type()].into();
    match facts_of_a_reservation().swap_remove(0) {
        ReservationEvent::ReservationHeld(held) => ReservationHeld { lines, ..held }.into(),
        other => panic!("{other:?}"),
    }
}

/// The sale of a ticket that has a type.
pub(crate) fn completed_with_a_type() -> ReservationEvent {
    let lines = vec![of_a_type().sold()];
    let sale = Sale { lines, ..sale() };
    let tickets = Vec::new();
    ReservationCompleted { sale, tickets }.into()
}

fn of_a_type() -> Line {
    let named = NamedTicketType {
        ticket_type_id: TicketTypeId::new(id(11)),
        name: label("student"),
    };
    Line {
        ticket_type: Some(named),
        ..line()
    }
}

/// The sale of an order over two sections.
pub(crate) fn completed_in_two_sections() -> ReservationEvent {
    let mut sale = sale();
    sale.lines.push(another_line().sold());
    let tickets = Vec::new();
    ReservationCompleted { sale, tickets }.into()
}

fn another_line() -> Line {
    Line {
        line_id: LineId::new(id(10)),
        section_id: SectionId::new(id(11)),
        seats: TakenSeats::Places(1),
        ..line()
    }
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
        lines: vec![line().sold()],
        total_amount: total(),
        sold_at: at(60),
    }
}

fn line() -> Line {
    Line {
        line_id: LineId::first_of(ReservationId::new(id(3))),
        kind: LineKind::Ticket,
        section_id: SectionId::new(id(4)),
        section: label("VIP"),
        ticket_type: None,
        tier_id: Some(TierId::new(id(12))),
        tier: label("regular"),
        seats: seats(),
        allocation: Allocation::Adjacent,
        unit_price: Money::new(12_000, Currency::EUR),
        code: None,
        price_parts: Vec::new(),
        total: total(),
    }
}

fn parts(quantity: u32) -> Vec<Part> {
    vec![Part {
        ticket_type_id: Some(TicketTypeId::new(id(11))),
        tier_id: TierId::new(id(12)),
        code_id: Some(spring().code_id),
        quantity,
    }]
}

fn seats() -> TakenSeats {
    TakenSeats::Seats(vec![seat("A-1"), seat("A-2")])
}

fn total() -> Money {
    Money::new(24_000, Currency::EUR)
}

fn visa() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("tok_visa is a token and no card number"),
    }
}
