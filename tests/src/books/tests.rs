use chrono::{DateTime, TimeDelta};
use ticketing_ports::vocabulary::ids::TicketId;
use ticketing_ports::vocabulary::money::{Currency, Money};
use uuid::Uuid;

use super::*;
use crate::wire::{Event, Line, Seat, Ticket};

/// The books of an event with three reservations: A-1 is held, A-2 and A-3 are paid, and A-4 was paid, cancelled and
/// refunded.
struct Story {
    books: Books,
    answers: Answers,
}

const HELD: u128 = 1;
const PAID: u128 = 2;
const REFUNDED: u128 = 3;

impl Story {
    fn new() -> Self {
        let mut paid = reservation(PAID, ReservationStatus::Completed, &["A-2", "A-3"]);
        paid.tickets = [21, 22].map(ticket).into();
        let mut refunded = reservation(REFUNDED, ReservationStatus::Refunded, &["A-4"]);
        refunded.tickets = [31].map(ticket).into();
        let reservations = [reservation(HELD, ReservationStatus::Held, &["A-1"]), paid, refunded];
        let payments = [
            payment(PAID, PaymentStatus::Captured, 2_000, 0),
            payment(REFUNDED, PaymentStatus::Refunded, 1_000, 1_000),
        ];
        let counts = SectionCounts {
            total_capacity: 10,
            available: 7,
            reserved: 1,
            sold: 2,
            blocked: 0,
        };
        let books = Books {
            sections: [("Stalls".to_owned(), counts)].into(),
            histories: [HELD, PAID, REFUNDED].map(|of| (id(of), vec![1, 2, 3])).into(),
            listed: Some([HELD, PAID, REFUNDED].map(id).into()),
            reservations: reservations.map(|of| (of.reservation_id, of)).into(),
            payments: payments.map(|of| (of.payment_id, of)).into(),
            sales: Some(Sales {
                total_revenue: euros(3_000),
                refunded: euros(1_000),
                tickets_sold: 2,
            }),
            refunds_in_full: true,
            max_seats_per_customer: Some(4),
            terms: terms(),
        };
        let answers = Answers::from_entries(&[
            Entry::Started {
                event: ticketing_ports::vocabulary::ids::EventId::new(Uuid::from_u128(9)),
                sole_seller: true,
            },
            held(HELD, &["A-1"]),
            held(PAID, &["A-2", "A-3"]),
            held(REFUNDED, &["A-4"]),
            Entry::Paid { reservation: id(PAID) },
            Entry::Paid {
                reservation: id(REFUNDED),
            },
            Entry::Cancelled {
                reservation: id(REFUNDED),
            },
        ]);
        Self { books, answers }
    }

    fn reservation(&mut self, of: u128) -> &mut Reservation {
        self.books.reservations.get_mut(&id(of)).unwrap()
    }

    fn payment(&mut self, of: u128) -> &mut Payment {
        self.books.payments.get_mut(&payment_id(of)).unwrap()
    }

    fn counts(&mut self) -> &mut SectionCounts {
        self.books.sections.get_mut("Stalls").unwrap()
    }

    fn check(&self) -> Vec<Discrepancy> {
        check(&self.books, &self.answers)
    }
}

/// The terms of an event that sells three tickets, each at 10.00.
fn terms() -> Terms {
    let event = serde_json::json!({
        "event_id": Uuid::from_u128(9),
        "starts_at": "2027-01-15T08:00:00Z",
        "refund_policy": [],
        "max_seats_per_customer": null,
        "sections": [{ "name": "Stalls", "ticket_types": [] }, { "name": "Boxes", "ticket_types": [] }],
        "pricing_tiers": [
            { "section": "Stalls", "ticket_type": null, "tier": "regular", "quantity": 3,
              "price": { "amount": 1_000, "currency": "EUR" } },
            { "section": "Boxes", "ticket_type": null, "tier": "regular", "quantity": null,
              "price": { "amount": 1_000, "currency": "EUR" } },
        ],
        "pools": [],
    });
    (&serde_json::from_value::<Event>(event).unwrap()).into()
}

#[test]
fn more_tickets_than_there_are_at_a_price_are_found() {
    let mut story = Story::new();
    story.books.terms.quotas[0].limit = 2;
    assert!(matches!(
        story.check().as_slice(),
        [Discrepancy::QuotaExceeded { taken: 3, .. }]
    ));
}

#[test]
fn a_line_that_does_not_cost_what_its_tier_says_is_found() {
    let mut story = Story::new();
    story.books.terms.tiers[0].price.amount = 999;
    let found = story.check();
    assert!(found.iter().all(|one| matches!(one, Discrepancy::WrongPrice { .. })));
    assert_eq!(found.len(), 3);
}

