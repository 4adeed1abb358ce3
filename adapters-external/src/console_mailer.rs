//! Prints mail to a terminal instead of sending it.

use std::io::Write;
use std::sync::Mutex;

use async_trait::async_trait;
use ticketing_ports::outside::mailer::{Mail, MailError, Mailer};

/// Prints mail to standard output, where whoever started the server reads it. Mail is not written to the log, because
/// it contains sign-in links.
pub struct ConsoleMailer(Mutex<Box<dyn Write + Send>>);

impl ConsoleMailer {
    pub fn stdout() -> Self {
        Self::to(std::io::stdout())
    }

    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(writer)))
    }
}

impl std::fmt::Debug for ConsoleMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConsoleMailer")
    }
}

#[async_trait]
impl Mailer for ConsoleMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let body: String = mail.text.lines().map(|line| format!("│ {line}\n")).collect();
        let framed = format!("┌─ mail to {}: {}\n{body}└─\n", mail.to.as_str(), mail.subject);
        let mut writer = self.0.lock().expect("no code panics while it holds this lock");
        writer
            .write_all(framed.as_bytes())
            .and_then(|()| writer.flush())
            .map_err(|error| MailError::Unavailable(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ticketing_ports::vocabulary::email::EmailAddress;

    use uuid::Uuid;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_person_finds_address_subject_and_link_in_the_frame() {
        let paper = Paper::default();
        let mail = Mail {
            id: Uuid::from_u128(7),
            to: EmailAddress::parse("ada@example.com").unwrap(),
            subject: "Sign in".to_owned(),
            text: "Open\nhttp://localhost:8080/auth/verify#token=x".to_owned(),
            html: None,
        };
        ConsoleMailer::to(paper.clone()).send(mail).await.unwrap();
        let printed = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        assert!(printed.contains("mail to ada@example.com: Sign in"));
        assert!(printed.contains("│ http://localhost:8080/auth/verify#token=x\n"));
    }

    /// Collects the written bytes and prints them on `flush`. A broken printer fails on `flush` instead.
    struct Printer {
        queue: Vec<u8>,
        paper: Paper,
        broken: bool,
    }

    impl Write for Printer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.queue.write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            if self.broken {
                return Err(std::io::Error::other("paper jam"));
            }
            self.paper.write_all(&std::mem::take(&mut self.queue))
        }
    }

    #[tokio::test]
    async fn answered_means_handed_over() {
        for broken in [false, true] {
            let paper = Paper::default();
            let printer = Printer {
                queue: Vec::new(),
                paper: paper.clone(),
                broken,
            };
            let mail = Mail {
                id: Uuid::from_u128(7),
                to: EmailAddress::parse("ada@example.com").unwrap(),
                subject: "Sign in".to_owned(),
                text: "Open".to_owned(),
                html: None,
            };
            let outcome = ConsoleMailer::to(printer).send(mail).await;
            let printed = !paper.0.lock().unwrap().is_empty();
            assert_eq!(outcome.is_ok(), printed, "{outcome:?}");
            assert_eq!(printed, !broken);
        }
    }
}
