//! Guests: buyers without an account, who have the secret of one order.

use ticketing_ports::log::deadlines::DeadlineKind;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::buyer::Guest;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId, UserId};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::secrets::SecretDigest;
use uuid::Uuid;

use crate::book::{Caller, UnitOfWork};
use crate::command::Question as _;
use crate::commands::given::{
    ADMIN, ALICE, EVENT, Happened, House, approved, balcony, card, floor, floor_and_balcony, free_on_sale, on_sale,
    paying, paypal,
};
use crate::commands::{
    AuthorizePayment, CancelReservation, ExpireHold, ExtendHold, GatewayAnswer, HoldFor, HoldSeats, PayReservation,
    PublishEvent, ReportPayment,
};
use crate::facts::Fact;
use crate::inventory::InventoryEvent;
use crate::payment::GatewayCall;
use crate::questions::{SeeCancellation, SeePayment, SeeReservation};
use crate::refusal::Refusal;
use crate::reservation::ReservationEvent;

/// Somebody who has shown the secret of an order, and whose address nobody has looked up.
fn guest(number: u8) -> Guest {
    SecretDigest::from_bytes([number; 32]).into()
}

/// The same guest, once the address of a person is known.
fn known(number: u8, person: UserId) -> Guest {
    Guest {
        person: Some(person.into()),
        ..guest(number)
    }
}

fn grace() -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(0x67ACE)),
        role: Role::Customer,
    }
}

fn held(house: &mut House, by: Guest, wanted: HoldSeats) -> ReservationId {
    let held = house.asks(by, wanted).expect("the seats are free");
    held.reply().reservation_id
}

/// Returns to whom the facts say that the order was sold: the reservation's fact, and those of its sections.
fn sold_to<C: crate::command::Command>(happened: &Happened<C>) -> (Option<CustomerId>, Vec<Option<CustomerId>>) {
    let mut sale = None;
    let mut sections = Vec::new();
    for staged in &happened.staged.facts {
        match &staged.fact {
            Fact::Reservation(ReservationEvent::ReservationCompleted(completed)) => {
                sale = Some(completed.sale.customer_id);
            }
            Fact::Inventory(InventoryEvent::SeatsSold(sold)) => sections.push(sold.customer_id),
            Fact::Inventory(InventoryEvent::SeatsRetaken(retaken)) => sections.push(retaken.customer_id),
            _ => {}
        }
    }
    (sale, sections)
}

/// Pays with a card, as the gateway approves it, and returns what followed when the money was taken.
fn pay(house: &mut House, by: Guest, reservation_id: ReservationId) -> Happened<ReportPayment> {
    house.asks(by, paying(reservation_id)).expect("the order can be paid");
    let payment_id = house.calls().last().expect("the gateway was called").payment_id();
    house.gateway_says(payment_id, approved());
    let answer = GatewayAnswer::Captured;
    house
        .asks(Caller::World, ReportPayment { payment_id, answer })
        .expect("the payment exists")
}

#[test]
fn the_secret_of_an_order_opens_that_order_and_no_other() {
    let mut house = on_sale();
    let order = held(&mut house, guest(1), floor_and_balcony(1, &["A-1"]));
    let other = held(&mut house, guest(2), floor(1));
    let unknown = Refusal::ReservationNotFound(other);
    let by = known(1, grace().user_id);
    assert_eq!(house.asks(by, paying(other)).unwrap_err(), unknown);
    assert_eq!(
        house.asks(by, ExtendHold { reservation_id: other }).unwrap_err(),
        unknown
    );
    assert_eq!(house.asks(by, CancelReservation::from(other)).unwrap_err(), unknown);
    let authorize = AuthorizePayment {
        reservation_id: other,
        method: card(),
    };
    assert_eq!(house.asks(by, authorize).unwrap_err(), unknown);
    assert_eq!(
        house.asks(ALICE, CancelReservation::from(order)).unwrap_err(),
        Refusal::ReservationNotFound(order)
    );
    house.asks(by, ExtendHold { reservation_id: order }).unwrap();
    house.asks(ADMIN, CancelReservation::from(other)).unwrap();
    let given_up = house.asks(by, CancelReservation::from(order)).unwrap();
    assert_eq!(given_up.reply().status, ReservationStatus::Cancelled);
}