#[test]
fn books_that_are_right_have_no_discrepancy() {
    assert_eq!(Story::new().check(), []);
}

#[test]
fn a_customer_with_more_seats_than_one_customer_may_have_is_found() {
    let mut story = Story::new();
    story.books.max_seats_per_customer = Some(2);
    let too_many = Discrepancy::TooManySeats {
        customer: 0,
        seats: 3,
        limit: 2,
    };
    assert_eq!(story.check(), [too_many], "what was refunded does not count");
}

#[test]
fn a_hold_that_was_extended_and_ends_earlier_all_the_same_is_found() {
    let mut story = Story::new();
    let told = story.reservation(HELD).expires_at;
    story.answers.extended.insert(id(HELD), told);
    assert_eq!(story.check(), []);
    story.reservation(HELD).expires_at -= TimeDelta::seconds(1);
    let reservation = id(HELD);
    assert_eq!(story.check(), [Discrepancy::HoldShortened { reservation, told }]);
}

#[test]
fn a_seat_in_two_live_reservations_is_found() {
    let mut story = Story::new();
    story.reservation(HELD).lines = vec![line(&["A-2"])];
    story.answers.held.get_mut(&id(HELD)).unwrap().lines = vec![HeldLine::from(&line(&["A-2"]))];
    assert_eq!(
        story.check(),
        [Discrepancy::SeatSoldTwice {
            section: "Stalls".to_owned(),
            seat: seat("A-2").seat_id,
            first: id(HELD),
            second: id(PAID),
        }]
    );
}

#[test]
fn the_seats_of_every_line_are_counted_and_compared() {
    let mut story = Story::new();
    let boxes = Line {
        section: "Boxes".to_owned(),
        ..line(&["B-1"])
    };
    story
        .answers
        .held
        .get_mut(&id(HELD))
        .unwrap()
        .lines
        .push(HeldLine::from(&boxes));
    assert_eq!(story.check(), [Discrepancy::SeatsChanged { reservation: id(HELD) }]);
    story.reservation(HELD).lines.push(boxes.clone());
    story.reservation(PAID).lines.push(boxes);
    story.answers.held.remove(&id(PAID));
    story.answers.holds_in_doubt = 1;
    let twice = Discrepancy::SeatSoldTwice {
        section: "Boxes".to_owned(),
        seat: seat("B-1").seat_id,
        first: id(HELD),
        second: id(PAID),
    };
    assert_eq!(story.check()[0], twice);
}

#[test]
fn a_seat_whose_hold_has_run_out_may_be_sold_again() {
    let mut story = Story::new();
    let held = story.reservation(HELD);
    held.lines = vec![line(&["A-2"])];
    held.expires_at = held.server_time;
    story.answers.held.get_mut(&id(HELD)).unwrap().lines = vec![HeldLine::from(&line(&["A-2"]))];
    assert_eq!(story.check(), []);
}

#[test]
fn more_people_than_a_section_holds_are_found() {
    let mut story = Story::new();
    *story.counts() = SectionCounts {
        total_capacity: 2,
        available: 0,
        reserved: 1,
        sold: 2,
        blocked: 0,
    };
    assert_eq!(
        story.check(),
        [
            Discrepancy::Oversold {
                section: "Stalls".to_owned(),
                capacity: 2,
                live: 3,
            },
            Discrepancy::CountsDoNotAddUp {
                section: "Stalls".to_owned(),
                capacity: 2,
                sum: 3,
            },
        ]
    );
}

#[test]
fn a_count_that_disagrees_with_the_reservations_is_found() {
    let mut story = Story::new();
    story.counts().reserved = 2;
    story.counts().available = 6;
    let too_many_reserved = Discrepancy::CountDisagrees {
        section: "Stalls".to_owned(),
        figure: Figure::Reserved,
        told: 2,
        summed: 1,
    };
    assert_eq!(story.check(), [too_many_reserved]);
}

#[test]
fn others_who_sell_on_the_event_may_add_to_the_counts_and_never_take_away() {
    let mut story = Story::new();
    story.answers.sole_seller = false;
    story.counts().sold = 3;
    story.counts().available = 6;
    assert_eq!(story.check(), []);

    story.counts().sold = 1;
    story.counts().available = 8;
    assert_eq!(
        story.check(),
        [Discrepancy::CountDisagrees {
            section: "Stalls".to_owned(),
            figure: Figure::Sold,
            told: 1,
            summed: 2,
        }]
    );
}

