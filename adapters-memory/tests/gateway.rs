//! Tests of a failing gateway: whether it has moved money although its answer was an error.

use std::sync::Arc;

use adapters_memory::InMemoryGateway;
use adapters_memory::faults::{Fault, FaultyGateway};
use chrono::DateTime;
use ticketing_ports::outside::gateway::{AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway as _};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
use uuid::Uuid;

const PRICE: Money = Money::new(5_000, Currency::EUR);
const PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(1));
const REFUND: RefundId = RefundId::new(Uuid::from_u128(2));

#[tokio::test]
async fn an_unavailable_gateway_has_not_moved_money() {
    let books = Arc::new(InMemoryGateway::new());
    let down = FaultyGateway::new(books.clone(), || Fault::FailBefore);
    let refused = down.authorize(request()).await;
    assert!(matches!(refused, Err(GatewayError::Unavailable(_))), "{refused:?}");
    assert_eq!(books.look_up(PAYMENT).await.unwrap(), GatewayRecord::Unknown);

    books.authorize(request()).await.unwrap();
    let refused = down.capture(PAYMENT, PRICE).await;
    assert!(matches!(refused, Err(GatewayError::Unavailable(_))), "{refused:?}");
    assert_eq!(books.kept(PAYMENT), 0);

    books.capture(PAYMENT, PRICE).await.unwrap();
    let refused = down.refund(PAYMENT, REFUND, PRICE).await;
    assert!(matches!(refused, Err(GatewayError::Unavailable(_))), "{refused:?}");
    assert_eq!(books.kept(PAYMENT), 5_000);
}

#[tokio::test]
async fn an_answer_that_was_lost_moved_money_and_repeating_the_call_moves_no_more() {
    let books = Arc::new(InMemoryGateway::new());
    let lossy = FaultyGateway::new(books.clone(), || Fault::LoseAnswer);
    for _ in 0..2 {
        assert!(matches!(
            lossy.authorize(request()).await,
            Err(GatewayError::Unknown(_))
        ));
        assert!(matches!(
            lossy.capture(PAYMENT, PRICE).await,
            Err(GatewayError::Unknown(_))
        ));
        assert_eq!(books.kept(PAYMENT), 5_000);
    }
}

#[tokio::test]
async fn a_capture_without_money_set_aside_is_an_error() {
    let books = InMemoryGateway::new();
    assert!(books.capture(PAYMENT, PRICE).await.is_err(), "an unknown payment");
    books.authorize(request()).await.unwrap();
    books.void(PAYMENT).await.unwrap();
    assert!(books.capture(PAYMENT, PRICE).await.is_err(), "a voided payment");
    assert_eq!(books.captured(), []);
    assert_eq!(books.set_aside(), []);
}

fn request() -> AuthorizeRequest {
    AuthorizeRequest {
        payment_id: PAYMENT,
        amount: PRICE,
        method: PaymentMethod {
            kind: MethodKind::Card,
            token: MethodToken::new("tok_visa").expect("`tok_visa` is a valid token"),
        },
        wanted_by: DateTime::UNIX_EPOCH,
    }
}
