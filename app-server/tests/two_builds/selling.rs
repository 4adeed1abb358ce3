//! Customers buy and give back without a pause, and must never be told that something is broken.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::Server;
use crate::support::office::{Person, Said};

const PATIENCE: Duration = Duration::from_secs(120);

/// The id of a reservation, and the last status that its customer was told.
pub(crate) type Sold = (String, String);

/// Customers who all use the same server.
pub(crate) struct Selling {
    customers: JoinSet<anyhow::Result<Vec<Sold>>>,
    enough: Arc<AtomicBool>,
    answers: watch::Receiver<usize>,
}

impl Selling {
    pub(crate) fn start(server: &Server, numbers: Range<usize>) -> anyhow::Result<Self> {
        let enough = Arc::<AtomicBool>::default();
        let (answered, answers) = watch::channel(0);
        let mut customers = JoinSet::new();
        for number in numbers {
            let customer = Customer {
                buys: Person::customer(server, number)?,
                // The same customer as in `buys`, but it sends no consistency token, so its reads never wait for a
                // write.
                looks: Person::customer(server, number)?,
                event: server.event.clone(),
                answered: answered.clone(),
                sold: Vec::new(),
            };
            customers.spawn(customer.shop(Arc::clone(&enough)));
        }
        Ok(Self {
            customers,
            enough,
            answers,
        })
    }

    /// Waits until customers have got `more` new answers.
    pub(crate) async fn wait_for(&mut self, more: usize) -> anyhow::Result<()> {
        let wanted = *self.answers.borrow() + more;
        let came = self.answers.wait_for(|answers| *answers >= wanted);
        tokio::select! {
            came = tokio::time::timeout(PATIENCE, came) => came.context("customers get no more answers")?.map(drop)?,
            ended = self.customers.join_next() => {
                ended.context("all customers have stopped")??.context("a request of a customer failed")?;
            }
        }
        Ok(())
    }

    /// Lets every customer finish. Returns the reservations of all, each with the last status that its customer was
    /// told.
    pub(crate) async fn end(mut self) -> anyhow::Result<Vec<Sold>> {
        self.enough.store(true, Ordering::Relaxed);
        let mut sold = Vec::new();
        while let Some(ended) = self.customers.join_next().await {
            sold.extend(ended??);
        }
        Ok(sold)
    }
}

struct Customer {
    buys: Person,
    looks: Person,
    event: String,
    answered: watch::Sender<usize>,
    sold: Vec<Sold>,
}

impl Customer {
    async fn shop(mut self, enough: Arc<AtomicBool>) -> anyhow::Result<Vec<Sold>> {
        for number in 0.. {
            if enough.load(Ordering::Relaxed) {
                break;
            }
            let wanted = json!({"event_id": self.event, "section": "General", "quantity": 1 + number % 2});
            let held = self.buys.post("/api/reservations", wanted).await;
            let held = self.told(held, 201)?;
            let reservation = held.text("reservation_id")?;
            let mut last = held.text("status")?;
            // Few customers keep their places. The others give them back, some before and some after they have paid.
            if number % 2 == 0 {
                let card = json!({"payment_method": {"type": "card", "token": "tok_visa"}});
                last = self.change(&reservation, "payment", card).await?;
            }
            if number % 32 != 0 {
                last = self.change(&reservation, "cancel", Value::Null).await?;
            }
            self.sold.push((reservation, last));
            for list in [
                "/api/reservations".to_owned(),
                format!("/api/events/{}/availability", self.event),
            ] {
                let shown = self.looks.get(&list).await;
                self.told(shown, 200)?;
            }
        }
        Ok(self.sold)
    }

    async fn change(&mut self, reservation: &str, change: &str, body: Value) -> anyhow::Result<String> {
        let said = self
            .buys
            .post(&format!("/api/reservations/{reservation}/{change}"), body)
            .await;
        self.told(said, 200)?.text("status")
    }

    fn told(&self, said: anyhow::Result<Said>, status: u16) -> anyhow::Result<Said> {
        let said = said?.expect(status)?;
        self.answered.send_modify(|answers| *answers += 1);
        Ok(said)
    }
}
