//! The name, the address and the port.

use super::family::When::Always;
use super::family::{Family, Writer, is};

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
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: true,
        candidates: &[
            is("dns-nxdomain", Always, "the name is mistyped, or known to another network's name server only (VPN)"),
            is("dns-not-asked", Always, "dig finds the name and getent hosts does not"),
            is("dns-no-address", Always, "the name has an address of the other family only (-4, -6, AddressFamily)"),
        ],
    },
    Family {
        texts: &["Temporary failure in name resolution", "EAI_AGAIN"],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is("dns-timeout", Always, "no name server answers: the network or the VPN is down, or port 53 is filtered"),
            is("dns-no-server", Always, "/etc/resolv.conf names no server"),
            is("dns-servfail", Always, "the answer comes at once, and other names resolve"),
            is("dns-refused", Always, "the name server does not serve this client's network"),
        ],
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
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: true,
        candidates: &[
            is("tcp-refused", Always, "every client is refused: no sshd on this port, or the wrong port"),
            is("tcp-source-banned", Always, "it worked from here a while ago, and still works from another address"),
            is("server-start-failed", Always, "the server was restarted or upgraded just before"),
        ],
    },
    Family {
        texts: &[
            "connect to host <host> port <port>: Connection timed out",
            "connect to host <host> port <port>: Operation timed out",
            "connect to address <address> port <port>: Connection timed out",
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
            "SocketTimeoutException: connect timed out",
            "did not properly respond after a period of time",
            "{error,etimedout}",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: true,
        candidates: &[
            is(
                "tcp-filtered",
                Always,
                "nothing answers from anywhere: a firewall or security group drops the packets, or the host is down",
            ),
            is("tcp-source-banned", Always, "it worked from here a while ago, and still works from another address"),
            is("tcp-unreachable", Always, "other ports of the host are silent too"),
        ],
    },
    Family {
        texts: &["Network is unreachable", "ENETUNREACH"],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: true,
        candidates: &[
            is("tcp-unreachable", Always, "this machine has no route there: no network, no VPN, or no IPv6"),
            is("path-address-changed", Always, "it worked until the network of this machine changed (VPN, Wi-Fi)"),
        ],
    },
    Family {
        texts: &["No route to host", "EHOSTUNREACH", "Destination Host Unreachable"],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
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
    },
];
