//! One customer of the load tool: the reservations that it has, and what it does next.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use box_office_tests::client::{Answer, Ask, Bearer, Connection, TransportError, path};
use box_office_tests::journal::{Entry, HeldLine};
use box_office_tests::wire::{Changed, Hold, Refusal};
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{StatusCode, Uri};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::reservation::ReservationStatus;

use crate::args::Action;
use crate::run::Run;

const PAY_BY_VISA: Bytes = Bytes::from_static(br#"{"payment_method":{"type":"card","token":"tok_visa"}}"#);
const PAY_BY_DECLINED: Bytes = Bytes::from_static(br#"{"payment_method":{"type":"card","token":"tok_declined"}}"#);

const ORDER_SECRET: HeaderName = HeaderName::from_static("ticketing-order-secret");

/// The longest time that a customer waits before its next request, even if a busy server asks for a longer pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Customer {
    pub number: u32,
    pub bearer: Bearer,
    /// The consistency token of this customer's last write. Reads that send it show that write.
    pub consistency: Option<HeaderValue>,
    held: Vec<Order>,
    paid: Vec<Order>,
    /// The secret of all orders that this customer makes as a guest.
    secret: HeaderValue,
    rng: StdRng,
    requests: u64,
}

/// A reservation, and whether the customer has made it as a guest.
#[derive(Debug, Clone, Copy)]
struct Order {
    reservation: ReservationId,
    guest: bool,
}

/// A request that will be sent next, and the reservation that it concerns.
#[derive(Debug, Clone, Copy)]
enum Errand {
    Hold {
        /// The index of a request in the run's list of prepared holds.
        hold: usize,
        guest: bool,
    },
    Pay(Order),
    Extend(Order),
    Cancel {
        order: Order,
        paid: bool,
    },
}

/// Lets the customers of one connection act in turn until the run is over.
///
/// # Errors
/// Fails if the run cannot go on. The run then ends for all customers.
pub(crate) async fn shop(run: &Run, mut connection: Connection, customers: &mut [Customer]) -> anyhow::Result<()> {
    loop {
        for customer in &mut *customers {
            if !run.take_turn() {
                return Ok(());
            }
            let acted = customer.act(&mut connection, run).await;
            acted.inspect_err(|_| run.stop())?;
        }
    }
}

impl Order {
    /// Makes a request to change the order.
    fn post(self, how: &str) -> Ask {
        Ask::post(path(format!("/api/reservations/{}/{how}", self.reservation)))
    }
}

impl Errand {
    fn action(self) -> Action {
        match self {
            Self::Hold { .. } => Action::Hold,
            Self::Pay(_) => Action::Pay,
            Self::Extend(_) => Action::Extend,
            Self::Cancel { .. } => Action::Cancel,
        }
    }
}

impl Customer {
    pub(crate) fn new(number: u32, bearer: Bearer, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_add(u64::from(number)));
        let secret = URL_SAFE_NO_PAD.encode(rng.random::<[u8; 32]>());
        Self {
            number,
            bearer,
            consistency: None,
            held: Vec::new(),
            paid: Vec::new(),
            secret: HeaderValue::try_from(secret).expect("base64url is visible ASCII"),
            rng,
            requests: 0,
        }
    }

    /// Sends one request and remembers the answer.
    ///
    /// # Errors
    /// Fails if the run cannot go on: the server is gone, its answer is not valid, or the journal cannot be written.
    async fn act(&mut self, connection: &mut Connection, run: &Run) -> anyhow::Result<()> {
        let errand = self.choose(run);
        let ask = self.ask(errand, run);
        let asked = Instant::now();
        match connection.ask(ask).await {
            Ok(answer) => {
                self.remember(errand, &answer, asked.elapsed(), run)?;
                if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                    let pause = answer.retry_after.unwrap_or_default().min(LONGEST_PAUSE);
                    tokio::time::sleep(pause).await;
                }
                Ok(())
            }
            Err(error @ TransportError::Connect(_)) => {
                run.statistics().transport_error();
                Err(error.into())
            }
            Err(TransportError::Broken(_) | TransportError::TimedOut) => {
                run.statistics().transport_error();
                if let Errand::Extend(order) = errand {
                    self.held.push(order);
                    return Ok(());
                }
                run.record(in_doubt(errand, run))
            }
        }
    }

    /// Chooses the next request and removes the reservation that it concerns from the lists of this customer. The
    /// answer may put the reservation back.
    fn choose(&mut self, run: &Run) -> Errand {
        match run.mix.pick(&mut self.rng) {
            Action::Pay if !self.held.is_empty() => {
                let place = self.rng.random_range(0..self.held.len());
                Errand::Pay(self.held.swap_remove(place))
            }
            Action::Extend if !self.held.is_empty() => {
                let place = self.rng.random_range(0..self.held.len());
                Errand::Extend(self.held.swap_remove(place))
            }
            Action::Cancel if !self.held.is_empty() || !self.paid.is_empty() => {
                let place = self.rng.random_range(0..self.held.len() + self.paid.len());
                match place.checked_sub(self.held.len()) {
                    None => Errand::Cancel {
                        order: self.held.swap_remove(place),
                        paid: false,
                    },
                    Some(place) => Errand::Cancel {
                        order: self.paid.swap_remove(place),
                        paid: true,
                    },
                }
            }
            Action::Hold | Action::Pay | Action::Cancel | Action::Extend => Errand::Hold {
                hold: run.pick_hold(&mut self.rng),
                guest: run.pick_guest(&mut self.rng),
            },
        }
    }

    fn ask(&mut self, errand: Errand, run: &Run) -> Ask {
        let (ask, guest) = match errand {
            Errand::Hold { hold, guest } => {
                let body = &run.holds[hold].body;
                let body = if guest { self.with_address(body) } else { body.clone() };
                (Ask::post(Uri::from_static("/api/reservations")).json(body), guest)
            }
            Errand::Pay(order) => {
                let declined = self.rng.random_range(0..100) < run.declined_percent;
                let body = if declined { PAY_BY_DECLINED } else { PAY_BY_VISA };
                (order.post("payment").json(body), order.guest)
            }
            Errand::Extend(order) => (order.post("extend"), order.guest),
            Errand::Cancel { order, .. } => (order.post("cancel"), order.guest),
        };
        self.requests += 1;
        let ask = match guest {
            true => ask.header(ORDER_SECRET, self.secret.clone()),
            false => ask.bearer(&self.bearer),
        };
        match run.idempotency {
            None => ask,
            Some(run_number) => {
                let key = format!("load-{run_number:016x}-{}-{}", self.number, self.requests);
                let key = HeaderValue::try_from(key).expect("letters, digits and hyphens are visible ASCII");
                ask.idempotency_key(key)
            }
        }
    }

    /// Adds the address of this customer as a guest to the request for a hold.
    fn with_address(&self, body: &Bytes) -> Bytes {
        let fields = body.strip_suffix(b"}").expect("the request for a hold is an object");
        let address = format!(r#","email":"guest{}@example.com"}}"#, self.number);
        [fields, address.as_bytes()].concat().into()
    }

    fn remember(&mut self, errand: Errand, answer: &Answer, took: Duration, run: &Run) -> anyhow::Result<()> {
        if !answer.status.is_success() {
            return self.remember_refusal(errand, answer, took, run);
        }
        run.statistics().done(errand.action(), took);
        if answer.consistency.is_some() {
            self.consistency.clone_from(&answer.consistency);
        }
        let entry = match errand {
            Errand::Hold { guest, .. } => {
                let held: Hold = serde_json::from_slice(&answer.body).context("the answer to a hold is not valid")?;
                let reservation = held.reservation_id;
                self.held.push(Order { reservation, guest });
                Entry::Held {
                    customer: self.number,
                    reservation,
                    lines: held.lines.iter().map(HeldLine::from).collect(),
                    guest,
                }
            }
            Errand::Pay(order @ Order { reservation, .. }) => match status(answer)? {
                ReservationStatus::Completed => {
                    self.paid.push(order);
                    Entry::Paid { reservation }
                }
                _ => Entry::ChangeInDoubt { reservation },
            },
            Errand::Extend(order @ Order { reservation, .. }) => {
                self.held.push(order);
                let expires_at = changed(answer)?.expires_at;
                Entry::Extended {
                    reservation,
                    expires_at,
                }
            }
            Errand::Cancel { order, .. } => {
                let reservation = order.reservation;
                match status(answer)? {
                    ReservationStatus::Cancelled | ReservationStatus::Refunded => Entry::Cancelled { reservation },
                    _ => Entry::ChangeInDoubt { reservation },
                }
            }
        };
        run.record(entry)
    }

    fn remember_refusal(&mut self, errand: Errand, answer: &Answer, took: Duration, run: &Run) -> anyhow::Result<()> {
        let refusal: Option<Refusal<'_>> = serde_json::from_slice(&answer.body).ok();
        let code = refusal.as_ref().map_or(answer.status.as_str(), |refusal| &refusal.code);
        run.statistics().refused(errand.action(), took, code);
        match (errand, answer.status) {
            // The payment was declined. The hold remains unless that was the last attempt.
            (Errand::Pay(order), StatusCode::PAYMENT_REQUIRED) => {
                let left = refusal.and_then(|refusal| refusal.details.attempts_left);
                if left != Some(0) {
                    self.held.push(order);
                }
                Ok(())
            }
            // Whether the hold was extended or not, it is there until it runs out.
            (Errand::Extend(order), status) if status == StatusCode::CONFLICT || status.is_server_error() => {
                self.held.push(order);
                Ok(())
            }
            // The server refused the request without doing anything.
            (_, StatusCode::SERVICE_UNAVAILABLE) if matches!(code, "BUSY" | "UPDATE_UNDER_WAY") => {
                match errand {
                    Errand::Hold { .. } => {}
                    Errand::Cancel { order, paid: true } => self.paid.push(order),
                    Errand::Pay(order) | Errand::Extend(order) | Errand::Cancel { order, .. } => {
                        self.held.push(order);
                    }
                }
                Ok(())
            }
            (_, status) if status.is_server_error() => run.record(in_doubt(errand, run)),
            _ => Ok(()),
        }
    }
}

fn status(answer: &Answer) -> anyhow::Result<ReservationStatus> {
    Ok(changed(answer)?.status)
}

fn changed(answer: &Answer) -> anyhow::Result<Changed> {
    serde_json::from_slice(&answer.body).context("the answer to a payment, extension or cancellation is not valid")
}

/// Returns the journal entry for a lost answer: the server may have carried out the request and been killed before it
/// answered.
fn in_doubt(errand: Errand, run: &Run) -> Entry {
    match errand {
        Errand::Hold { hold, guest } => Entry::HoldInDoubt {
            quantities: run.holds[hold].quantities.clone(),
            guest,
        },
        Errand::Pay(order) | Errand::Extend(order) | Errand::Cancel { order, .. } => Entry::ChangeInDoubt {
            reservation: order.reservation,
        },
    }
}
