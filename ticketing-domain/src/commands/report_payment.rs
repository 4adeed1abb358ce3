//! Recording what the payment gateway says about a payment. Each answer counts once, however often it is sent and in
//! whatever order the answers come.
//!
//! The command is refused if there is no such payment.

use serde::{Deserialize, Serialize};
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::payment::DeclineReason;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Never, Outcome};
use crate::payment::{Payment, PaymentCommand};

/// What the gateway says about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayAnswer {
    /// The provider's answer to the authorisation: approved, declined or not decided yet.
    Authorized(Authorization),
    /// The gateway does not know the payment, or has certainly not set money aside for it.
    NeverAuthorized,
    /// The money was taken.
    Captured,
    /// The money that was set aside was released.
    Voided,
    /// The money of this refund was given back.
    Refunded(RefundId),
}

/// Records what the gateway says about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportPayment {
    /// The payment that the gateway reports on.
    pub payment_id: PaymentId,
    /// What the gateway says.
    pub answer: GatewayAnswer,
}

impl Command for ReportPayment {
    const NAME: &'static str = "report_payment";

    type Reply = PaymentView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Stream(self.payment_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.payment_id);
    }

    fn reports_on(&self) -> Option<PaymentId> {
        Some(self.payment_id)
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let record = match &self.answer {
            GatewayAnswer::Authorized(authorization) => PaymentCommand::RecordAuthorization(authorization.clone()),
            GatewayAnswer::NeverAuthorized => PaymentCommand::RecordAuthorization(Authorization::Declined {
                reason: DeclineReason::Interrupted,
            }),
            GatewayAnswer::Captured => PaymentCommand::RecordCaptured,
            GatewayAnswer::Voided => PaymentCommand::RecordVoided,
            GatewayAnswer::Refunded(refund_id) => PaymentCommand::RecordRefunded(*refund_id),
        };
        unit.payment_here(self.payment_id)?;
        unit.decide::<Payment>(self.payment_id, &record)?;
        Ok(Outcome::Reply(self.payment_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use ticketing_ports::log::deadlines::DeadlineKind;

    use crate::book::Caller;
    use crate::commands::given::{ALICE, BOB, House, approved, floor, must_act, on_sale};
    use crate::commands::{CancelReservation, ExpireHold};
    use crate::payment::GatewayCall;
    use crate::refusal::Refusal;

    #[test]
    fn a_captured_payment_issues_tickets_and_counts_once() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let payment_id = house.start_paying(ALICE, held);
        let facts = house.gateway_says(payment_id, approved());
        assert_eq!(facts, ["PaymentAuthorized", "CaptureRequested"]);
        let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
        assert_eq!(facts, ["PaymentCaptured", "SeatsSold", "ReservationCompleted"]);
        for again in [approved(), GatewayAnswer::Captured] {
            assert!(house.gateway_says(payment_id, again).is_empty());
        }
    }

    #[test]
    fn a_declined_payment_leaves_the_hold() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let payment_id = house.start_paying(ALICE, held);
        let reason = DeclineReason::Declined;
        let declined = GatewayAnswer::Authorized(Authorization::Declined { reason });
        let facts = house.gateway_says(payment_id, declined);
        assert_eq!(facts, ["PaymentDeclined", "ReservationPaymentDeclined"]);
        house.start_paying(ALICE, held);
    }

    #[test]
    fn money_that_comes_when_the_seats_are_gone_goes_back() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 5);
        let payment_id = house.start_paying(ALICE, held);
        house.gateway_says(payment_id, approved());
        house.wait(300);
        house.asks(BOB, floor(5)).unwrap();
        let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
        assert_eq!(facts, ["PaymentCaptured", "ReservationCompensated", "RefundRequested"]);
    }

    #[test]
    fn a_payment_that_the_provider_gave_up_frees_the_customer_to_try_again_at_once() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        for _ in 0..5 {
            let payment_id = house.start_paying(ALICE, held);
            assert_eq!(house.gateway_says(payment_id, must_act(60)), ["PaymentDeferred"]);
            let facts = house.gateway_says(payment_id, GatewayAnswer::NeverAuthorized);
            assert_eq!(facts, ["PaymentDeclined", "ReservationPaymentGivenUp"]);
        }
        let payment_id = house.start_paying(ALICE, held);
        house.gateway_says(payment_id, approved());
    }

    #[test]
    fn a_payment_that_is_approved_late_takes_the_seats_again_if_they_are_free() {
        for (gone, last) in [(false, "CaptureRequested"), (true, "VoidRequested")] {
            let mut house = on_sale();
            let held = house.hold(ALICE, 5);
            let payment_id = house.start_paying(ALICE, held);
            house.gateway_says(payment_id, must_act(600));
            house.wait(300);
            let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
            house.asks(Caller::World, ExpireHold { deadline }).unwrap();
            if gone {
                house.hold(BOB, 5);
            }
            let facts = house.gateway_says(payment_id, approved());
            assert_eq!(facts, ["PaymentAuthorized", last]);
        }
    }

    /// One step of a test's story: something that can happen while a payment is under way.
    #[derive(Debug, Clone, PartialEq)]
    enum Turn {
        Says(GatewayAnswer),
        HoldEnds,
        SeatsAreTaken,
        CustomerCancels,
    }

    fn pending() -> GatewayAnswer {
        GatewayAnswer::Authorized(Authorization::Pending { ask_again_at: None })
    }

    fn turns() -> Vec<Turn> {
        let says = |authorization| Turn::Says(GatewayAnswer::Authorized(authorization));
        vec![
            Turn::Says(approved()),
            says(Authorization::Declined {
                reason: DeclineReason::Declined,
            }),
            Turn::Says(GatewayAnswer::NeverAuthorized),
            Turn::Says(must_act(600)),
            Turn::Says(pending()),
            Turn::HoldEnds,
            Turn::SeatsAreTaken,
            Turn::CustomerCancels,
        ]
    }

    /// How a test's story has gone: the payment, and how many times each type of fact was written.
    struct Told {
        house: House,
        payment_id: PaymentId,
        facts: BTreeMap<String, usize>,
        answered: usize,
    }

    impl Told {
        fn says(&mut self, answer: GatewayAnswer) -> usize {
            let facts = self.house.gateway_says(self.payment_id, answer);
            let new = facts.len();
            for fact in facts {
                *self.facts.entry(fact).or_default() += 1;
            }
            new
        }

        /// Lets the gateway carry out, and report, every call that it has not carried out yet.
        fn gateway_obeys(&mut self) {
            while let Some(call) = self.house.calls().get(self.answered).cloned() {
                self.answered += 1;
                match call {
                    GatewayCall::Capture { .. } => drop(self.says(GatewayAnswer::Captured)),
                    GatewayCall::Void { .. } => drop(self.says(GatewayAnswer::Voided)),
                    GatewayCall::Refund { refund_id, .. } => drop(self.says(GatewayAnswer::Refunded(refund_id))),
                    GatewayCall::Authorize { .. } | GatewayCall::LookUp { .. } => {}
                }
            }
        }

        fn count(&self, fact: &str) -> usize {
            self.facts.get(fact).copied().unwrap_or_default()
        }
    }

    /// Starts a payment, and then lets the turns happen in their order. If `slowly`, the gateway carries out its
    /// calls only after the last turn; otherwise after each turn.
    fn play(turns: &[Turn], slowly: bool) -> Told {
        let mut house = on_sale();
        let held = house.hold(ALICE, 5);
        let payment_id = house.start_paying(ALICE, held);
        let mut told = Told {
            house,
            payment_id,
            facts: BTreeMap::new(),
            answered: 0,
        };
        for turn in turns {
            match turn {
                Turn::Says(answer) => drop(told.says(answer.clone())),
                Turn::HoldEnds => {
                    told.house.wait(300);
                    if let Some(deadline) = told.house.deadline(DeadlineKind::HoldExpiry) {
                        told.house.asks(Caller::World, ExpireHold { deadline }).unwrap();
                    }
                }
                Turn::SeatsAreTaken => drop(told.house.asks(BOB, floor(5))),
                Turn::CustomerCancels => {
                    let cancel = CancelReservation::from(held);
                    drop(told.house.asks(ALICE, cancel));
                }
            }
            if !slowly {
                told.gateway_obeys();
            }
        }
        told.gateway_obeys();
        told
    }

    #[test]
    fn reports_count_once_in_any_order_and_money_is_kept_for_seats_alone() {
        let turns = turns();
        let numbers = 0..turns.len().pow(4);
        for number in numbers {
            let turn = |place: u32| turns[number / turns.len().pow(place) % turns.len()].clone();
            let story: Vec<_> = (0..4).map(turn).collect();
            for slowly in [false, true] {
                let mut told = play(&story, slowly);
                let was_approved = story.contains(&Turn::Says(approved()));
                let captured = told.count("PaymentCaptured");
                assert_eq!(
                    captured + told.count("PaymentVoided"),
                    usize::from(was_approved),
                    "{story:?}, {slowly}: the money is taken or released, exactly once: {:?}",
                    told.facts
                );
                let given_back = told.count("PaymentRefunded");
                let sold = told.count("ReservationCompleted");
                assert!(sold <= captured && given_back <= captured, "{story:?}, {slowly}");
                let cancelled_later = sold == 1 && given_back == 1;
                assert!(
                    sold + given_back == captured || cancelled_later,
                    "{story:?}, {slowly}: {:?}",
                    told.facts
                );
                let undecided = [must_act(600), pending()];
                for turn in &story {
                    if let Turn::Says(answer) = turn
                        && !undecided.contains(answer)
                    {
                        assert_eq!(told.says(answer.clone()), 0, "{story:?}, {slowly}: {answer:?} again");
                    }
                }
            }
        }
    }

    #[test]
    fn nobody_has_heard_of_an_unknown_payment() {
        let payment_id = PaymentId::new(uuid::Uuid::from_u128(77));
        let answer = GatewayAnswer::Captured;
        let refused = on_sale().asks(Caller::World, ReportPayment { payment_id, answer });
        assert_eq!(refused.unwrap_err(), Refusal::PaymentNotFound(payment_id));
    }
}
