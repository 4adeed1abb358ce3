mod story;

use chrono::TimeDelta;

use super::*;
use crate::journal::Entry;
use crate::wire::Line;
use story::{HELD, PAID, REFUNDED, Story, euros, held, id, line, payment_id, seat, ticket};

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
