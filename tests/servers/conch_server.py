"""Twisted Conch with its own UNIX realm, as `twistd conch` serves it: publickey logins to the accounts of the machine.

usage: conch_server.py ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE
"""

import sys
import warnings

from twisted.conch.checkers import InMemorySSHKeyDB, SSHPublicKeyChecker
from twisted.conch.openssh_compat.factory import OpenSSHFactory
from twisted.conch.ssh.keys import Key
from twisted.conch.unix import UnixSSHRealm
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.python import log


class Factory(OpenSSHFactory):
    def __init__(self, host_key, authorized_keys):
        key = Key.fromFile(host_key)
        self.ours = {key.sshType(): key}
        with open(authorized_keys) as lines:
            keys = [Key.fromString(line) for line in lines if line.strip()]
        self.portal = Portal(UnixSSHRealm(), [SSHPublicKeyChecker(InMemorySSHKeyDB({b"root": keys}))])

    def getPublicKeys(self):
        return {kind: key.public() for kind, key in self.ours.items()}

    def getPrivateKeys(self):
        return self.ours

    def getPrimes(self):
        return None


def main(address, port, host_key, authorized_keys):
    # The lab's account is root, and Twisted says in each session that it need not become root.
    warnings.simplefilter("ignore")
    log.startLogging(sys.stdout)
    reactor.listenTCP(int(port), Factory(host_key, authorized_keys), interface=address)
    reactor.run()


main(*sys.argv[1:])
