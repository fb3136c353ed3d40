//! The name, the address and the port.

use super::family::When::{Always, Seen};
use super::family::{Family, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "Name or service not known",
            "nodename nor servname provided",
            "No such host is known",
            "no such host",
            "Host does not exist",
            "Could not resolve host:",
            "getaddrinfo ENOTFOUND",
            "UnknownHostException",
            "{error,nxdomain}",
            "Could not resolve hostname <host>: <why>",
            "getaddrinfo failed",
            "Name does not resolve",
            "Unknown host",
            "gaierror: [Errno",
            "getaddrinfo: Name or service",
            "hostname not found",
            "Could not resolve host name",
        ],
        is_named: true,
        candidates: &[
            is("dns-nxdomain", Always, "the name is mistyped, or known to another network's name server only (VPN)"),
            is("dns-not-asked", Always, "dig finds the name and getent hosts does not"),
            is("dns-no-address", Always, "the name has an address of the other family only (-4, -6, AddressFamily)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Temporary failure in name resolution",
            "EAI_AGAIN",
            "Could not resolve hostname <host>: Try again",
            "Host name lookup failure",
            "This is usually a temporary error during hostname resolution",
        ],
        candidates: &[
            is("dns-timeout", Always, "no name server answers: the network or the VPN is down, or port 53 is filtered"),
            is("dns-no-server", Always, "/etc/resolv.conf names no server"),
            is("dns-servfail", Always, "the answer comes at once, and other names resolve"),
            is("dns-refused", Always, "the name server does not serve this client's network"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection refused",
            "ECONNREFUSED",
            "actively refused it",
            "Connection to \"<host>\" refused",
            "Unable to connect to port <port> on <address>",
            "Connect call failed",
            "Couldn't connect to server",
            "Could not open socket to <host>",
            "ssh2_connect(): Unable to connect to <host> on port <port>",
            "WinError 10061",
            "(10061)",
            "Failed to connect to <host> port <port>: Connection refused",
        ],
        is_named: true,
        candidates: &[
            is("tcp-unreachable", Seen(&["[Errno 113]", "[Errno 101]"]), "the line after it names no route"),
            is("tcp-refused", Always, "every client is refused: no sshd on this port, or the wrong port"),
            is("tcp-source-banned", Always, "it worked from here a while ago, and still works from another address"),
            is("server-start-failed", Always, "the server was restarted or upgraded just before"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "connect to host <host> port <port>: Connection timed out",
            "connect to host <host> port <port>: Operation timed out",
            "connect to address <address> port <port>: Connection timed out",
            "connect to host <host> port <port>: Resource temporarily unavailable",
            "dial tcp <address>: i/o timeout",
            "dial tcp <address>: connect: connection timed out",
            "dial tcp <address>: connect: operation timed out",
            "connect ETIMEDOUT",
            "[Errno 110] Connection timed out",
            "TimeoutError: timed out",
            "Errno::ETIMEDOUT",
            "Net::SSH::ConnectionTimeout",
            "timeout: socket is not established",
            "Connection to \"<host>\" timed out",
            "Timeout was reached",
            "Network error: Connection timed out",
            "Connection failed to establish within <n> milliseconds",
            "TCP connection to device failed",
            "SocketTimeoutException: connect timed out",
            "did not properly respond after a period of time",
            "connect to host <host> port <port>: Bad file number",
            "connect to host <host> port <port>: Unknown error",
            "{error,etimedout}",
            "ETIMEDOUT - Connection attempt timed out",
            "WinError 10060",
            "(10060)",
            "I/O connection time-out of",
            "Failed to connect to <host> within <n> msec",
            "Failed to connect to <host> port <port> after <n> ms: Connection timed out",
            "Connecting with SSH timed out",
            "connect timed out",
            "failed to connect: timed out",
            "Host did not respond within",
            "Connection attempt timed out",
        ],
        is_named: true,
        candidates: &[
            is(
                "idle-silent-drop",
                Seen(&["_read_ready", "_sock.recv(", "in read_all", "readuntil(", "SocketInputStream.read"]),
                "a connection that was open read nothing: a firewall or NAT on the path dropped it",
            ),
            is(
                "tcp-filtered",
                Always,
                "nothing answers from anywhere: a firewall or security group drops the packets, or the host is down",
            ),
            is("tcp-source-banned", Always, "it worked from here a while ago, and still works from another address"),
            is("tcp-unreachable", Always, "other ports of the host are silent too"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Network is unreachable",
            "ENETUNREACH",
            "connect to host <host> port <port>: Can't assign requested address",
            "connect to host <host> port <port>: Cannot assign requested address",
        ],
        is_named: true,
        candidates: &[
            is("tcp-unreachable", Always, "this machine has no route there: no network, no VPN, or no IPv6"),
            is("path-address-changed", Always, "it worked until the network of this machine changed (VPN, Wi-Fi)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["No route to host", "EHOSTUNREACH", "Destination Host Unreachable", "Host is unreachable"],
        is_named: true,
        candidates: &[
            is(
                "tcp-unreachable",
                Always,
                "the host is down, its address is wrong, or the VPN or route to it is missing",
            ),
            is(
                "tcp-prohibited",
                Always,
                "ping reaches the host: its firewall rejects this port (icmp-host-prohibited)",
            ),
            is("path-address-changed", Always, "it worked until the network of this machine changed (VPN, Wi-Fi)"),
        ],
        ..Family::NEW
    },
];
