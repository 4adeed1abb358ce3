//! A payment gateway in memory. It moves no real money, and records every call.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::NextAction;

/// A gateway whose answers depend on the token. It approves `tok_visa`. It declines `tok_declined`,
/// `tok_insufficient_funds` and unknown tokens. It records every amount.
///
/// `tok_must_act`, `tok_must_act_secret`, `tok_must_act_declined` and `tok_must_act_given_up` leave the payment
/// undecided until a test calls [`InMemoryGateway::decide`]. That call approves the first two, declines the
/// third, and ends the fourth as if the customer had not acted in time. A payment with `tok_pending` is never
/// decided.
#[derive(Debug, Default)]
pub struct InMemoryGateway(Mutex<BTreeMap<PaymentId, Account>>);

#[derive(Debug)]
struct Account {
    authorization: Authorization,
    /// What the gateway will decide when a test calls `decide`; `None` if it has decided already, or never decides.
    verdict: Option<Authorization>,
    amount: i64,
    captured: bool,
    voided: bool,
    refunds: BTreeMap<RefundId, i64>,
}

impl InMemoryGateway {
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how much money was taken for the payment and not paid back, in minor units such as cents.
    pub fn kept(&self, payment: PaymentId) -> i64 {
        self.accounts().get(&payment).map_or(0, Account::kept)
    }

    /// Returns the payments for which money was ever taken.
    pub fn captured(&self) -> Vec<PaymentId> {
        self.all(|account| account.captured)
    }

    /// Returns the payments for which money is set aside, but was neither taken nor released.
    pub fn set_aside(&self) -> Vec<PaymentId> {
        self.all(|account| account.is_approved() && !account.captured && !account.voided)
    }

    /// Decides a payment that waits for the customer, as if the customer had acted or had let the time pass, and
    /// returns the decision. Returns `None` if the payment does not wait.
    pub fn decide(&self, payment: PaymentId) -> Option<Authorization> {
        let mut accounts = self.accounts();
        let account = accounts.get_mut(&payment)?;
        account.authorization = account.verdict.take()?;
        Some(account.authorization.clone())
    }

    /// Returns the payments that stay undecided until [`InMemoryGateway::decide`] is called.
    pub fn undecided(&self) -> Vec<PaymentId> {
        self.all(|account| account.verdict.is_some())
    }

    fn all(&self, which: impl Fn(&Account) -> bool) -> Vec<PaymentId> {
        self.accounts()
            .iter()
            .filter(|(_, account)| which(account))
            .map(|(payment, _)| *payment)
            .collect()
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<PaymentId, Account>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    fn with_account(
        &self,
        payment: PaymentId,
        change: impl FnOnce(&mut Account) -> Result<(), GatewayError>,
    ) -> Result<(), GatewayError> {
        let mut accounts = self.accounts();
        let account = accounts.get_mut(&payment);
        account.map_or_else(|| Err(refused("the gateway has no such payment")), change)
    }
}

/// Returns the answer to a request for authorisation, and what `decide` answers later if the customer has to act
/// first (`None` if the first answer is final).
fn answers_to(request: &AuthorizeRequest) -> (Authorization, Option<Authorization>) {
    let approved = || Authorization::Approved {
        last_four: Some("4242".to_owned()),
    };
    let declined = |reason| Authorization::Declined { reason };
    let until = request.wanted_by;
    let open_a_page = || Authorization::MustAct(NextAction::redirect("https://bank.test/agree", until));
    match request.method.token.expose() {
        "tok_visa" => (approved(), None),
        "tok_must_act" => (open_a_page(), Some(approved())),
        "tok_must_act_secret" => {
            let secret = NextAction::client_secret("hush", until);
            (Authorization::MustAct(secret), Some(approved()))
        }
        "tok_must_act_declined" => (open_a_page(), Some(declined(DeclineReason::Declined))),
        "tok_must_act_given_up" => (open_a_page(), Some(declined(DeclineReason::Interrupted))),
        "tok_pending" => (Authorization::Pending { ask_again_at: None }, None),
        "tok_declined" => (declined(DeclineReason::Declined), None),
        "tok_insufficient_funds" => (declined(DeclineReason::InsufficientFunds), None),
        _ => (declined(DeclineReason::InvalidToken), None),
    }
}

fn refused(why: &'static str) -> GatewayError {
    GatewayError::Unavailable(why.into())
}

impl Account {
    fn is_approved(&self) -> bool {
        matches!(self.authorization, Authorization::Approved { .. })
    }

    fn kept(&self) -> i64 {
        if self.captured {
            self.amount - self.refunds.values().sum::<i64>()
        } else {
            0
        }
    }
}

#[async_trait]
impl PaymentGateway for InMemoryGateway {
    async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, GatewayError> {
        let mut accounts = self.accounts();
        let account = accounts.entry(request.payment_id).or_insert_with(|| {
            let (authorization, verdict) = answers_to(&request);
            Account {
                authorization,
                verdict,
                amount: request.amount.amount,
                captured: false,
                voided: false,
                refunds: BTreeMap::new(),
            }
        });
        Ok(account.authorization.clone())
    }

    async fn capture(&self, payment: PaymentId, _amount: Money) -> Result<(), GatewayError> {
        self.with_account(payment, |account| {
            if !account.is_approved() || account.voided {
                return Err(refused("no money is set aside for the payment"));
            }
            account.captured = true;
            Ok(())
        })
    }

    async fn void(&self, payment: PaymentId) -> Result<(), GatewayError> {
        self.with_account(payment, |account| {
            account.voided = !account.captured;
            Ok(())
        })
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError> {
        self.with_account(payment, |account| {
            account.refunds.entry(refund).or_insert(amount.amount);
            Ok(())
        })
    }

    async fn look_up(&self, payment: PaymentId) -> Result<GatewayRecord, GatewayError> {
        Ok(match self.accounts().get(&payment) {
            Some(account) => GatewayRecord::Answered(account.authorization.clone()),
            None => GatewayRecord::Unknown,
        })
    }
}
