//! For each operation: the error codes that are particular to it, and an example of its request.

use serde_json::{Value, json};

use crate::errors::Code;
use crate::errors::Code::{
    AddressMissing, Busy, CodeNotFound, CredentialRefused, CustomerLimitReached, CustomerNotFound, EventCancelled,
    EventNotFound, Forbidden, InsufficientInventory, InvalidQuantity, InvalidStateTransition, LinkInvalid,
    NoMoreExtensions, NotEnoughLeft, NotFound, NothingGoesBack, PaymentFailed, PaymentInProgress, PaymentNotFound,
    RateLimited, RefundChanged, ReservationExpired, ReservationNotFound, ResourceAlreadyExists, SeatsUnavailable,
    SectionNotFound, TooManyHolds, Unauthenticated, UpdateUnderWay, ValidationFailed,
};

/// Returns the error codes that are particular to one operation; `None` if the operation has no row here. Codes that
/// an operation has because of its form are not among them.
pub(super) fn codes(operation: &str) -> Option<&'static [Code]> {
    codes_of_events(operation)
        .or_else(|| codes_of_orders(operation))
        .or_else(|| codes_of_people(operation))
}

fn codes_of_events(operation: &str) -> Option<&'static [Code]> {
    Some(match operation {
        "create_event" => &[Forbidden, ValidationFailed, UpdateUnderWay],
        "live" | "ready" => &[],
        "list_events" => &[ValidationFailed],
        "get_event" | "get_availability" => &[EventNotFound],
        "publish" => &[
            Forbidden,
            EventNotFound,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
        ],
        "open_sales" | "close_sales" => &[Forbidden, EventNotFound, EventCancelled, InvalidStateTransition],
        "cancel_event" => &[
            Forbidden,
            EventNotFound,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
        ],
        "block_seats" => &[
            Forbidden,
            EventNotFound,
            SectionNotFound,
            InsufficientInventory,
            SeatsUnavailable,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
        ],
        "unblock_seats" => &[
            Forbidden,
            EventNotFound,
            SectionNotFound,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
        ],
        "add_codes" => &[
            Forbidden,
            EventNotFound,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
            UpdateUnderWay,
        ],
        "list_codes" => &[Forbidden, EventNotFound],
        "end_code" => &[
            Forbidden,
            EventNotFound,
            CodeNotFound,
            EventCancelled,
            InvalidStateTransition,
        ],
        "get_section" => &[EventNotFound, SectionNotFound],
        "event_analytics" => &[Forbidden, EventNotFound],
        _ => return None,
    })
}

fn codes_of_orders(operation: &str) -> Option<&'static [Code]> {
    Some(match operation {
        "list_reservations" | "list_payments" => &[],
        "create_reservation" => &[
            InvalidQuantity,
            Forbidden,
            EventNotFound,
            SectionNotFound,
            CustomerNotFound,
            InsufficientInventory,
            NotEnoughLeft,
            SeatsUnavailable,
            CustomerLimitReached,
            TooManyHolds,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
            UpdateUnderWay,
        ],
        "get_reservation" | "reservation_history" => &[ReservationNotFound],
        "pay_reservation" => &[
            PaymentFailed,
            ReservationNotFound,
            PaymentNotFound,
            ReservationExpired,
            AddressMissing,
            CustomerLimitReached,
            ResourceAlreadyExists,
            PaymentInProgress,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
        ],
        "extend_hold" => &[
            ReservationNotFound,
            ReservationExpired,
            NoMoreExtensions,
            EventCancelled,
            InvalidStateTransition,
            UpdateUnderWay,
        ],
        "give_contact" => &[ReservationNotFound, InvalidStateTransition, ValidationFailed],
        "show_cancellation" => &[ReservationNotFound, ReservationExpired, InvalidStateTransition],
        "cancel_reservation" => &[
            ReservationNotFound,
            ReservationExpired,
            RefundChanged,
            NothingGoesBack,
            InvalidStateTransition,
            ValidationFailed,
        ],
        "create_payment" => &[
            PaymentFailed,
            ReservationNotFound,
            ReservationExpired,
            AddressMissing,
            CustomerLimitReached,
            PaymentInProgress,
            EventCancelled,
            InvalidStateTransition,
            ValidationFailed,
        ],
        "get_payment" => &[PaymentNotFound],
        "refund_payment" => &[Forbidden, PaymentNotFound, InvalidStateTransition, ValidationFailed],
        "customer_history" | "lifetime_value" => &[CustomerNotFound],
        _ => return None,
    })
}

