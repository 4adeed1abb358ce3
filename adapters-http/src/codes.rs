//! The routes with which an organiser adds, lists and ends the codes of an event.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_domain::catalog::{Code, limits};
use ticketing_domain::questions::UsedCode;
use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::pricing::Discount;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_runtime::{AddCodes, EndCode};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::events::{PoolMemberBody, parse_each, parse_label, parse_member, parse_percent};
use crate::extract::{Caller, CodePath, Empty, PathId, Post, read_object};
use crate::money::MoneyBody;
use crate::replies::{Changed, Created};
use crate::state::Shared;

/// New codes, which all do the same.
#[derive(Debug, Clone, ToSchema)]
pub(crate) struct AddCodesRequest {
    /// What customers enter. Upper and lower case do not matter.
    #[schema(min_items = 1, max_items = 1_000, example = json!(["SPRING"]))]
    codes: Option<Vec<String>>,
    /// In place of `codes`: how many codes the server makes.
    #[schema(minimum = 1, maximum = 1_000)]
    count: Option<u32>,
    /// What each of the codes begins with that the server makes.
    #[schema(min_length = 1, max_length = 40, example = "VIP-")]
    prefix: Option<String>,
    /// How many percent the code takes off the price of each ticket.
    #[schema(example = "20", pattern = "^(100(\\.0{1,4})?|[1-9]?[0-9](\\.[0-9]{1,4})?)$")]
    percent: Option<String>,
    /// In place of `percent`: the amount that the code takes off the price of each ticket, or the whole price if that is less.
    amount_off: Option<MoneyBody>,
    /// In place of `percent`: what each ticket costs that would cost more.
    price: Option<MoneyBody>,
    /// For which tickets the code is valid; for all if absent. A ticket type that is sold only with a code needs one that names
    /// it here.
    #[schema(max_items = 50)]
    valid_for: Option<Vec<PoolMemberBody>>,
    /// For how many tickets the code may be used, held and sold. If absent, for any number.
    #[schema(minimum = 1, maximum = 100_000_000)]
    max_uses: Option<u32>,
    /// For how many tickets one customer may use the code. If absent, for any number.
    #[schema(minimum = 1, maximum = 100_000_000)]
    max_uses_per_customer: Option<u32>,
    /// From when on the code is valid; no limit if absent.
    available_from: Option<DateTime<Utc>>,
    /// The moment from which on the code is no longer valid; no limit if absent.
    available_until: Option<DateTime<Utc>>,
}

