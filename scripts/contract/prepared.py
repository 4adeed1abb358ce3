"""Gives the requests of Schemathesis things that exist, and checks afterwards that each operation has succeeded.

A request that would use something up (a draft, a hold, a session, a link) gets a fresh one. A value that Schemathesis has made
invalid on purpose is left as it is.

As a program it reads the answers that were noted: `prepared.py ANSWERS DOCUMENT`.
"""

import collections
import itertools
import json
import os
import re
import sys
import time

# Why these cannot succeed here: each needs what only somebody else can give. Tests of the project play them with such a partner.
NEVER_SUCCEED = {
    "callback": "an identity provider gives the code",
    "exchange": "the code comes from an identity provider's sign-in",
    "complete_registration": "an authenticator signs the challenge",
    "complete_login": "an authenticator signs the challenge",
    "rename_passkey": "an authenticator has made the passkey",
    "remove_passkey": "an authenticator has made the passkey",
}


def unsuccessful(noted, document):
    """Returns what is wrong with the answers of a run, a line each."""
    answers = collections.defaultdict(set)
    for line in noted:
        operation, status = line.split()
        answers[operation].add(int(status))
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            succeeded = any(200 <= status < 400 for status in answers[name])
            if not answers[name]:
                yield f"{name} was not asked"
            elif succeeded and name in NEVER_SUCCEED:
                yield f"{name} succeeded; take it off the list in prepared.py"
            elif not succeeded and name not in NEVER_SUCCEED:
                yield f"{name} never succeeded: {sorted(answers[name])}"


if __name__ == "__main__":
    with open(sys.argv[1]) as noted, open(sys.argv[2]) as document:
        wrong = list(unsuccessful(noted, json.load(document)))
    print("\n".join(wrong) or "Every operation succeeded, but for those that need a partner.")
    sys.exit(bool(wrong))


import requests  # noqa: E402
import schemathesis  # noqa: E402
from schemathesis.core.parameters import ParameterLocation  # noqa: E402

URL, ADMIN, CUSTOMER = (os.environ[name] for name in ("URL", "ADMIN", "CUSTOMER"))
OUTPUT, ANSWERS = os.environ["SERVER_OUTPUT"], os.environ["ANSWERS"]
ORDER_SECRET = "Ticketing-Order-Secret"
CARD = {"type": "card", "token": "tok_visa"}

numbers = itertools.count(1)
# What writes have answered with.
tokens = []
http = requests.Session()


def ask(method, path, session=None, body=None):
    """Sends a request that has to succeed and returns its answer."""
    headers = {"X-Forwarded-For": network(), **({"Authorization": f"Bearer {session}"} if session else {})}
    answer = http.request(method, URL + path, json=body, headers=headers)
    assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
    if token := answer.headers.get("Ticketing-Consistency"):
        tokens.append(token)
    return answer.json()


def network():
    """Another network each time: signing in is limited by network."""
    number = next(numbers)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def event(*steps):
    body = json.loads(EVENT)
    made = ask("POST", "/api/events", ADMIN, body)["event_id"]
    for step in steps:
        ask("POST", f"/api/events/{made}/{step}", ADMIN)
    return made


EVENT = json.dumps({
    "name": "A night of requests",
    "currency": "EUR",
    "starts_at": "2040-05-01T18:00:00Z",
    "venue": {"name": "Sportpaleis", "city": "Antwerp", "country": "BE", "timezone": "Europe/Brussels"},
    "sections": [{"name": "General", "seating": {"kind": "general_admission", "capacity": 1000000}}],
    "pricing_tiers": [{"section": "General", "tier": "regular", "price": {"amount": 5000, "currency": "EUR"}}],
})


def held(session=CUSTOMER):
    body = {"event_id": open_event(), "section": "General", "quantity": 1}
    return ask("POST", "/api/reservations", session, body)["reservation_id"]


def guest():
    """An order without an account: its id and its secret."""
    held = ask("POST", "/api/reservations", None, {"event_id": open_event(), "section": "General", "quantity": 1})
    return held["reservation_id"], held["order_secret"]


def paid():
    return ask("POST", f"/api/reservations/{held()}/payment", CUSTOMER, {"payment_method": CARD})["payment_id"]


def mailed_token():
    """The token of a link that was just mailed to somebody new; the server prints its mail."""
    address = f"person{next(numbers)}@example.com"
    ask("POST", "/api/auth/magic-link/send", body={"email": address})
    for _ in range(200):
        with open(OUTPUT) as output:
            found = re.search(rf"mail to {address}:.*?#token=(\S+)", output.read(), re.DOTALL)
        if found:
            return found[1]
        time.sleep(0.01)
    raise AssertionError(f"no mail to {address}")


def session():
    return ask("POST", "/api/auth/magic-link/verify", body={"token": mailed_token()})["session_id"]


def once(make):
    made = []
    return lambda: made[0] if made else made.append(make()) or made[0]