#[test]
fn a_guest_sees_the_order_and_its_payment() {
    let mut house = on_sale();
    let order = held(&mut house, guest(1), floor(1));
    let paid = pay(&mut house, known(1, grace().user_id), order);
    let payment_id = paid.reply().payment_id;
    for (by, own) in [
        (Caller::from(guest(1)), true),
        (guest(2).into(), false),
        (grace().into(), true),
        (ALICE.into(), false),
    ] {
        let mut seen = |look: &dyn Fn(&UnitOfWork<'_>) -> bool| house.sees(by, look);
        let order_seen = seen(&|unit| SeeReservation { reservation_id: order }.look(unit).is_ok());
        let cancellation_seen = seen(&|unit| SeeCancellation { reservation_id: order }.look(unit).is_ok());
        let payment_seen = seen(&|unit| SeePayment { payment_id }.look(unit).is_ok());
        assert_eq!((order_seen, cancellation_seen, payment_seen), (own, own, own), "{by:?}");
    }
}

#[test]
fn nobody_is_sold_a_guests_order_before_an_address_was_given() {
    let mut house = on_sale();
    let order = held(&mut house, guest(1), floor(1));
    assert_eq!(
        house.asks(guest(1), paying(order)).unwrap_err(),
        Refusal::AddressMissing
    );
    assert_eq!(house.asks(ADMIN, paying(order)).unwrap_err(), Refusal::AddressMissing);
    let authorize = AuthorizePayment {
        reservation_id: order,
        method: card(),
    };
    assert_eq!(house.asks(guest(1), authorize).unwrap_err(), Refusal::AddressMissing);
    assert!(house.calls().is_empty(), "no gateway was asked");

    let mut house = free_on_sale();
    let order = held(&mut house, guest(1), floor(1));
    let take = PayReservation {
        method: None,
        ..paying(order)
    };
    assert_eq!(house.asks(guest(1), take.clone()).unwrap_err(), Refusal::AddressMissing);
    let taken = house.asks(known(1, grace().user_id), take).unwrap();
    let grace = Some(CustomerId::from(grace().user_id));
    assert_eq!(sold_to(&taken), (grace, vec![grace]));
}

#[test]
fn when_it_is_sold_the_order_becomes_that_of_the_person_whose_address_was_given() {
    let mut house = on_sale();
    let order = held(&mut house, guest(1), floor_and_balcony(2, &["A-1"]));
    let cancel = CancelReservation::from(order);
    assert_eq!(
        house.asks(grace(), cancel).unwrap_err(),
        Refusal::ReservationNotFound(order),
        "an address that a guest has typed opens nothing before the order is paid"
    );
    house.asks(known(1, grace().user_id), paying(order)).unwrap();
    let payment_id = house.calls().last().unwrap().payment_id();
    let sees = |house: &mut House| {
        let look = |unit: &UnitOfWork<'_>| SeePayment { payment_id }.look(unit);
        house.sees(grace().into(), look).map(|view| view.customer_id)
    };
    assert!(sees(&mut house).is_err(), "neither does it open the payment");
    house.gateway_says(payment_id, approved());
    let answer = GatewayAnswer::Captured;
    let paid = house.asks(Caller::World, ReportPayment { payment_id, answer }).unwrap();
    let customer = Some(CustomerId::from(grace().user_id));
    assert_eq!(sold_to(&paid), (customer, vec![customer, customer]));
    let guests_own = CustomerId::new(order.uuid());
    assert_eq!(sees(&mut house).unwrap(), guests_own, "the payment was made by a guest");
    assert_eq!(
        house.asks(ALICE, cancel).unwrap_err(),
        Refusal::ReservationNotFound(order)
    );
    house.asks(grace(), cancel).unwrap();
}

#[test]
fn what_is_sold_to_an_account_tells_its_customer_once() {
    let mut house = on_sale();
    let order = house.hold(ALICE, 1);
    let payment_id = house.start_paying(ALICE, order);
    house.gateway_says(payment_id, approved());
    let answer = GatewayAnswer::Captured;
    let sold = house.asks(Caller::World, ReportPayment { payment_id, answer }).unwrap();
    assert_eq!(sold_to(&sold), (Some(ALICE.user_id.into()), vec![None]));
}

#[test]
fn an_address_that_is_corrected_after_a_declined_payment_counts_for_the_next_one() {
    let mut house = on_sale();
    let order = held(&mut house, guest(1), floor(1));
    house.asks(known(1, ALICE.user_id), paying(order)).unwrap();
    let payment_id = house.calls().last().unwrap().payment_id();
    house.gateway_says(payment_id, declined());
    let paid = pay(&mut house, known(1, grace().user_id), order);
    assert_eq!(sold_to(&paid).0, Some(grace().user_id.into()));
}

fn declined() -> GatewayAnswer {
    GatewayAnswer::Authorized(Authorization::Declined {
        reason: DeclineReason::InsufficientFunds,
    })
}

#[test]
fn money_that_arrives_late_buys_the_seats_for_the_same_person() {
    let mut house = on_sale();
    let order = held(&mut house, guest(1), floor(1));
    house.asks(known(1, grace().user_id), paying(order)).unwrap();
    let payment_id = house.calls().last().unwrap().payment_id();
    house.wait(300);
    let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
    house.asks(Caller::World, ExpireHold { deadline }).unwrap();
    house.gateway_says(payment_id, approved());
    let answer = GatewayAnswer::Captured;
    let late = house.asks(Caller::World, ReportPayment { payment_id, answer }).unwrap();
    let customer = Some(CustomerId::from(grace().user_id));
    assert_eq!(sold_to(&late), (customer, vec![customer]));
}

#[test]
fn a_person_buys_as_a_guest_no_more_than_one_customer_may_have() {
    let mut house = House::with(|draft| draft.max_seats_per_customer = Some(2));
    let first = held(&mut house, guest(1), floor(2));
    let second = held(&mut house, guest(2), balcony(&["A-1"]));
    assert!(
        house.asks(grace(), floor(2)).is_ok(),
        "what guests hold is not counted for a person, or anybody could use up somebody else's seats"
    );
    let too_many = |requested, has| Refusal::CustomerLimitReached {
        requested,
        has,
        limit: 2,
        code: None,
    };
    let refused = house.asks(known(1, grace().user_id), paying(first)).unwrap_err();
    assert_eq!(refused, too_many(2, None), "her own hold counts");
    let alice = ALICE.user_id;
    pay(&mut house, known(1, alice), first);
    let refused = house.asks(known(2, alice), paying(second)).unwrap_err();
    assert_eq!(refused, too_many(1, None));
    assert_eq!(
        house.asks(ALICE, floor(1)).unwrap_err(),
        too_many(1, Some(2)),
        "what was bought as a guest counts"
    );
}

#[test]
fn of_two_orders_that_one_person_pays_at_once_the_one_beyond_the_limit_is_paid_back() {
    let mut house = House::with(|draft| draft.max_seats_per_customer = Some(2));
    let payments = [1, 2].map(|number| {
        let order = held(&mut house, guest(number), floor(2));
        house.asks(known(number, grace().user_id), paying(order)).unwrap();
        house.calls().last().unwrap().payment_id()
    });
    for payment_id in payments {
        house.gateway_says(payment_id, approved());
    }
    let answers = payments.map(|payment_id| house.gateway_says(payment_id, GatewayAnswer::Captured));
    assert!(answers[0].contains(&"ReservationCompleted".to_owned()), "{answers:?}");
    assert!(answers[1].contains(&"ReservationCompensated".to_owned()), "{answers:?}");
    assert!(matches!(house.calls().last(), Some(GatewayCall::Refund { .. })));
    assert_eq!(house.counts("Floor").sold, 2);
}

#[test]
fn money_that_was_set_aside_is_not_taken_for_seats_that_the_person_may_no_longer_have() {
    let mut house = House::with(|draft| draft.max_seats_per_customer = Some(2));
    let orders = [1, 2].map(|number| {
        let order = held(&mut house, guest(number), floor(2));
        let authorize = AuthorizePayment {
            reservation_id: order,
            method: card(),
        };
        house.asks(known(number, grace().user_id), authorize).unwrap();
        let payment_id = house.calls().last().unwrap().payment_id();
        house.gateway_says(payment_id, approved());
        (order, payment_id)
    });
    let pay = |(reservation_id, payment_id)| PayReservation {
        reservation_id,
        payment_id: Some(payment_id),
        method: None,
    };
    house.asks(known(1, grace().user_id), pay(orders[0])).unwrap();
    house.gateway_says(orders[0].1, GatewayAnswer::Captured);
    let refused = house.asks(guest(2), pay(orders[1])).unwrap_err();
    assert!(matches!(refused, Refusal::CustomerLimitReached { .. }), "{refused:?}");
    assert!(
        matches!(house.calls().last(), Some(GatewayCall::Capture { payment_id, .. }) if *payment_id == orders[0].1)
    );
}

#[test]
fn another_means_of_payment_keeps_the_person() {
    let mut house = on_sale();
    let order = held(&mut house, guest(1), floor(1));
    let by = known(1, grace().user_id);
    let first = AuthorizePayment {
        reservation_id: order,
        method: card(),
    };
    house.asks(by, first).unwrap();
    let payment_id = house.calls().last().unwrap().payment_id();
    house.gateway_says(payment_id, approved());
    let instead = PayReservation {
        method: Some(paypal()),
        ..paying(order)
    };
    house.asks(guest(1), instead).unwrap();
    let payment_id = house.calls().last().unwrap().payment_id();
    house.gateway_says(payment_id, approved());
    let answer = GatewayAnswer::Captured;
    let sold = house.asks(Caller::World, ReportPayment { payment_id, answer }).unwrap();
    assert_eq!(sold_to(&sold).0, Some(grace().user_id.into()));
}

#[test]
fn a_guest_holds_for_nobody_else_and_organises_nothing() {
    let mut house = on_sale();
    let for_alice = HoldSeats {
        customer: HoldFor::Customer(ALICE.user_id.into()),
        ..floor(1)
    };
    assert_eq!(house.asks(guest(1), for_alice).unwrap_err(), Refusal::Forbidden);
    let publish = PublishEvent { event_id: EVENT };
    assert_eq!(house.asks(guest(1), publish).unwrap_err(), Refusal::Forbidden);
}

#[test]
fn guests_wait_until_every_build_on_the_log_knows_them() {
    let mut house = on_sale();
    house.schema_floor = SchemaGeneration(6);
    assert_eq!(house.asks(guest(1), floor(1)).unwrap_err(), Refusal::UpdateUnderWay);
    assert!(house.asks(ALICE, floor(1)).is_ok());
}