read_object!(AddCodesRequest {
    codes,
    count,
    prefix,
    percent,
    amount_off,
    price,
    valid_for,
    max_uses,
    max_uses_per_customer,
    available_from,
    available_until
});

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeBody {
    code_id: Uuid,
    /// What customers enter.
    code: String,
    /// How many percent the code takes off the price of each ticket; null if it takes off none.
    percent: Option<String>,
    /// The amount that the code takes off the price of each ticket; null if none.
    amount_off: Option<MoneyBody>,
    /// What each ticket costs that would cost more; null if the code sets no price.
    price: Option<MoneyBody>,
    /// For which tickets the code is valid. Empty if for all.
    valid_for: Vec<PoolMemberBody>,
    max_uses: Option<u32>,
    max_uses_per_customer: Option<u32>,
    available_from: Option<DateTime<Utc>>,
    available_until: Option<DateTime<Utc>>,
    /// Whether the organiser has ended the code.
    ended: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsedCodeBody {
    #[serde(flatten)]
    code: CodeBody,
    /// For how many tickets the code is used, held and sold. Holds that have run out count until they are released.
    uses: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodesAddedResponse {
    event_id: Uuid,
    /// The codes that were added.
    codes: Vec<CodeBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodesResponse {
    event_id: Uuid,
    /// All codes of the event, in the order in which they were added.
    codes: Vec<UsedCodeBody>,
}

/// Add codes
///
/// Customers who enter one in `code` when they hold seats pay less, or may buy ticket types that are sold only with a code.
/// Only for the owner of the event and for administrators. List the `codes`, or let the server make `count` of them, for
/// instance with `max_uses` 1 for vouchers. An event has at most 10,000 codes, added at most 500 times.
#[utoipa::path(post, path = "/api/events/{event_id}/codes", tag = "events", request_body = AddCodesRequest,
    security(("session" = [])), params(("event_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CodesAddedResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn add_codes(
    State(state): State<Shared>,
    PathId(event_id): PathId<EventId>,
    post: Post<AddCodesRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let (codes, rules) = post.body.parse(&state)?;
    let add = AddCodes { event_id, codes, rules };
    let added = state.box_office.add_codes(post.ask(add)).await?;
    let location = format!("/api/events/{event_id}/codes");
    let response = CodesAddedResponse {
        event_id: event_id.uuid(),
        codes: added.value.added_last().map(CodeBody::from).collect(),
    };
    Ok(Created(added.consistency, location, response))
}

/// List the codes of an event
///
/// Only for the owner of the event and for administrators. The answer includes every write up to this moment.
#[utoipa::path(get, path = "/api/events/{event_id}/codes", tag = "events", security(("session" = [])),
    params(("event_id" = Uuid, Path)),
    responses((status = 200, body = CodesResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list_codes(
    State(state): State<Shared>,
    caller: Caller,
    PathId(event_id): PathId<EventId>,
) -> Result<Json<CodesResponse>, ApiError> {
    let codes = state.box_office.codes(caller.actor(), event_id).await?;
    Ok(Json(CodesResponse {
        event_id: event_id.uuid(),
        codes: codes.into_iter().map(UsedCodeBody::from).collect(),
    }))
}

/// End a code
///
/// Nobody can enter the code any more. What is held and sold with it stays so, at its price. Only for the owner of the event
/// and for administrators.
#[utoipa::path(post, path = "/api/events/{event_id}/codes/{code_id}/end", tag = "events", security(("session" = [])),
    params(("event_id" = Uuid, Path), ("code_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = CodeBody), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn end_code(
    State(state): State<Shared>,
    path: CodePath,
    post: Post<Empty>,
) -> Result<impl IntoResponse, ApiError> {
    let CodePath { event_id, code_id } = path;
    let ended = state
        .box_office
        .end_code(post.ask(EndCode { event_id, code_id }))
        .await?;
    let code = ended.value.get(code_id).ok_or_else(ApiError::internal)?;
    Ok(Changed(ended.consistency, CodeBody::from(code)))
}

impl AddCodesRequest {
    /// Parses every field even after one has failed, so that all faults are reported together.
    fn parse(&self, state: &Shared) -> Result<(Vec<Label>, CodeRules), Refusal> {
        let mut errors = Vec::new();
        let codes = self.texts(state, &mut errors);
        let members = self.valid_for.iter().flatten();
        let valid_for = parse_each(members, "valid_for", &mut errors, parse_member);
        let rules = CodeRules {
            discount: self.discount(&mut errors),
            valid_for: valid_for.unwrap_or_default(),
            available_from: self.available_from,
            available_until: self.available_until,
            max_uses: self.max_uses,
            max_uses_per_customer: self.max_uses_per_customer,
        };
        match codes {
            Some(codes) if errors.is_empty() => Ok((codes, rules)),
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// Returns what customers enter: what the organiser has listed, or what the server makes.
    fn texts(&self, state: &Shared, errors: &mut Vec<FieldError>) -> Option<Vec<Label>> {
        let count = match (&self.codes, self.count) {
            (Some(codes), None) => {
                if self.prefix.is_some() {
                    errors.push(FieldError::new("prefix", "has no place beside `codes`"));
                }
                return parse_each(codes, "codes", errors, |text, field, errors| {
                    parse_label(text, field, errors)
                });
            }
            (None, Some(count)) => count as usize,
            (given, _) => {
                let reason = match given {
                    Some(_) => "has no place beside `count`",
                    None => "is missing: list the `codes`, or say by `count` how many the server makes",
                };
                errors.push(FieldError::new("codes", reason));
                return None;
            }
        };
        if count == 0 || count > limits::CODES_AT_ONCE {
            let reason = format!("must be between 1 and {}", limits::CODES_AT_ONCE);
            errors.push(FieldError::new("count", reason));
            return None;
        }
        let prefix = self.prefix.as_deref().unwrap_or_default();
        if prefix.chars().count() > MAX_PREFIX {
            errors.push(FieldError::new(
                "prefix",
                format!("must have at most {MAX_PREFIX} characters"),
            ));
            return None;
        }
        let made = (0..count).map(|_| format!("{prefix}{}", state.desk.new_code_text()));
        let made: Option<Vec<_>> = made.map(|text| parse_label(&text, "prefix", errors)).collect();
        errors.truncate(crate::errors::TOLD_AT_ONCE);
        made
    }

    fn discount(&self, errors: &mut Vec<FieldError>) -> Option<Discount> {
        let given = [
            ("percent", self.percent.is_some()),
            ("amount_off", self.amount_off.is_some()),
            ("price", self.price.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, given)| *given);
        let (first, second) = (given.next(), given.next());
        if let (Some((first, _)), Some((second, _))) = (first, second) {
            errors.push(FieldError::new(second, format!("has no place beside `{first}`")));
            return None;
        }
        let percent = self
            .percent
            .as_ref()
            .and_then(|percent| parse_percent(percent, "percent".to_owned(), errors));
        let amount = self
            .amount_off
            .as_ref()
            .and_then(|amount| amount.parse("amount_off", errors));
        let price = self.price.as_ref().and_then(|price| price.parse("price", errors));
        percent
            .map(Discount::Percent)
            .or(amount.map(Discount::Amount))
            .or(price.map(Discount::DownTo))
    }
}

/// How many characters the beginning of the codes may have that the server makes.
const MAX_PREFIX: usize = 40;

impl From<Code> for CodeBody {
    fn from(code: Code) -> Self {
        let rules = &code.rules;
        let (percent, amount_off, price) = match rules.discount {
            Some(Discount::Percent(percent)) => (Some(percent.to_string()), None, None),
            Some(Discount::Amount(amount)) => (None, Some(amount.into()), None),
            Some(Discount::DownTo(price)) => (None, None, Some(price.into())),
            None => (None, None, None),
        };
        Self {
            code_id: code.named.code_id.uuid(),
            code: code.named.code.to_string(),
            percent,
            amount_off,
            price,
            valid_for: rules.valid_for.iter().map(PoolMemberBody::from).collect(),
            max_uses: rules.max_uses,
            max_uses_per_customer: rules.max_uses_per_customer,
            available_from: rules.available_from,
            available_until: rules.available_until,
            ended: code.ended,
        }
    }
}

impl From<UsedCode> for UsedCodeBody {
    fn from(used: UsedCode) -> Self {
        Self {
            code: CodeBody::from(used.code),
            uses: used.uses,
        }
    }
}
