//! The name, the address and the port.

use super::family::When::{Always, Seen};
use super::family::{Family, Writer, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // EAI_NODATA: Android's resolver has no other word, whether the name does not exist or no server answers.
        texts: &["No address associated with hostname"],
        is_named: true,
        candidates: &[
            is(
                "dns-nxdomain",
                Seen(&["Unable to resolve host \"<host>\""]),
                "Android says so of a name that does not exist",
            ),
            is("dns-no-address", Always, "the name exists, and has an address of the other family or none"),
            is("dns-nxdomain", Always, "the client is Android or Termux, which says so of a name that does not exist"),
            is("dns-timeout", Always, "the client is Android or Termux, and offline"),
        ],
        ..Family::NEW
    },
    Family {
        // The resolver's library failed without an error of its own.
        texts: &["Could not resolve hostname <host>: Success", "Could not resolve hostname <host>: System error"],
        candidates: &[
            is("dns-no-address", Always, "ssh -4 works: the name has no address of the other family"),
            is(
                "dns-not-asked",
                Always,
                "dig finds the name, and getent hosts does not: the line hosts of nsswitch.conf",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Name or service not known",
            "nodename nor servname provided",
            "No such host is known",
            "no such host",
            "Host does not exist",
            "Could not resolve host:",
            "mosh: Could not resolve hostname",
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
            "ConnectUnknownHostError",
            "Failed to resolve hostname <host> (",
            "DNS failure--the hostname you provided was not resolvable",
            "Device failed due to a DNS failure",
            "Error while looking up <what> address for",
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
        texts: &["Could not connect to '<host>' (port <port>)"],
        writer: Writer::Anyone,
        candidates: &[
            is("tcp-refused", Always, "the answer comes at once: no sshd on this port, or the wrong port"),
            is("tcp-filtered", Always, "it takes many seconds: a firewall drops the packets, or the host is down"),
            is("dns-nxdomain", Always, "the name is mistyped"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection refused",
            "ECONNREFUSED",
            "actively refused it",
            "Connection to \"<host>\" refused",
            "Unable to connect to port <port> on <text>",
            "Connect call failed",
            "Couldn't connect to server",
            "ConnectRefusedError",
            "Could not open socket to <host>",
            "ssh2_connect(): Unable to connect to <host> on port <port>",
            "WinError 10061",
            "Could not connect to <host>, last tried <address>: <what>: connect: Connection refused",
            "(10061)",
            "Failed to connect to <host> port <port>: Connection refused",
        ],
        is_named: true,
        candidates: &[
            is("tcp-unreachable", Seen(&["[Errno 113]", "[Errno 101]"]), "the line after it names no route"),
            is("tcp-refused", Always, "every client is refused: no sshd on this port, or the wrong port"),
            is(
                "handshake-closed-before-banner",
                Seen(&["Error reading SSH protocol banner"]),
                "the connection was accepted, and no version came: the server has no room, or keeps this client out",
            ),
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
            "dial tcp <text>: i/o timeout",
            "dial tcp <text>: connect: connection timed out",
            "dial tcp <text>: connect: operation timed out",
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
            "Could not connect to <host>, last tried <address>: <what>: connect: Connection timed out",
            "Could not connect to <host>, last tried <address>: <what>: connect: Operation timed out",
            "ConnectTimeoutError",
            "Netmiko was unable to reach the provided host and port",
            "russh::Error: ConnectionTimeout",
            "Operation timed out - connect(2)",
            "Connection timed out - connect(2)",
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
            "connect to host <host> port <port>: Network is down",
            "connect to host <host> port <port>: Invalid argument",
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
