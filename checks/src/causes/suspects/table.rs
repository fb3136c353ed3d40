//! The suspects. An entry whose timer or manner could not be read in a document or seen on the thing itself is not here.

use super::suspect::SuspectEnding::{Fin, ResetAfterPacket, ResetAtExpiry, Silent};
use super::suspect::{Clock, Knob, Sure, Suspect, SuspectKind, Unit};

/// Most suspects: a table of connections, an idle timer, silence after it.
const TABLE: Suspect = Suspect {
    name: "",
    clock: Clock::Idle,
    limit_s: 0,
    range_s: None,
    kind: SuspectKind::Table,
    endings: &[Silent],
    revived_by_server: false,
    version: None,
    sure: Sure::Documented,
    knob: None,
    source: "",
};

const fn seconds(summary: &'static str, snippet: &'static str) -> Knob {
    Knob { summary, snippet: Some(snippet), unit: Unit::Seconds }
}

const fn minutes(summary: &'static str, snippet: &'static str) -> Knob {
    Knob { summary, snippet: Some(snippet), unit: Unit::Minutes }
}

/// Every suspect, the shortest timers first.
pub(super) static SUSPECTS: &[Suspect] = &[
    Suspect {
        name: "Juniper MX services card",
        limit_s: 30,
        knob: Some(seconds(
            "set the application's inactivity timeout",
            "set applications application ssh-long protocol tcp destination-port 22 inactivity-timeout {wanted}",
        )),
        source: "Junos OS CLI Reference, inactivity-timeout",
        ..TABLE
    },
    Suspect {
        name: "HAProxy with the configuration that Debian ships",
        limit_s: 50,
        kind: SuspectKind::Proxy,
        endings: &[Fin],
        knob: Some(seconds(
            "raise both timeouts in the proxy's section for ssh",
            "timeout client {wanted}s\ntimeout server {wanted}s",
        )),
        source: "/etc/haproxy/haproxy.cfg of the Debian package; HAProxy Configuration Manual, timeout client",
        ..TABLE
    },
    Suspect {
        name: "Azure Load Balancer or its inbound NAT rule",
        limit_s: 240,
        range_s: Some((240, 6000)),
        endings: &[Silent, ResetAtExpiry],
        knob: Some(minutes(
            "raise the rule's idle timeout, in minutes, and let it send resets",
            "az network lb rule update -g GROUP --lb-name BALANCER -n RULE --idle-timeout {wanted} --enable-tcp-reset true",
        )),
        source: "Azure Load Balancer documentation, TCP reset and idle timeout",
        ..TABLE
    },
    Suspect {
        name: "Azure NAT Gateway",
        limit_s: 240,
        range_s: Some((240, 7200)),
        endings: &[ResetAfterPacket],
        knob: Some(minutes(
            "raise its idle timeout, in minutes",
            "az network nat gateway update -g GROUP -n GATEWAY --idle-timeout {wanted}",
        )),
        source: "Azure NAT Gateway documentation, nat-gateway-resource",
        ..TABLE
    },
    Suspect {
        name: "Azure Firewall, traffic to and from the internet",
        limit_s: 240,
        range_s: Some((240, 900)),
        endings: &[ResetAtExpiry],
        knob: Some(Knob {
            summary: "have Azure's support raise it to {wanted} minutes",
            snippet: None,
            unit: Unit::Minutes,
        }),
        source: "Azure Firewall documentation, TCP session behavior",
        ..TABLE
    },
    Suspect {
        name: "Azure Firewall, traffic between private networks",
        limit_s: 300,
        source: "Azure Firewall documentation, TCP session behavior",
        ..TABLE
    },
    Suspect {
        name: "SonicWall with old firmware",
        limit_s: 300,
        knob: Some(Knob {
            summary: "raise its TCP inactivity timeout to {wanted} minutes",
            snippet: None,
            unit: Unit::Minutes,
        }),
        source: "SonicOS Enhanced 4.0 Administrator's Guide",
        ..TABLE
    },
    Suspect {
        name: "Envoy that carries ssh in HTTP CONNECT or a websocket (Pomerium and others)",
        limit_s: 300,
        kind: SuspectKind::Proxy,
        endings: &[Fin, ResetAtExpiry],
        knob: Some(seconds(
            "raise the stream idle timeout of the HTTP connection manager or of the route",
            "stream_idle_timeout: {wanted}s",
        )),
        source: "Pomerium issue 1740; Envoy documentation, stream_idle_timeout",
        ..TABLE
    },
    Suspect {
        name: "AWS NAT Gateway",
        limit_s: 350,
        endings: &[ResetAfterPacket],
        source: "Amazon VPC User Guide, Compare NAT gateways and NAT instances",
        ..TABLE
    },
    Suspect {
        name: "AWS Network Load Balancer, TCP listener",
        limit_s: 350,
        range_s: Some((60, 6000)),
        endings: &[ResetAfterPacket],
        knob: Some(seconds(
            "raise the listener's idle timeout",
            "aws elbv2 modify-listener-attributes --listener-arn ARN --attributes Key=tcp.idle_timeout.seconds,Value={wanted}",
        )),
        source: "Elastic Load Balancing, Update the TCP idle timeout for your Network Load Balancer listener; its user guide, connection idle timeout, for the reset",
        ..TABLE
    },
    Suspect {
        name: "AWS Gateway Load Balancer",
        limit_s: 350,
        range_s: Some((60, 6000)),
        endings: &[Silent, ResetAtExpiry],
        knob: Some(seconds(
            "raise the listener's idle timeout",
            "aws elbv2 modify-listener-attributes --listener-arn ARN --attributes Key=tcp.idle_timeout.seconds,Value={wanted}",
        )),
        source: "Elastic Load Balancing, Listeners for your Gateway Load Balancers",
        ..TABLE
    },
    Suspect {
        name: "AWS Network Firewall",
        limit_s: 350,
        range_s: Some((60, 6000)),
        knob: Some(seconds(
            "raise TcpIdleTimeoutSeconds in the policy's flow timeouts",
            "\"StatefulEngineOptions\": { \"FlowTimeouts\": { \"TcpIdleTimeoutSeconds\": {wanted} } }",
        )),
        source: "AWS Network Firewall API Reference, FlowTimeouts",
        ..TABLE
    },
    Suspect {
        name: "EC2 security group tracking on Nitro v6 instances",
        limit_s: 350,
        range_s: Some((60, 432_000)),
        knob: Some(seconds(
            "raise the tracking timeout of the instance's network interface",
            "aws ec2 modify-network-interface-attribute --network-interface-id ENI --connection-tracking-specification TcpEstablishedTimeout={wanted}",
        )),
        source: "Amazon EC2 API Reference, ConnectionTrackingSpecificationRequest",
        ..TABLE
    },
    Suspect {
        name: "Google Cloud VPC firewall tracking",
        limit_s: 600,
        revived_by_server: true,
        source: "Google Cloud Compute Engine documentation, Troubleshooting, idle connections",
        ..TABLE
    },
    Suspect {
        name: "nginx stream proxy",
        limit_s: 600,
        kind: SuspectKind::Proxy,
        endings: &[Fin],
        knob: Some(seconds("raise the timeout in the stream server block for ssh", "proxy_timeout {wanted}s;")),
        source: "nginx documentation, ngx_stream_proxy_module, proxy_timeout",
        ..TABLE
    },
    Suspect {
        name: "an SSH server built with russh",
        limit_s: 600,
        kind: SuspectKind::Server,
        endings: &[Fin],
        version: Some("russh"),
        knob: Some(seconds(
            "raise the inactivity timeout in the program's server configuration",
            "inactivity_timeout: Some(Duration::from_secs({wanted})),",
        )),
        source: "russh source, server::Config::default",
        ..TABLE
    },
    Suspect {
        name: "Linux IPVS (kube-proxy in ipvs mode, Docker Swarm ingress)",
        limit_s: 900,
        endings: &[Silent, ResetAfterPacket],
        sure: Sure::Secondary,
        knob: Some(seconds(
            "raise the first of the three timeouts (TCP, TCP after FIN, UDP)",
            "ipvsadm --set {wanted} 120 300",
        )),
        source: "ipvsadm defaults as quoted by several projects",
        ..TABLE
    },
    Suspect {
        name: "Google Cloud NAT",
        limit_s: 1200,
        sure: Sure::Secondary,
        knob: Some(seconds(
            "raise the gateway's timeout for established connections",
            "gcloud compute routers nats update GATEWAY --router=ROUTER --region=REGION --tcp-established-idle-timeout={wanted}s",
        )),
        source: "guides to Cloud NAT timeouts by third parties",
        ..TABLE
    },
    Suspect {
        name: "Juniper SRX",
        limit_s: 1800,
        sure: Sure::Secondary,
        knob: Some(seconds(
            "give ssh an application of its own with a longer inactivity timeout",
            "set applications application ssh-long protocol tcp destination-port 22 inactivity-timeout {wanted}",
        )),
        source: "a published dump of Junos default applications (2011)",
        ..TABLE
    },
    Suspect {
        name: "Forcepoint (Stonesoft) firewall",
        limit_s: 1800,
        knob: Some(Knob {
            summary: "raise the TCP timeout in the firewall's properties, or in the access rule for ssh alone, to {wanted} s",
            snippet: None,
            unit: Unit::Seconds,
        }),
        source: "Stonesoft Management Center help, connection timeouts",
        ..TABLE
    },
    Suspect {
        name: "Cisco ASA or FTD",
        limit_s: 3600,
        endings: &[Silent, ResetAtExpiry],
        knob: Some(Knob {
            summary: "raise the connection timeout, for all traffic or for ssh alone",
            snippet: Some("timeout conn {wanted}"),
            unit: Unit::Clock,
        }),
        source: "Cisco ASA 9.1 configuration guide, connection settings",
        ..TABLE
    },
    Suspect {
        name: "FortiGate",
        limit_s: 3600,
        range_s: Some((300, 604_800)),
        knob: Some(seconds(
            "raise the session time-to-live for port 22",
            "config system session-ttl\n    config port\n        edit 22\n            set protocol 6\n            set start-port 22\n            set end-port 22\n            set timeout {wanted}\n        next\n    end\nend",
        )),
        source: "Fortinet technical tips 194357 and 196264, session-ttl",
        ..TABLE
    },
    Suspect {
        name: "Palo Alto Networks firewall (PAN-OS)",
        limit_s: 3600,
        range_s: Some((1, 15_999_999)),
        sure: Sure::Secondary,
        knob: Some(Knob {
            summary: "under Device > Setup > Session > Session Timeouts, raise TCP to {wanted} s, or the timeout of the ssh application alone",
            snippet: None,
            unit: Unit::Seconds,
        }),
        source: "PAN-OS documentation, Configure Session Timeouts; the silent drop is reported by others",
        ..TABLE
    },
    Suspect {
        name: "Envoy TCP proxy",
        limit_s: 3600,
        kind: SuspectKind::Proxy,
        endings: &[Fin],
        sure: Sure::Secondary,
        knob: Some(seconds("raise the idle timeout of the tcp_proxy filter", "idle_timeout: {wanted}s")),
        source: "StackGres issue 655 on Envoy's tcp_proxy",
        ..TABLE
    },
    Suspect {
        name: "AWS EC2 Instance Connect Endpoint",
        clock: Clock::Age,
        limit_s: 3600,
        kind: SuspectKind::Proxy,
        endings: &[Fin, ResetAtExpiry],
        source: "Amazon EC2 User Guide, Connect using EC2 Instance Connect Endpoint",
        ..TABLE
    },
    Suspect {
        name: "OpenWrt router",
        limit_s: 7440,
        sure: Sure::Secondary,
        knob: Some(seconds(
            "raise the tracking timeout",
            "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400",
        )),
        source: "sysctl-nf-conntrack.conf as copied by several projects",
        ..TABLE
    },
    Suspect {
        name: "pf, pfSense or OPNsense with aggressive optimization",
        limit_s: 18_000,
        knob: Some(seconds(
            "choose the normal optimization, which keeps connections for a day",
            "set optimization normal",
        )),
        source: "pfSense documentation, Advanced firewall settings",
        ..TABLE
    },
];
