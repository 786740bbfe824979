#!/usr/bin/env python3
"""A real SMTP server for the tests: aiosmtpd on a free port of 127.0.0.1.

usage: smtp_server.py OPTIONS_JSON

Prints the port on one line when it listens. Options, all but "output" optional:
  output   file that gets one JSON object per accepted message
  tls      "none" (default), "starttls" (offered and required) or "implicit"
  cert,key PEM files, for TLS
  user,password  when given, AUTH is required and must match
  script   list of {"on": "mail"|"rcpt"|"data", "match": text, "reply": "550 no", "times": n,
           "drop": bool}: the first entry that fits answers. "match" is part of the address (of
           the envelope sender for "data"); "times" counts down, absent means for ever; "drop"
           closes the connection without a reply ("data": after the whole message came).
  bearer   when given, AUTH XOAUTH2 with this access token (and `user`) is required instead
  no_utf8  true: SMTPUTF8 is not offered
  faults   a file that says what goes wrong from the next message on, read at every MAIL:
           "none", "lost_reply" (the message is taken, the connection ends before the answer),
           "down" (421 to MAIL), "slow" (nothing is taken and no answer comes for 3 s), or "random"
           (each message one of these, about half are well)
"""

import asyncio
import base64
import json
import pathlib
import random
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class recorder:
    def __init__(self, options):
        self.options = options
        self.script = options.get("script", [])
        self.random = random.Random(20261121)

    def fault(self):
        if "faults" not in self.options:
            return "none"
        said = pathlib.Path(self.options["faults"]).read_text(encoding="utf-8").strip()
        if said != "random":
            return said
        return self.random.choice(["none", "none", "none", "lost_reply", "down", "slow"])

    # The name is aiosmtpd's; without "bearer" it is taken away below.
    async def auth_XOAUTH2(self, server, args):
        if len(args) > 1:
            given = base64.b64decode(args[1]).decode()
        else:
            given = (await server.challenge_auth("")).decode()
        right = f"user={self.options['user']}\x01auth=Bearer {self.options['bearer']}\x01\x01"
        if given == right:
            return AuthResult(success=True, auth_data=self.options["user"])
        return AuthResult(success=False, handled=False)

    def scripted(self, stage, text, server):
        for entry in self.script:
            if entry["on"] != stage or entry.get("match", "") not in text:
                continue
            if entry.get("times", 1) <= 0:
                continue
            if "times" in entry:
                entry["times"] -= 1
            if entry.get("drop"):
                server.transport.abort()
                return "421 closing"
            return entry["reply"]
        return None

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        reply = self.scripted("mail", address, server)
        if reply:
            return reply
        session.fault = self.fault()
        if session.fault == "down":
            return "421 4.3.0 the server is down"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        reply = self.scripted("rcpt", address, server)
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        reply = self.scripted("data", envelope.mail_from or "", server)
        if reply:
            return reply
        if session.fault == "slow":
            await asyncio.sleep(3)
            server.transport.abort()
            return "421 closing"
        message = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("utf-8", errors="replace"),
            "tls": session.ssl is not None or self.options.get("tls") == "implicit",
            "user": session.auth_data if isinstance(session.auth_data, str) else "",
            "helo": session.host_name,
        }
        with open(self.options["output"], "a", encoding="utf-8") as output:
            output.write(json.dumps(message) + "\n")
        if session.fault == "lost_reply":
            server.transport.abort()
            return "421 closing"
        return "250 OK accepted"


def authenticator(options):
    def check(server, session, envelope, mechanism, data):
        user = data.login.decode()
        right = (user, data.password.decode()) == (options["user"], options["password"])
        # handled=False: aiosmtpd sends the 535 itself
        return AuthResult(success=right, handled=False, auth_data=user)

    return check


async def main():
    options = json.loads(sys.argv[1])
    tls = options.get("tls", "none")
    context = None
    if tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["cert"], options["key"])
    handler = recorder(options)
    if "bearer" not in options:
        del recorder.auth_XOAUTH2

    def protocol():
        arguments = {"enable_SMTPUTF8": not options.get("no_utf8"), "hostname": "localhost"}
        if tls == "starttls":
            arguments.update(tls_context=context, require_starttls=True)
        if "bearer" in options:
            arguments.update(auth_required=True, auth_require_tls=False)
            arguments["auth_exclude_mechanism"] = ["LOGIN", "PLAIN"]
        elif "user" in options:
            arguments.update(
                authenticator=authenticator(options),
                auth_required=True,
                auth_require_tls=tls == "starttls",
            )
        return SMTP(handler, **arguments)

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if tls == "implicit" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
