//! A gateway that makes one mistake on purpose, so that a conformance rule must fail on it. Its accounts show which
//! money it has really moved.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::DateTime;
use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::NextAction;
use ticketing_testkit::conformance::gateway::Gateway;

/// The mistakes that the broken gateway can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum GatewayLie {
    #[default]
    None,
    ApprovesEverything,
    DeclinesForOneReason,
    TakesMoneyAtTheAuthorisation,
    CapturesEachTime,
    RefundsEachTime,
    CapturesAnewAfterARefund,
    GivesBackAtALateVoid,
    LooksBeforeItMoves,
    AnswersAnew,
    KnowsPaymentsItNeverHeardOf,
    ForgetsDeclinedPayments,
    CapturesDeclinedPayments,
    CapturesVoidedPayments,
    RefundsOnceAPayment,
    RefundsEverybody,
    ApprovesWhoMustAct,
    TellsOnceHowToGoOn,
    CapturesUndecidedPayments,
    DecidesNothing,
    ApprovesWhoeverActs,
    DecidesAnew,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, GatewayLie)] = &[
    (
        "tokens_are_approved_or_declined_as_they_say",
        GatewayLie::ApprovesEverything,
    ),
    (
        "tokens_are_approved_or_declined_as_they_say",
        GatewayLie::DeclinesForOneReason,
    ),
    (
        "a_repeated_call_moves_money_once",
        GatewayLie::TakesMoneyAtTheAuthorisation,
    ),
    ("a_repeated_call_moves_money_once", GatewayLie::CapturesEachTime),
    ("a_repeated_call_moves_money_once", GatewayLie::RefundsEachTime),
    ("a_repeated_call_moves_money_once", GatewayLie::CapturesAnewAfterARefund),
    ("a_repeated_call_moves_money_once", GatewayLie::GivesBackAtALateVoid),
    ("racing_calls_move_money_once", GatewayLie::LooksBeforeItMoves),
    (
        "a_repeated_authorisation_gets_the_first_answer",
        GatewayLie::AnswersAnew,
    ),
    (
        "a_lost_authorisation_can_be_looked_up",
        GatewayLie::KnowsPaymentsItNeverHeardOf,
    ),
    (
        "a_lost_authorisation_can_be_looked_up",
        GatewayLie::ForgetsDeclinedPayments,
    ),
    (
        "a_declined_payment_takes_no_money",
        GatewayLie::CapturesDeclinedPayments,
    ),
    ("a_voided_payment_takes_no_money", GatewayLie::CapturesVoidedPayments),
    ("refunds_add_up", GatewayLie::RefundsOnceAPayment),
    ("refunds_add_up", GatewayLie::RefundsEverybody),
    (
        "who_must_act_is_told_how_and_until_when_each_time",
        GatewayLie::ApprovesWhoMustAct,
    ),
    (
        "who_must_act_is_told_how_and_until_when_each_time",
        GatewayLie::TellsOnceHowToGoOn,
    ),
    (
        "an_undecided_payment_takes_no_money",
        GatewayLie::CapturesUndecidedPayments,
    ),
    ("an_undecided_payment_is_decided_once", GatewayLie::DecidesNothing),
    ("an_undecided_payment_is_decided_once", GatewayLie::ApprovesWhoeverActs),
    ("an_undecided_payment_is_decided_once", GatewayLie::DecidesAnew),
];

/// A gateway that keeps an account for each payment, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingGateway {
    lie: GatewayLie,
    accounts: Mutex<BTreeMap<PaymentId, Account>>,
}

#[derive(Debug)]
struct Account {
    answer: Authorization,
    verdict: Option<Authorization>,
    kept: i64,
    captured: bool,
    voided: bool,
    refunds: Vec<RefundId>,
}