#[test]
fn a_hold_whose_answer_was_lost_may_be_counted_where_no_list_can_tell() {
    let mut story = Story::new();
    story.answers.add(&Entry::HoldInDoubt {
        quantities: [("Stalls".to_owned(), 2)].into(),
        guest: false,
    });
    story.books.listed = None;
    for (reserved, right) in [(1, true), (3, true), (4, false)] {
        story.counts().reserved = reserved;
        story.counts().available = 8 - reserved;
        assert_eq!(story.check().is_empty(), right, "{reserved} reserved");
    }
}

#[test]
fn a_guests_hold_whose_answer_was_lost_may_be_counted_although_the_lists_were_read() {
    let mut story = Story::new();
    story.answers.add(&Entry::HoldInDoubt {
        quantities: [("Stalls".to_owned(), 2)].into(),
        guest: true,
    });
    for (reserved, right) in [(1, true), (3, true), (4, false)] {
        story.counts().reserved = reserved;
        story.counts().available = 8 - reserved;
        assert_eq!(story.check().is_empty(), right, "{reserved} reserved");
    }
}

#[test]
fn a_guests_order_is_in_no_list_and_counts_for_a_person_once_it_is_sold() {
    let mut story = Story::new();
    story.books.max_seats_per_customer = Some(2);
    story.books.listed.as_mut().unwrap().remove(&id(HELD));
    story.answers.held.get_mut(&id(HELD)).unwrap().guest = true;
    assert_eq!(story.check(), []);
    story.books.max_seats_per_customer = Some(1);
    story.answers.held.get_mut(&id(PAID)).unwrap().guest = true;
    let too_many = Discrepancy::TooManySeats {
        customer: 0,
        seats: 2,
        limit: 1,
    };
    assert_eq!(story.check(), [too_many]);
}

#[test]
fn an_answered_hold_that_is_gone_is_found() {
    let mut story = Story::new();
    story.answers.add(&held(7, &["A-7"]));
    assert_eq!(story.check(), [Discrepancy::ReservationLost { reservation: id(7) }]);
}

#[test]
fn an_answered_hold_with_other_seats_is_found() {
    let mut story = Story::new();
    story.reservation(HELD).lines = vec![line(&["A-9"])];
    assert_eq!(story.check(), [Discrepancy::SeatsChanged { reservation: id(HELD) }]);
}

#[test]
fn an_answered_payment_of_a_reservation_that_is_not_completed_is_found() {
    let mut story = Story::new();
    story.answers.add(&Entry::Paid { reservation: id(HELD) });
    assert_eq!(
        story.check(),
        [Discrepancy::PaymentLost {
            reservation: id(HELD),
            status: ReservationStatus::Held,
        }]
    );
}

#[test]
fn a_payment_whose_cancellation_is_in_doubt_may_be_undone() {
    let mut story = Story::new();
    story.answers.cancelled.clear();
    story.answers.add(&Entry::ChangeInDoubt {
        reservation: id(REFUNDED),
    });
    assert_eq!(story.check(), []);
}

#[test]
fn an_answered_cancellation_of_a_live_reservation_is_found() {
    let mut story = Story::new();
    story.answers.add(&Entry::Cancelled { reservation: id(HELD) });
    assert_eq!(
        story.check(),
        [Discrepancy::CancellationLost {
            reservation: id(HELD),
            status: ReservationStatus::Held,
        }]
    );
}

#[test]
fn a_sale_that_nobody_asked_for_is_found() {
    let mut story = Story::new();
    story.answers.paid.remove(&id(PAID));
    assert_eq!(story.check(), [Discrepancy::CompletedUnasked { reservation: id(PAID) }]);
}

#[test]
fn a_hold_that_nobody_asked_for_is_found_unless_an_answer_was_lost() {
    let mut story = Story::new();
    story.answers.held.remove(&id(HELD));
    assert_eq!(
        story.check(),
        [Discrepancy::HeldUnasked {
            reservations: 1,
            in_doubt: 0,
        }]
    );
    story.answers.holds_in_doubt = 1;
    assert_eq!(story.check(), []);
}

#[test]
fn a_completed_reservation_without_a_captured_payment_is_found() {
    let mut story = Story::new();
    story.payment(PAID).status = PaymentStatus::Authorized;
    assert_eq!(story.check(), [Discrepancy::Unpaid { reservation: id(PAID) }]);
}

#[test]
fn a_payment_of_another_amount_is_found() {
    let mut story = Story::new();
    story.reservation(PAID).total_amount = euros(2_001);
    assert_eq!(
        story.check(),
        [
            Discrepancy::WrongPrice { reservation: id(PAID) },
            Discrepancy::WrongAmount {
                reservation: id(PAID),
                total: euros(2_001),
                paid: euros(2_000),
            }
        ]
    );
}

