"""AsyncSSH with logins that sshd without PAM cannot have; what is presented is printed, never what it was."""

import asyncio
import logging
import sys

import asyncssh

# The folder belongs to the sources.
sys.dont_write_bytecode = True
import asyncssh_server

PASSWORD = "correct horse"


def note(text):
    print(text, flush=True)


class Login(asyncssh_server.Server):
    def __init__(self):
        super().__init__(0, False)

    def connection_made(self, conn):
        self.peer = conn.get_extra_info("peername")[1]

    def begin_auth(self, username):
        note(f"login asked from port {self.peer}")
        return True

    def decide(self, what, accepted):
        note(f"{what} {'accepted' if accepted else 'refused'} from port {self.peer}")
        return accepted


class Password(Login):
    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return self.decide("password", password == PASSWORD)


class Expired(Password):
    def validate_password(self, username, password):
        self.decide("password", password == PASSWORD)
        raise asyncssh.PasswordChangeRequired("Your password has expired: ")


class Keyboard(Login):
    def kbdint_auth_supported(self):
        return True

    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "Two questions", "", [("Password: ", False), ("Code: ", True)]

    def validate_kbdint_response(self, username, responses):
        return self.decide("answers", responses == [PASSWORD, "123456"])


class OneQuestion(Keyboard):
    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username, responses):
        return self.decide("answers", responses == [PASSWORD])


class Code(Keyboard):
    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "", "", [("Verification code: ", False)]


class Once(Keyboard):
    """A code that is good once, asked for in these words."""

    asks = "One-time password (OATH) for `root': "
    unused = {PASSWORD}

    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "", "", [(self.asks, False)]

    def validate_kbdint_response(self, username, responses):
        accepted = responses[0] in self.unused
        self.unused.difference_update(responses)
        return self.decide("answers", accepted)


class OnceUnnamed(Once):
    asks = "Password: "


class Named(Keyboard):
    """Asks in words that name people."""

    words = "Call Gertrude Kanarie, +49 170 5550199, gertrude@pager.kanarie-bank.internal"

    def begin_auth(self, username):
        self.conn.send_auth_banner(self.words)
        return super().begin_auth(username)

    def connection_made(self, conn):
        self.conn = conn
        super().connection_made(conn)

    def get_kbdint_challenge(self, username, lang, submethods):
        return "Kanarie bank", self.words, "", [("Volkswirt code of Gertrude: ", False)]


class Leaves(Named):
    def begin_auth(self, username):
        self.conn.disconnect(11, self.words)
        return super().begin_auth(username)


class KeyOrCode(Code):
    def public_key_auth_supported(self):
        return True


class Slow(Login):
    async def begin_auth(self, username):
        await asyncio.sleep(3)
        return super().begin_auth(username)


KINDS = {
    "password": Password, "expired": Expired, "keyboard": Keyboard, "one-question": OneQuestion, "code": Code,
    "once": Once, "once-unnamed": OnceUnnamed, "key-or-code": KeyOrCode, "slow": Slow, "sha1": Login,
    "named": Named, "leaves": Leaves,
}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    address, port, host_key, authorized_keys, kind = sys.argv[1:]
    keys = authorized_keys if kind in ("key-or-code", "slow", "sha1") else None
    # As servers before OpenSSH 7.2: of RSA signatures those with SHA-1 alone.
    more = {"signature_algs": ["ssh-rsa", "ssh-ed25519"]} if kind == "sha1" else {}
    asyncio.run(asyncssh_server.main(address, port, host_key, keys, server_factory=KINDS[kind], **more))