fn codes_of_people(operation: &str) -> Option<&'static [Code]> {
    Some(match operation {
        "providers" | "get_session" | "list_sessions" | "logout" | "logout_all" | "ws_ticket" | "me"
        | "list_passkeys" => &[],
        "erase_me" => &[Forbidden],
        "link" => &[Forbidden, NotFound, ResourceAlreadyExists],
        "give_role" => &[Forbidden, NotFound],
        "send_magic_link" => &[RateLimited],
        "verify_magic_link" | "verify_magic_link_by_query" | "exchange" => &[LinkInvalid, Busy],
        "authorize" => &[NotFound],
        "callback" => &[Forbidden, NotFound, ResourceAlreadyExists, CredentialRefused, Busy],
        "begin_registration" => &[Forbidden, NotFound, ValidationFailed],
        "complete_registration" => &[
            Forbidden,
            NotFound,
            ResourceAlreadyExists,
            RateLimited,
            ValidationFailed,
            CredentialRefused,
            Busy,
        ],
        "begin_login" => &[NotFound],
        "complete_login" => &[Unauthenticated, NotFound, Busy],
        "rename_passkey" | "remove_passkey" => &[NotFound],
        _ => return None,
    })
}

/// Returns the examples of a request body. Several examples have names; the only example of an operation has an empty
/// name. The requests succeed once the ids in them are replaced by ids of things that exist.
pub(super) fn examples(operation: &str) -> Vec<(&'static str, Value)> {
    if operation != "create_reservation" {
        return example(operation).into_iter().map(|only| ("", only)).collect();
    }
    let one = json!({ "event_id": EVENT, "section": "General", "quantity": 2 });
    let several = json!({ "event_id": EVENT, "items": [
        { "section": "VIP", "quantity": 2, "specific_seats": ["A-12", "A-13"] },
        { "section": "General", "quantity": 1 },
    ] });
    let types = json!({ "event_id": EVENT, "items": [
        { "section": "General", "ticket_type": "regular", "quantity": 1 },
        { "section": "General", "ticket_type": "student", "quantity": 2 },
    ] });
    let guest = json!({ "event_id": EVENT, "section": "General", "quantity": 1, "email": "grace@example.com" });
    let code = json!({ "event_id": EVENT, "section": "General", "quantity": 2, "code": "SPRING" });
    vec![
        ("one_section", one),
        ("several_sections", several),
        ("ticket_types", types),
        ("with_a_code", code),
        ("without_an_account", guest),
    ]
}

