"""Buys two tickets with the client that openapi-python-client makes of the OpenAPI document."""

import os
import uuid

from box_office import AuthenticatedClient
from box_office.api.events import get_event
from box_office.api.reservations import create_reservation, get_reservation, pay_reservation
from box_office.models import (
    CreateReservationRequest,
    ErrorBody,
    ErrorCode,
    EventResponse,
    HeldResponse,
    PaymentMethodBody,
    PayRequest,
    ReservationResponse,
)

office = AuthenticatedClient(base_url=os.environ["URL"], token=os.environ["SESSION"])
event_id = uuid.UUID(os.environ["EVENT"])

event = get_event.sync(event_id, client=office)
assert isinstance(event, EventResponse), event
wish = CreateReservationRequest(event_id=event_id, section=event.sections[0].name, quantity=2)
held = create_reservation.sync(client=office, body=wish, idempotency_key="python")
assert isinstance(held, HeldResponse), held
card = PayRequest(payment_method=PaymentMethodBody(type_="card", token="tok_visa"))
paid = pay_reservation.sync(held.reservation_id, client=office, body=card)
assert isinstance(paid, ReservationResponse), paid
assert paid.status == "completed" and len(paid.tickets) == 2, paid

nothing = get_reservation.sync(uuid.UUID(int=0), client=office)
assert isinstance(nothing, ErrorBody) and nothing.code == ErrorCode.RESERVATION_NOT_FOUND, nothing
print(f"Python: {len(paid.tickets)} tickets for {event.name}")