impl LyingGateway {
    pub(crate) fn with_books(lie: GatewayLie) -> Gateway {
        let gateway = Arc::new(Self {
            lie,
            accounts: Mutex::default(),
        });
        let (books, customer) = (Arc::clone(&gateway), Arc::clone(&gateway));
        let decide = move |payment| customer.decide(payment);
        let kept = move |payment| books.accounts().get(&payment).map_or(0, |account| account.kept);
        Gateway::with_books(gateway, Arc::new(decide), Arc::new(kept))
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<PaymentId, Account>> {
        self.accounts.lock().expect("no code panics while it holds this lock")
    }

    fn decide(&self, payment: PaymentId) {
        let mut accounts = self.accounts();
        let Some(account) = accounts.get_mut(&payment) else {
            return;
        };
        match (account.verdict.take(), self.lie) {
            (None, GatewayLie::DecidesAnew) if account.answer == approved() => {
                account.answer = Authorization::Declined {
                    reason: DeclineReason::Declined,
                };
            }
            (None, _) => {}
            (verdict, GatewayLie::DecidesNothing) => account.verdict = verdict,
            (Some(_), GatewayLie::ApprovesWhoeverActs) => account.answer = approved(),
            (Some(verdict), _) => account.answer = verdict,
        }
    }

    /// Returns what the gateway will decide after the customer has acted; `None` if the customer need not act.
    fn verdict(&self, token: &str) -> Option<Authorization> {
        let declined = |reason| Some(Authorization::Declined { reason });
        match token {
            _ if self.lie == GatewayLie::ApprovesWhoMustAct => None,
            "tok_must_act" | "tok_must_act_secret" => Some(approved()),
            "tok_must_act_declined" => declined(DeclineReason::Declined),
            "tok_must_act_given_up" => declined(DeclineReason::Interrupted),
            _ => None,
        }
    }

    fn answer(&self, token: &str) -> Authorization {
        let must_act = token.starts_with("tok_must_act");
        match self.lie {
            GatewayLie::ApprovesWhoMustAct if must_act => return approved(),
            _ if token == "tok_must_act_secret" => {
                return Authorization::MustAct(NextAction::client_secret("hush", DateTime::UNIX_EPOCH));
            }
            _ if must_act => {
                let page = NextAction::redirect("https://bank.test/agree", DateTime::UNIX_EPOCH);
                return Authorization::MustAct(page);
            }
            _ if token == "tok_pending" => return Authorization::Pending { ask_again_at: None },
            _ => {}
        }
        let reason = match token {
            "tok_declined" => DeclineReason::Declined,
            "tok_insufficient_funds" => DeclineReason::InsufficientFunds,
            _ => DeclineReason::InvalidToken,
        };
        match self.lie {
            _ if token == "tok_visa" => approved(),
            GatewayLie::ApprovesEverything => approved(),
            GatewayLie::DeclinesForOneReason => Authorization::Declined {
                reason: DeclineReason::Declined,
            },
            _ => Authorization::Declined { reason },
        }
    }

    /// Applies `change`, which moves money, to the account of the payment if `due` returns `true` for that account.
    async fn move_money(
        &self,
        payment: PaymentId,
        due: impl Fn(&Account) -> bool,
        change: impl FnOnce(&mut Account),
    ) -> Result<(), GatewayError> {
        let looked = self.accounts().get(&payment).is_some_and(&due);
        if self.lie == GatewayLie::LooksBeforeItMoves {
            tokio::task::yield_now().await;
        }
        let mut accounts = self.accounts();
        let account = accounts
            .get_mut(&payment)
            .ok_or_else(|| GatewayError::Unavailable("there is no such payment".into()))?;
        let still = due(account) || self.lie == GatewayLie::LooksBeforeItMoves;
        if looked && still {
            change(account);
        }
        Ok(())
    }
}

fn approved() -> Authorization {
    Authorization::Approved {
        last_four: Some("4242".to_owned()),
    }
}

#[async_trait]
impl PaymentGateway for LyingGateway {
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError> {
        let answer = self.answer(request.method.token.expose());
        let mut accounts = self.accounts();
        let account = accounts.entry(request.payment_id).or_insert_with(|| Account {
            answer: answer.clone(),
            verdict: self.verdict(request.method.token.expose()),
            kept: match self.lie {
                GatewayLie::TakesMoneyAtTheAuthorisation => request.amount.amount,
                _ => 0,
            },
            captured: false,
            voided: false,
            refunds: Vec::new(),
        });
        Ok(match self.lie {
            GatewayLie::AnswersAnew => answer,
            _ => account.answer.clone(),
        })
    }

    async fn capture(&self, payment: PaymentId, amount: Money) -> Result<(), GatewayError> {
        let due = |account: &Account| {
            let approved = match &account.answer {
                Authorization::MustAct(_) | Authorization::Pending { .. } => {
                    self.lie == GatewayLie::CapturesUndecidedPayments
                }
                answer => *answer == approved() || self.lie == GatewayLie::CapturesDeclinedPayments,
            };
            let open = !account.voided || self.lie == GatewayLie::CapturesVoidedPayments;
            let first = match self.lie {
                GatewayLie::CapturesEachTime => true,
                GatewayLie::CapturesAnewAfterARefund => !account.captured || !account.refunds.is_empty(),
                _ => !account.captured,
            };
            approved && open && first
        };
        let take = |account: &mut Account| {
            account.captured = true;
            account.kept += amount.amount;
        };
        self.move_money(payment, due, take).await
    }

    async fn void(&self, payment: PaymentId) -> Result<(), GatewayError> {
        let due = |account: &Account| !account.captured || self.lie == GatewayLie::GivesBackAtALateVoid;
        let let_go = |account: &mut Account| {
            account.voided = true;
            account.kept = 0;
        };
        self.move_money(payment, due, let_go).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError> {
        let due = |account: &Account| match self.lie {
            GatewayLie::RefundsEachTime => true,
            GatewayLie::RefundsOnceAPayment => account.refunds.is_empty(),
            _ => !account.refunds.contains(&refund),
        };
        let give_back = |account: &mut Account| {
            account.refunds.push(refund);
            account.kept -= amount.amount;
        };
        self.move_money(payment, due, give_back).await?;
        if self.lie == GatewayLie::RefundsEverybody {
            for (other, account) in self.accounts().iter_mut() {
                account.kept -= if *other == payment { 0 } else { amount.amount };
            }
        }
        Ok(())
    }

    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError> {
        let answer = self.accounts().get(&payment).map(|account| account.answer.clone());
        Ok(match (answer, self.lie) {
            (None, GatewayLie::KnowsPaymentsItNeverHeardOf) => GatewayRecord::Answered(approved()),
            (None, _) => GatewayRecord::Unknown,
            (Some(Authorization::Declined { .. }), GatewayLie::ForgetsDeclinedPayments) => GatewayRecord::Unknown,
            (Some(Authorization::MustAct(_)), GatewayLie::TellsOnceHowToGoOn) => {
                GatewayRecord::Answered(Authorization::Pending { ask_again_at: None })
            }
            (Some(answer), _) => GatewayRecord::Answered(answer),
        })
    }
}