#[test]
fn a_ticket_that_is_missing_or_issued_twice_is_found() {
    for tickets in [vec![21], vec![21, 21]] {
        let mut story = Story::new();
        story.reservation(PAID).tickets = tickets.into_iter().map(ticket).collect();
        assert_eq!(
            story.check(),
            [Discrepancy::WrongTickets {
                reservation: id(PAID),
                quantity: 2,
                tickets: 1,
            }]
        );
    }
}

#[test]
fn money_without_seats_is_found() {
    let mut story = Story::new();
    story.payment(REFUNDED).status = PaymentStatus::Captured;
    assert_eq!(
        story.check(),
        [Discrepancy::MoneyWithoutSeats {
            payment: payment_id(REFUNDED),
            reservation: id(REFUNDED),
        }]
    );
}

#[test]
fn a_policy_that_refunds_less_may_keep_money_for_seats_given_up() {
    let mut story = Story::new();
    story.payment(REFUNDED).status = PaymentStatus::Captured;
    story.books.refunds_in_full = false;
    assert_eq!(story.check(), []);
}

#[test]
fn a_history_that_is_empty_or_has_a_gap_is_found() {
    for sequences in [vec![], vec![1, 3], vec![2, 3]] {
        let mut story = Story::new();
        story.books.histories.insert(id(HELD), sequences);
        assert_eq!(story.check(), [Discrepancy::HistoryGap { reservation: id(HELD) }]);
    }
}

#[test]
fn a_reservation_that_its_customer_does_not_see_is_found() {
    let mut story = Story::new();
    story.books.listed.as_mut().unwrap().remove(&id(HELD));
    assert_eq!(story.check(), [Discrepancy::NotListed { reservation: id(HELD) }]);
}

#[test]
fn analytics_that_disagree_with_the_payments_are_found() {
    let mut story = Story::new();
    story.books.sales = Some(Sales {
        total_revenue: euros(2_000),
        refunded: euros(0),
        tickets_sold: 3,
    });
    let disagree = |figure, told, summed| Discrepancy::AnalyticsDisagree { figure, told, summed };
    assert_eq!(
        story.check(),
        [
            disagree(Figure::TicketsSold, 3, 2),
            disagree(Figure::Revenue, 2_000, 3_000),
            disagree(Figure::Refunded, 0, 1_000),
        ]
    );
}

fn id(of: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(of))
}

fn payment_id(of: u128) -> PaymentId {
    PaymentId::new(Uuid::from_u128(of))
}

fn ticket(of: u128) -> Ticket {
    Ticket {
        ticket_id: TicketId::new(Uuid::from_u128(of)),
    }
}

fn seat(text: &str) -> Seat {
    Seat {
        seat_id: SeatId::parse(text).unwrap(),
    }
}

fn euros(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

fn held(of: u128, seats: &[&str]) -> Entry {
    Entry::Held {
        customer: 0,
        reservation: id(of),
        lines: vec![HeldLine::from(&line(seats))],
        guest: false,
    }
}

fn line(seats: &[&str]) -> Line {
    Line {
        section: "Stalls".to_owned(),
        ticket_type: None,
        tier: "regular".to_owned(),
        total_amount: euros(1_000 * i64::try_from(seats.len()).unwrap()),
        seats: seats.iter().map(|text| seat(text)).collect(),
        quantity: u32::try_from(seats.len()).unwrap(),
    }
}

fn reservation(of: u128, status: ReservationStatus, seats: &[&str]) -> Reservation {
    let was_paid = status != ReservationStatus::Held;
    let lines = vec![line(seats)];
    let quantity = lines[0].quantity;
    Reservation {
        reservation_id: id(of),
        event_id: ticketing_ports::vocabulary::ids::EventId::new(Uuid::from_u128(9)),
        lines,
        total_amount: euros(1_000 * i64::from(quantity)),
        status,
        expires_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(5),
        completed_at: was_paid.then_some(DateTime::UNIX_EPOCH),
        payment_id: was_paid.then(|| payment_id(of)),
        tickets: Vec::new(),
        server_time: DateTime::UNIX_EPOCH,
    }
}

fn payment(of: u128, status: PaymentStatus, amount: i64, refunded: i64) -> Payment {
    Payment {
        payment_id: payment_id(of),
        reservation_id: id(of),
        amount: euros(amount),
        refunded_amount: euros(refunded),
        status,
    }
}
