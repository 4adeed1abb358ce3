//! One customer of the load tool: the reservations that it has, and what it does next.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use box_office_tests::client::{Answer, Ask, Bearer, Connection, TransportError, path};
use box_office_tests::journal::{Entry, HeldLine};
use box_office_tests::wire::{Changed, Hold, Refusal};
use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{StatusCode, Uri};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::reservation::ReservationStatus;

use crate::args::Action;
use crate::run::Run;

const PAY_BY_VISA: Bytes = Bytes::from_static(br#"{"payment_method":{"type":"card","token":"tok_visa"}}"#);
const PAY_BY_DECLINED: Bytes = Bytes::from_static(br#"{"payment_method":{"type":"card","token":"tok_declined"}}"#);

/// The longest time that a customer waits before its next request, even if a busy server asks for a longer pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Customer {
    pub number: u32,
    pub bearer: Bearer,
    /// The consistency token of this customer's last write. Reads that send it show that write.
    pub consistency: Option<HeaderValue>,
    held: Vec<ReservationId>,
    paid: Vec<ReservationId>,
    rng: StdRng,
    requests: u64,
}

/// A request that will be sent next, and the reservation that it concerns.
#[derive(Debug, Clone, Copy)]
enum Errand {
    /// The index of a request in the run's list of prepared holds.
    Hold(usize),
    Pay(ReservationId),
    Extend(ReservationId),
    Cancel {
        reservation: ReservationId,
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

impl Errand {
    fn action(self) -> Action {
        match self {
            Self::Hold(_) => Action::Hold,
            Self::Pay(_) => Action::Pay,
            Self::Extend(_) => Action::Extend,
            Self::Cancel { .. } => Action::Cancel,
        }
    }
}

impl Customer {
    pub(crate) fn new(number: u32, bearer: Bearer, seed: u64) -> Self {
        Self {
            number,
            bearer,
            consistency: None,
            held: Vec::new(),
            paid: Vec::new(),
            rng: StdRng::seed_from_u64(seed.wrapping_add(u64::from(number))),
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
                if let Errand::Extend(reservation) = errand {
                    self.held.push(reservation);
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
                        reservation: self.held.swap_remove(place),
                        paid: false,
                    },
                    Some(place) => Errand::Cancel {
                        reservation: self.paid.swap_remove(place),
                        paid: true,
                    },
                }
            }
            Action::Hold | Action::Pay | Action::Cancel | Action::Extend => Errand::Hold(run.pick_hold(&mut self.rng)),
        }
    }

    fn ask(&mut self, errand: Errand, run: &Run) -> Ask {
        let ask = match errand {
            Errand::Hold(hold) => Ask::post(Uri::from_static("/api/reservations")).json(run.holds[hold].body.clone()),
            Errand::Pay(reservation) => {
                let declined = self.rng.random_range(0..100) < run.declined_percent;
                let body = if declined { PAY_BY_DECLINED } else { PAY_BY_VISA };
                Ask::post(path(format!("/api/reservations/{reservation}/payment"))).json(body)
            }
            Errand::Extend(reservation) => Ask::post(path(format!("/api/reservations/{reservation}/extend"))),
            Errand::Cancel { reservation, .. } => Ask::post(path(format!("/api/reservations/{reservation}/cancel"))),
        };
        self.requests += 1;
        match run.idempotency {
            None => ask.bearer(&self.bearer),
            Some(run_number) => {
                let key = format!("load-{run_number:016x}-{}-{}", self.number, self.requests);
                let key = HeaderValue::try_from(key).expect("letters, digits and hyphens are visible ASCII");
                ask.bearer(&self.bearer).idempotency_key(key)
            }
        }
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
            Errand::Hold(_) => {
                let held: Hold = serde_json::from_slice(&answer.body).context("the answer to a hold is not valid")?;
                self.held.push(held.reservation_id);
                Entry::Held {
                    customer: self.number,
                    reservation: held.reservation_id,
                    lines: held.lines.iter().map(HeldLine::from).collect(),
                }
            }
            Errand::Pay(reservation) => match status(answer)? {
                ReservationStatus::Completed => {
                    self.paid.push(reservation);
                    Entry::Paid { reservation }
                }
                _ => Entry::ChangeInDoubt { reservation },
            },
            Errand::Extend(reservation) => {
                self.held.push(reservation);
                let expires_at = changed(answer)?.expires_at;
                Entry::Extended {
                    reservation,
                    expires_at,
                }
            }
            Errand::Cancel { reservation, .. } => match status(answer)? {
                ReservationStatus::Cancelled | ReservationStatus::Refunded => Entry::Cancelled { reservation },
                _ => Entry::ChangeInDoubt { reservation },
            },
        };
        run.record(entry)
    }

    fn remember_refusal(&mut self, errand: Errand, answer: &Answer, took: Duration, run: &Run) -> anyhow::Result<()> {
        let refusal: Option<Refusal<'_>> = serde_json::from_slice(&answer.body).ok();
        let code = refusal.as_ref().map_or(answer.status.as_str(), |refusal| &refusal.code);
        run.statistics().refused(errand.action(), took, code);
        match (errand, answer.status) {
            // The payment was declined. The hold remains unless that was the last attempt.
            (Errand::Pay(reservation), StatusCode::PAYMENT_REQUIRED) => {
                let left = refusal.and_then(|refusal| refusal.details.attempts_left);
                if left != Some(0) {
                    self.held.push(reservation);
                }
                Ok(())
            }
            // Whether the hold was extended or not, it is there until it runs out.
            (Errand::Extend(reservation), status) if status == StatusCode::CONFLICT || status.is_server_error() => {
                self.held.push(reservation);
                Ok(())
            }
            // The server refused the request without doing anything.
            (_, StatusCode::SERVICE_UNAVAILABLE) if matches!(code, "BUSY" | "UPDATE_UNDER_WAY") => {
                match errand {
                    Errand::Hold(_) => {}
                    Errand::Cancel {
                        reservation,
                        paid: true,
                    } => self.paid.push(reservation),
                    Errand::Pay(reservation) | Errand::Extend(reservation) | Errand::Cancel { reservation, .. } => {
                        self.held.push(reservation);
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
        Errand::Hold(hold) => Entry::HoldInDoubt {
            quantities: run.holds[hold].quantities.clone(),
        },
        Errand::Pay(reservation) | Errand::Extend(reservation) | Errand::Cancel { reservation, .. } => {
            Entry::ChangeInDoubt { reservation }
        }
    }
}