open_event = once(lambda: event("publish", "sales/open"))
def added_code():
    body = {"codes": [f"CODE-{next(numbers)}"], "percent": "20"}
    return ask("POST", f"/api/events/{open_event()}/codes", ADMIN, body)["codes"][0]


one_code = once(added_code)
one_reservation, one_payment, one_guest = once(held), once(paid), once(guest)
customer_id = once(lambda: ask("GET", "/api/auth/me", CUSTOMER)["id"])

# What is in the path of a request, by operation; `None` for every other operation.
PATHS = {
    "event_id": {
        "publish": event,
        "open_sales": lambda: event("publish"),
        "close_sales": lambda: event("publish", "sales/open"),
        "cancel_event": lambda: event("publish"),
        None: open_event,
    },
    "section": {None: lambda: "General"},
    "reservation_id": {
        "pay_reservation": held,
        "cancel_reservation": held,
        "give_contact": lambda: one_guest()[0],
        None: one_reservation,
    },
    "payment_id": {"refund_payment": paid, None: one_payment},
    "customer_id": {None: customer_id},
    "code_id": {None: lambda: added_code()["code_id"]},
    "provider": {None: lambda: "github"},
}
# And in its body.
BODIES = {
    "create_reservation": {"event_id": open_event, "section": lambda: "General", "customer_id": customer_id,
                           "code": lambda: one_code()["code"]},
    "add_codes": {"codes": lambda: [f"CODE-{next(numbers)}"]},
    "create_payment": {"reservation_id": held},
    # Whoever is given a role is signed out.
    "give_role": {"email": lambda: "customer3@example.com", "role": lambda: "customer"},
    "verify_magic_link": {"token": mailed_token},
}
QUERIES = {"verify_magic_link_by_query": {"token": mailed_token}}
# Who asks; an administrator if it is not said.
ASKED_BY = {
    **dict.fromkeys(
        ["create_payment", "pay_reservation", "show_cancellation", "cancel_reservation", "list_reservations", "list_payments"],
        lambda: CUSTOMER,
    ),
    **dict.fromkeys(["logout", "logout_all", "erase_me", "begin_registration", "link"], session),
}


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers["X-Forwarded-For"] = network()
    name = case.operation.definition.raw.get("operationId")
    if case.headers.get("Authorization") == f"Bearer {ADMIN}" and name in ASKED_BY:
        case.headers["Authorization"] = f"Bearer {ASKED_BY[name]()}"
    if case.headers.get(ORDER_SECRET) == "of-the-order":
        # A request shows a session or the secret of an order, and only one route takes nothing but a secret.
        if name == "give_contact":
            case.headers[ORDER_SECRET] = one_guest()[1]
        else:
            del case.headers[ORDER_SECRET]
    if "Authorization" not in case.headers:
        # A request that is wrong in two ways may be answered for either of them.
        case.headers.pop("Ticketing-Consistency", None)
    if case.meta is None or case.method.upper() != case.operation.method.upper():
        return

    def is_meant(location):
        part = case.meta.components.get(location)
        return part is not None and part.mode.is_positive

    if is_meant(ParameterLocation.PATH):
        for parameter in case.path_parameters or {}:
            make = PATHS.get(parameter, {})
            if value := make.get(name, make.get(None)):
                case.path_parameters[parameter] = value()
    if is_meant(ParameterLocation.QUERY):
        replace(case.query, QUERIES.get(name, {}))
        # These two exclude each other, which no schema of single parameters can say; and only an earlier answer has the second.
        if case.query and "after" in case.query:
            del case.query["after"]
    if is_meant(ParameterLocation.BODY) and isinstance(case.body, dict):
        replace(case.body, BODIES.get(name, {}))
        if name == "create_reservation":
            in_one_form(case.body)
        if name == "add_codes":
            that_fit_together(case.body)
    if is_meant(ParameterLocation.HEADER):
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"key-{next(numbers)}"
        if "Ticketing-Consistency" in case.headers:
            open_event()
            case.headers["Ticketing-Consistency"] = tokens[-1]


def in_one_form(order):
    """An order of several sections has `items`, and nothing of one section beside them, which no schema of single fields can say."""
    items = order.get("items")
    if isinstance(items, list) and items:
        for field in ("section", "quantity", "specific_seats"):
            order.pop(field, None)
        for item, section in zip(items, itertools.cycle(["General", "VIP"])):
            item["section"] = section


def that_fit_together(codes):
    """Of the fields that exclude each other one is left, and what has to be of the event is left out."""
    for field in ("valid_for", "available_from", "available_until", "amount_off", "price"):
        codes.pop(field, None)
    for field in ("count", "prefix") if codes.get("codes") else ("codes",):
        codes.pop(field, None)
    codes["percent"] = "20"


def replace(values, made):
    for name, make in made.items():
        if values and name in values:
            values[name] = make()


@schemathesis.hook
def after_call(context, case, response):
    with open(ANSWERS, "a") as answers:
        name = case.operation.definition.raw.get("operationId")
        answers.write(f"{name} {response.status_code}\n")
