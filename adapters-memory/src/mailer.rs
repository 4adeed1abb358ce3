use std::sync::Mutex;

use async_trait::async_trait;
use ticketing_ports::outside::mailer::{Mail, MailError, Mailer};

/// A mailer that sends nothing and keeps its mails in memory, so that a test can read them.
#[derive(Debug, Default)]
pub struct RecordingMailer(Mutex<Vec<Mail>>);

impl RecordingMailer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the mails that the mailer was given so far, the oldest first.
    pub fn outbox(&self) -> Vec<Mail> {
        self.0.lock().expect("no code panics while it holds this lock").clone()
    }
}

#[async_trait]
impl Mailer for RecordingMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
            .push(mail);
        Ok(())
    }
}
