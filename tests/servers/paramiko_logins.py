"""Paramiko with logins of two factors: a password, and then a code. What is presented is printed, never what it was."""

import sys

import paramiko

# The folder belongs to the sources.
sys.dont_write_bytecode = True
import paramiko_server

PASSWORD = "correct horse"
CODE = "123456"


class TwoFactors(paramiko_server.Server):
    next = "password"

    def get_allowed_auths(self, username):
        return self.next

    def decide(self, what, accepted, answer):
        print(f"{what} {'accepted' if accepted else 'refused'}", flush=True)
        return answer if accepted else paramiko.AUTH_FAILED

    def check_auth_password(self, username, password):
        accepted = self.next == "password" and password == PASSWORD
        self.next = "keyboard-interactive" if accepted else self.next
        return self.decide("password", accepted, paramiko.AUTH_PARTIALLY_SUCCESSFUL)

    def check_auth_interactive(self, username, submethods):
        return paramiko.InteractiveQuery("", "", ("Verification code: ", False))

    def check_auth_interactive_response(self, responses):
        return self.decide("code", responses == [CODE], paramiko.AUTH_SUCCESSFUL)


if __name__ == "__main__":
    paramiko_server.main(*sys.argv[1:], server=TwoFactors)
