"""Twisted Conch with its log; a host key that known_hosts does not have is refused, as its own client refuses it unattended."""

import os
import sys

from twisted.conch import error
from twisted.conch.client.knownhosts import KnownHostsFile
from twisted.conch.ssh import channel, common, connection, keys, transport, userauth
from twisted.internet import defer, protocol, reactor
from twisted.python import filepath, log

host, port, user, key, known_hosts, command = sys.argv[1:7]
log.startLogging(sys.stderr)


class Transport(transport.SSHClientTransport):
    def verifyHostKey(self, blob, fingerprint):
        known = KnownHostsFile.fromPath(filepath.FilePath(known_hosts))
        name = host if port == "22" else f"[{host}]:{port}"
        try:
            found = known.hasHostKey(name.encode(), keys.Key.fromString(blob))
        except error.HostKeyChanged:
            return defer.fail()
        return defer.succeed(True) if found else defer.fail(error.ConchError("host key is not known"))

    def connectionSecure(self):
        self.requestService(Auth(user.encode(), Connection()))

    def connectionLost(self, reason):
        log.err(reason, "connection lost")
        if reactor.running:
            reactor.stop()


class Auth(userauth.SSHUserAuthClient):
    tried = False

    def getPassword(self, prompt=None):
        return defer.succeed(os.environ["PASSWORD"].encode()) if "PASSWORD" in os.environ else None

    def getPublicKey(self):
        if key == "-" or self.tried:
            return None
        self.tried = True
        return keys.Key.fromFile(key).public()

    def getPrivateKey(self):
        return defer.succeed(keys.Key.fromFile(key))


class Connection(connection.SSHConnection):
    def serviceStarted(self):
        self.openChannel(Session(conn=self))


class Session(channel.SSHChannel):
    name = b"session"

    def openFailed(self, reason):
        log.err(reason, "channel open failed")
        reactor.stop()

    def channelOpen(self, _):
        self.conn.sendRequest(self, "exec", common.NS(command.encode()), wantReply=1).addErrback(
            lambda failure: (log.err(failure, "exec failed"), reactor.stop())
        )

    def request_exit_status(self, data):
        log.msg("exit status %d" % int.from_bytes(data, "big"))

    def closed(self):
        if reactor.running:
            reactor.stop()


class Factory(protocol.ClientFactory):
    protocol = Transport

    def clientConnectionFailed(self, _, reason):
        log.err(reason, "connection failed")
        reactor.stop()


reactor.connectTCP(host, int(port), Factory(), timeout=5)
reactor.callLater(float(os.environ.get("WAIT", "10")), reactor.stop)
reactor.run()
