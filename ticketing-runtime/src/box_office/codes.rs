//! What an organiser does with the codes of an event.

use ticketing_domain::book::Caller;
use ticketing_domain::catalog::Codes;
use ticketing_domain::commands::{AddCodes, EndCode};
use ticketing_domain::questions::{SeeCodes, UsedCode};
use ticketing_ports::vocabulary::ids::EventId;

use super::BoxOffice;
use crate::failure::Failure;
use crate::request::{Answer, Request};

impl BoxOffice {
    /// Adds codes that customers may enter, and returns all codes of the event.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, if a text is a code of the event already, or if the rules of the codes
    /// do not fit the event.
    pub async fn add_codes(&self, request: Request<AddCodes>) -> Result<Answer<Codes>, Failure> {
        self.ask(request).await
    }

    /// Ends a code: nobody can enter it any more. Returns all codes of the event.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, or if it has no such code.
    pub async fn end_code(&self, request: Request<EndCode>) -> Result<Answer<Codes>, Failure> {
        self.ask(request).await
    }

    /// Returns the codes of an event with their uses, from the write side.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event.
    pub async fn codes(&self, by: impl Into<Caller>, event_id: EventId) -> Result<Vec<UsedCode>, Failure> {
        self.see(by.into(), SeeCodes { event_id }).await
    }
}
