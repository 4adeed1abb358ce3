use ticketing_domain::refusal::Refusal;
use ticketing_domain::transition::Action;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use uuid::Uuid;

use super::ApiError;

#[test]
fn a_refusal_has_the_same_code_in_an_answer_and_in_the_log() {
    let id = Uuid::nil();
    let refund = Money::new(0, Currency::EUR);
    let refusals = [
        Refusal::EventNotFound(EventId::new(id)),
        Refusal::no_section("Floor"),
        Refusal::ReservationNotFound(ReservationId::new(id)),
        Refusal::PaymentNotFound(PaymentId::new(id)),
        Refusal::CustomerNotFound(CustomerId::new(id)),
        Refusal::CodeNotFound(CodeId::new(id)),
        Refusal::Forbidden,
        Refusal::InvalidQuantity {
            requested: 9,
            limit: 8,
            section: None,
        },
        Refusal::InsufficientInventory {
            requested: 2,
            available: 1,
            section: "Floor".to_owned(),
        },
        Refusal::NotEnoughLeft {
            requested: 2,
            available: 1,
            section: None,
            ticket_type: None,
            pool: None,
            code: None,
        },
        Refusal::SeatsUnavailable {
            seats: Vec::new(),
            section: None,
        },
        Refusal::CustomerLimitReached {
            requested: 2,
            has: Some(3),
            limit: 4,
            code: None,
        },
        Refusal::NoMoreExtensions {
            extensions: 2,
            expires_at: chrono::DateTime::UNIX_EPOCH,
        },
        Refusal::TooManyHolds {
            limit: 3,
            reservations: Vec::new(),
        },
        Refusal::AddressMissing,
        Refusal::EventCancelled(EventId::new(id)),
        Refusal::ReservationExpired {
            reservation_id: ReservationId::new(id),
            expired_at: chrono::DateTime::UNIX_EPOCH,
        },
        Refusal::PaymentFailed {
            reason: DeclineReason::Declined,
            attempts_left: 1,
        },
        Refusal::PaymentInProgress {
            payment_id: PaymentId::new(id),
        },
        Refusal::state(ReservationStatus::Held, Action::Publish),
        Refusal::RefundChanged { refund },
        Refusal::NothingGoesBack { refund },
        Refusal::AlreadyExists,
        Refusal::UpdateUnderWay,
        Refusal::invalid("name", "must not be empty"),
    ];
    for refusal in refusals {
        let logged = refusal.code();
        assert_eq!(ApiError::from(refusal).code.as_str(), logged);
    }
}
