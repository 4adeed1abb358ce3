//! The body of a request for seats, in its two forms: one section at the top, or lines.

use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{Failure, HoldFor, HoldSeats, WantedLine};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::contact::parse_address;
use crate::events::parse_label;
use crate::extract::{Quantity, read_object};
use crate::lines::{LineRequest, parse_seats};

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CreateReservationRequest {
    pub(crate) event_id: Uuid,
    /// The section, if the order is of one section and has no `items`.
    #[schema(example = "General")]
    section: Option<String>,
    /// The ticket type, if the order has no `items`. If absent, the section's first type.
    #[schema(example = "student")]
    ticket_type: Option<String>,
    /// How many seats, if the order has no `items`.
    #[schema(value_type = Option<u32>, minimum = 1)]
    quantity: Option<Quantity>,
    /// The seats to hold, all or none, if the order has no `items`. If absent, the server takes the best free seats.
    #[schema(example = json!(["A-12", "A-13"]))]
    specific_seats: Option<Vec<String>>,
    /// The lines of the order, with each ticket type of a section once. The seats of all lines are held, or none.
    #[schema(min_items = 1, max_items = 20)]
    items: Option<Vec<LineRequest>>,
    /// A code for a lower price, or for ticket types that are sold only with a code.
    #[schema(example = "SPRING", max_length = 100)]
    code: Option<String>,
    /// Who gets the seats; the caller if absent. Only an administrator can name somebody else.
    pub(crate) customer_id: Option<Uuid>,
    /// The e-mail address of a guest. It may also be given later, before paying.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
}

read_object!(CreateReservationRequest {
    event_id,
    section,
    ticket_type,
    quantity,
    specific_seats,
    items,
    code,
    customer_id,
    email
});

/// What the path of a field of the only line begins with.
const OF_THE_ONLY_LINE: &str = "items[0].";

impl CreateReservationRequest {
    /// Returns the address of a guest, if it is given already.
    pub(crate) fn address(&self, by: Buyer) -> Result<Option<EmailAddress>, Refusal> {
        match (&self.email, by) {
            (None, _) => Ok(None),
            (Some(email), Buyer::Guest(_)) => parse_address(email).map(Some),
            (Some(_), Buyer::Person(_)) => Err(Refusal::invalid(
                "email",
                "is only for guests: whoever is signed in has given an address already",
            )),
        }
    }

    /// Names the fields of a failure as the request has them: a request with one section at the top has no `items`.
    pub(crate) fn in_its_form(&self, failure: Failure) -> Failure {
        let Failure::Refused(Refusal::Invalid(mut errors)) = failure else {
            return failure;
        };
        if self.items.is_none() {
            for error in &mut errors {
                if let Some(name) = error.field.strip_prefix(OF_THE_ONLY_LINE) {
                    error.field = name.to_owned();
                }
            }
        }
        Refusal::Invalid(errors).into()
    }

    /// Returns the only line of a request without `items`, and adds an error for each field that is missing.
    fn only_line(&self, errors: &mut Vec<FieldError>) -> Option<WantedLine> {
        let missing = |field, reason| FieldError::new(field, reason);
        if self.section.is_none() {
            errors.push(missing(
                "section",
                "is missing: name the section, or the lines of the order in `items`",
            ));
        }
        if self.quantity.is_none() {
            errors.push(missing("quantity", "is missing, and the request has no `items`"));
        }
        let seats = self.specific_seats.as_ref();
        let specific_seats = seats.map(|seats| parse_seats(seats, "specific_seats", errors));
        Some(WantedLine {
            section: self.section.clone()?,
            ticket_type: self.ticket_type.clone(),
            quantity: self.quantity?.0,
            specific_seats,
        })
    }

    /// Returns the lines of a request with `items`, and adds an error for each field that has no place beside them.
    fn lines(&self, items: &[LineRequest], errors: &mut Vec<FieldError>) -> Vec<WantedLine> {
        let beside = [
            ("section", self.section.is_some()),
            ("ticket_type", self.ticket_type.is_some()),
            ("quantity", self.quantity.is_some()),
            ("specific_seats", self.specific_seats.is_some()),
        ];
        for (field, _) in beside.into_iter().filter(|(_, is_there)| *is_there) {
            errors.push(FieldError::new(field, "has no place beside `items`"));
        }
        let lines = items.iter().enumerate().map(|(index, item)| item.parse(index, errors));
        lines.collect()
    }
}

impl TryFrom<&CreateReservationRequest> for HoldSeats {
    type Error = Refusal;

    /// Turns the request into the command that holds seats for the caller. If an administrator names another
    /// customer, the handler fills that customer in, because it has to look the customer up first.
    fn try_from(request: &CreateReservationRequest) -> Result<Self, Refusal> {
        let mut errors = Vec::new();
        let lines = match &request.items {
            Some(items) => request.lines(items, &mut errors),
            None => request.only_line(&mut errors).into_iter().collect(),
        };
        let code = request.code.as_deref().map(str::trim);
        let code = code.and_then(|code| parse_label(code, "code", &mut errors));
        if !errors.is_empty() {
            return Err(Refusal::Invalid(errors));
        }
        Ok(Self {
            event_id: EventId::new(request.event_id),
            lines,
            customer: HoldFor::Caller,
            code: code.map(|code| code.as_str().to_owned()),
        })
    }
}