/// Returns the only example of a request body; `None` if the operation takes no body.
fn example(operation: &str) -> Option<Value> {
    let price = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    Some(match operation {
        "create_event" => json!({
            "name": "Night of the Proms",
            "category": "concert",
            "currency": "EUR",
            "starts_at": "2040-05-01T18:00:00Z",
            "venue": { "name": "Sportpaleis", "city": "Antwerp", "country": "BE", "timezone": "Europe/Brussels" },
            "sections": [
                { "name": "VIP", "seating": { "kind": "numbered", "rows": [
                    { "row": "A", "seats": 20 }, { "row": "B", "places": ["5", "3", "1", "_", "2", "4", "12A"] }] } },
                { "name": "General", "seating": { "kind": "general_admission", "capacity": 500 },
                  "ticket_types": [{ "name": "regular" }, { "name": "student", "max_per_order": 4 }] },
            ],
            "pricing_tiers": [
                { "section": "VIP", "tier": "regular", "price": price(12_000) },
                { "section": "General", "ticket_type": "regular", "tier": "early bird", "price": price(4_000),
                  "available_until": "2040-03-01T00:00:00Z", "quantity": 200 },
                { "section": "General", "ticket_type": "regular", "tier": "presale", "price": price(4_500),
                  "available_until": "2040-03-01T00:00:00Z" },
                { "section": "General", "ticket_type": "regular", "tier": "regular", "price": price(5_000),
                  "available_from": "2040-03-01T00:00:00Z" },
                { "section": "General", "ticket_type": "student", "tier": "regular", "price": price(2_500) },
            ],
            "fees": [{ "name": "Booking fee", "percent": "2.5" }],
            "taxes": [{ "name": "VAT", "rate": "6", "included": true }],
            "pools": [{ "name": "Students and VIPs", "quantity": 60, "members": [
                { "section": "VIP" }, { "section": "General", "ticket_type": "student" }] }],
            "hold_seconds": 300,
            "max_extensions": 2,
            "max_hold_seconds": 900,
            "max_seats_per_order": 8,
            "max_seats_per_customer": 16,
            "refund_policy": [{ "hours_before": 168, "percent": 100 }, { "hours_before": 72, "percent": 50 }],
        }),
        "cancel_event" => json!({ "reason": "The singer has lost her voice" }),
        "block_seats" | "unblock_seats" => json!({ "quantity": 2 }),
        "add_codes" => json!({ "codes": ["SPRING"], "percent": "20", "max_uses": 100 }),
        "pay_reservation" => json!({ "payment_method": { "type": "card", "token": "tok_visa" } }),
        "create_payment" => json!({
            "reservation_id": RESERVATION, "payment_method": { "type": "card", "token": "tok_visa" } }),
        "give_contact" => json!({ "email": "ada@example.com" }),
        "cancel_reservation" => json!({ "refund_amount": price(0) }),
        "refund_payment" => json!({ "amount": price(2_500), "reason": "A seat with no view" }),
        "give_role" => json!({ "email": "ada@example.com", "role": "event_owner" }),
        "send_magic_link" => json!({ "email": "ada@example.com" }),
        "verify_magic_link" => json!({ "token": SECRET }),
        "exchange" => json!({ "code": SECRET }),
        "link" => json!({ "next": "/account" }),
        "begin_login" => json!({}),
        "complete_registration" => json!({
            "challenge_id": SECRET,
            "name": "My telephone",
            "credential": { "id": "AQIDBA", "rawId": "AQIDBA", "type": "public-key", "response": {
                "clientDataJSON": "e30", "attestationObject": "oA" } },
        }),
        "complete_login" => json!({
            "challenge_id": SECRET,
            "credential": { "id": "AQIDBA", "rawId": "AQIDBA", "type": "public-key", "response": {
                "clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "AA" } },
        }),
        "rename_passkey" => json!({ "name": "My old telephone" }),
        _ => return None,
    })
}

/// Returns the description and an example of a parameter; `None` if the handlers with this parameter describe it
/// themselves.
pub(super) fn parameter(name: &str) -> Option<(&'static str, Value)> {
    Some(match name {
        "event_id" => ("The id of the event.", json!(EVENT)),
        "reservation_id" => ("The id of the reservation.", json!(RESERVATION)),
        "code_id" => ("The id of the code.", json!("0196c2a4-7b1e-7cc3-98c4-dc0c0c070009")),
        "payment_id" => ("The id of the payment.", json!("0196c2a4-7b1e-7cc3-98c4-dc0c0c070003")),
        "customer_id" => (
            "The id of the customer, which is also the id of the user.",
            json!("0196c2a4-7b1e-7cc3-98c4-dc0c0c070004"),
        ),
        "section" => ("The name of the section.", json!("General")),
        "provider" => ("The name of the provider, from the list of providers.", json!("google")),
        "id" => ("The credential id, base64url.", json!("AQIDBA")),
        "Idempotency-Key" => (
            "The caller's name for this command, 1 to 255 visible ASCII characters. A command is carried out once under each key: a \
             repeated request gets the first answer again. Keys of different users do not clash.",
            json!("order-4711"),
        ),
        "If-None-Match" => (
            "The `ETag` of an earlier answer. If nothing has changed since, the answer is 304.",
            json!("\"0196c2a4-7b1e-7cc3-98c4-dc0c0c070001-17-0\""),
        ),
        "code" => (
            "The code that the provider has given for this sign-in.",
            json!("4/0AX4XfWh"),
        ),
        "state" => (
            "The value by which the server recognises the sign-in that it began.",
            json!(SECRET),
        ),
        "iss" => (
            "The issuer, if the provider names it.",
            json!("https://accounts.google.com"),
        ),
        "error" => ("Why the provider did not sign the person in.", json!("access_denied")),
        "token" => ("The token from the mailed link. It works once.", json!(SECRET)),
        _ => return None,
    })
}

const EVENT: &str = "0196c2a4-7b1e-7cc3-98c4-dc0c0c070001";
const RESERVATION: &str = "0196c2a4-7b1e-7cc3-98c4-dc0c0c070002";
const SECRET: &str = "q8pGmZyDk2nC0o1b7VtX5sR4aWhLfEJuKiTzYvQxB3M";
