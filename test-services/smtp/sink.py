"""An SMTP server that keeps what it is given: one JSON file for each mail, in the order of their names."""

import argparse
import asyncio
import email
import email.policy
import json
import os
import ssl

from aiosmtpd.smtp import SMTP


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.kept = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return f"550 no such mailbox {address}"
        if address.startswith("later"):
            return f"451 try {address} again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: (body := mail.get_body((kind,))) and body.get_content()
        told = {
            "from": mail["from"],
            "to": envelope.rcpt_tos,
            "subject": mail["subject"],
            "message_id": mail["message-id"],
            "text": part("plain"),
            "html": part("html"),
            "encrypted": given.tls == "implicit" or session.ssl is not None,
        }
        self.kept += 1
        name = os.path.join(self.folder, f"{self.kept:06}.json")
        with open(name + ".new", "w") as file:
            json.dump(told, file)
        os.rename(name + ".new", name)
        return "250 kept"


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--folder", required=True)
parser.add_argument("--tls", choices=["none", "starttls", "implicit"], required=True)
parser.add_argument("--certificate")
parser.add_argument("--key")
given = parser.parse_args()

context = None
if given.tls != "none":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given.certificate, given.key)
starttls = {"tls_context": context, "require_starttls": True} if given.tls == "starttls" else {}
implicit = {"ssl": context} if given.tls == "implicit" else {}


async def serve():
    keeper = Keeper(given.folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="127.0.0.1", **starttls), "127.0.0.1", given.port, **implicit
    )
    await server.serve_forever()


asyncio.run(serve())
