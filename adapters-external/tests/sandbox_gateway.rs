//! Tests of every token of the sandbox gateway. The clock jumps ahead whenever a test waits, so no test takes real
//! time.

use std::sync::Arc;
use std::time::Duration;

use adapters_external::SandboxGateway;
use adapters_memory::TokioClock;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
use tokio::time::Instant;
use uuid::Uuid;

const PRICE: Money = Money::new(5_000, Currency::EUR);
const HOLD: TimeDelta = TimeDelta::minutes(5);

#[tokio::test(start_paused = true)]
async fn every_token_of_the_documentation_answers_as_documented() {
    let shop = Shop::open();
    let approved = |digits: &str| Authorization::Approved {
        last_four: Some(digits.to_owned()),
    };
    let declined = |reason| Authorization::Declined { reason };
    let tokens = [
        ("tok_visa", approved("4242")),
        ("tok_mastercard", approved("4444")),
        ("tok_timeout", approved("0408")),
        ("tok_unknown", approved("0504")),
        ("tok_declined", declined(DeclineReason::Declined)),
        ("tok_insufficient_funds", declined(DeclineReason::InsufficientFunds)),
        ("tok_visa2", declined(DeclineReason::InvalidToken)),
        ("TOK_VISA", declined(DeclineReason::InvalidToken)),
    ];
    for (number, (token, expected)) in (1..).zip(tokens) {
        let answer = shop.authorize(number, token).await;
        assert_eq!(answer, expected, "{token}");
        let record = shop.gateway.look_up(payment(number)).await.unwrap();
        assert_eq!(record, GatewayRecord::Answered(expected), "{token}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_must_act_has_acted_after_three_seconds_and_who_does_not_is_given_up_after_ten() {
    let shop = Shop::open();
    let tokens = [
        "tok_must_act",
        "tok_must_act_secret",
        "tok_must_act_declined",
        "tok_must_act_given_up",
    ];
    for (number, token) in (1..).zip(tokens) {
        let answer = shop.authorize(number, token).await;
        assert!(matches!(answer, Authorization::MustAct(_)), "{token}: {answer:?}");
    }
    shop.authorize(5, "tok_pending").await;
    let mut seen = Vec::new();
    for seconds in [2, 1, 6, 1] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let mut now = String::new();
        for number in 1..=5 {
            now.push(match shop.gateway.look_up(payment(number)).await.unwrap() {
                GatewayRecord::Answered(Authorization::Approved { .. }) => 'a',
                GatewayRecord::Answered(Authorization::Declined { .. }) => 'd',
                GatewayRecord::Answered(Authorization::MustAct(_)) => 'm',
                GatewayRecord::Answered(Authorization::Pending { .. }) => 'p',
                GatewayRecord::Unknown => 'u',
            });
        }
        seen.push(now);
    }
    assert_eq!(seen, ["mmmmp", "aadmp", "aadmp", "aaddp"]);
}

#[tokio::test(start_paused = true)]
async fn tok_timeout_answers_only_after_the_hold_is_gone() {
    let shop = Shop::open();
    let end_of_hold = shop.clock.now() + HOLD;
    shop.authorize(1, "tok_timeout").await;
    assert_eq!(shop.clock.now() + HOLD, end_of_hold, "only the capture is late");
    shop.gateway.capture(payment(1), PRICE).await.unwrap();
    assert!(shop.clock.now() > end_of_hold);
    let answered = shop.clock.now();
    shop.gateway.capture(payment(1), PRICE).await.unwrap();
    assert_eq!(shop.clock.now(), answered, "a repeated call has waited long enough");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_tok_timeout_up_can_ask_again_and_give_the_money_back() {
    let shop = Shop::open();
    shop.authorize(1, "tok_timeout").await;
    let patience = Duration::from_secs(10);
    let gave_up = tokio::time::timeout(patience, shop.gateway.capture(payment(1), PRICE)).await;
    assert!(gave_up.is_err());
    let record = shop.gateway.look_up(payment(1)).await.unwrap();
    assert!(matches!(
        record,
        GatewayRecord::Answered(Authorization::Approved { .. })
    ));
    shop.gateway.capture(payment(1), PRICE).await.unwrap();
    let refund = RefundId::new(Uuid::from_u128(1));
    shop.gateway.refund(payment(1), refund, PRICE).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tok_unknown_loses_the_answer_once() {
    let shop = Shop::open();
    shop.authorize(1, "tok_unknown").await;
    let lost = shop.gateway.capture(payment(1), PRICE).await;
    assert!(matches!(lost, Err(GatewayError::Unknown(_))), "{lost:?}");
    shop.gateway.capture(payment(1), PRICE).await.unwrap();
    shop.authorize(1, "tok_unknown").await;
    shop.gateway.capture(payment(1), PRICE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_captures_of_tok_unknown_one_loses_its_answer() {
    let shop = Arc::new(Shop::open());
    for number in 1..=50 {
        shop.authorize(number, "tok_unknown").await;
        let captures = (0..8).map(|_| {
            let shop = Arc::clone(&shop);
            tokio::spawn(async move { shop.gateway.capture(payment(number), PRICE).await.is_err() })
        });
        let mut lost = 0;
        for capture in captures.collect::<Vec<_>>() {
            lost += usize::from(capture.await.unwrap());
        }
        assert_eq!(lost, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_takes_as_long_as_it_was_told_to() {
    const LATENCY: Duration = Duration::from_millis(120);
    let shop = Shop::open_with(|gateway| gateway.with_latency(LATENCY));
    let opened = Instant::now();
    shop.authorize(1, "tok_visa").await;
    assert_eq!(opened.elapsed(), LATENCY);
    shop.gateway.capture(payment(1), PRICE).await.unwrap();
    assert_eq!(opened.elapsed(), 2 * LATENCY);
    shop.gateway.void(payment(1)).await.unwrap();
    let refund = RefundId::new(Uuid::from_u128(1));
    shop.gateway.refund(payment(1), refund, PRICE).await.unwrap();
    shop.gateway.look_up(payment(1)).await.unwrap();
    assert_eq!(opened.elapsed(), 5 * LATENCY);
}

#[tokio::test(start_paused = true)]
async fn payments_of_the_last_day_are_remembered_and_older_ones_forgotten() {
    let shop = Shop::open();
    for number in 0..30_000 {
        shop.authorize(number, "tok_visa").await;
    }
    let first = shop.gateway.look_up(payment(0)).await.unwrap();
    assert!(matches!(first, GatewayRecord::Answered(_)));
    tokio::time::advance(Duration::from_hours(24)).await;
    for number in 30_000..60_000 {
        shop.authorize(number, "tok_visa").await;
    }
    assert_eq!(shop.gateway.look_up(payment(0)).await.unwrap(), GatewayRecord::Unknown);
    let recent = shop.gateway.look_up(payment(30_000)).await.unwrap();
    assert!(matches!(recent, GatewayRecord::Answered(_)));
}

fn payment(number: u128) -> PaymentId {
    PaymentId::new(Uuid::from_u128(number))
}

struct Shop {
    clock: Arc<TokioClock>,
    gateway: SandboxGateway,
}

impl Shop {
    fn open() -> Self {
        Self::open_with(|gateway| gateway)
    }

    fn open_with(set_up: impl FnOnce(SandboxGateway) -> SandboxGateway) -> Self {
        let clock = Arc::new(TokioClock::start());
        let gateway = set_up(SandboxGateway::new(clock.clone()));
        Self { clock, gateway }
    }

    async fn authorize(&self, number: u128, token: &str) -> Authorization {
        let wanted_by: Timestamp = self.clock.now() + HOLD;
        let request = AuthorizeRequest {
            payment_id: payment(number),
            amount: PRICE,
            method: PaymentMethod {
                kind: MethodKind::Card,
                token: MethodToken::new(token).expect("the text is a valid token"),
            },
            wanted_by,
        };
        self.gateway
            .authorize(request)
            .await
            .expect("the sandbox gateway always answers an authorization")
    }
}
