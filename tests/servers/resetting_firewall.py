"""A firewall that resets both ends of a TCP connection when it was silent for too long.

The kernel's own tracking forgets without a word, so this one looks on at the packets that its host forwards and sends the resets
that a Cisco ASA (`set connection timeout idle ... reset`) or a load balancer with resets at expiry would send.
Arguments: the interface to look on at, the seconds of silence.
"""

import socket
import struct
import sys
import time

ETH_P_ALL, ETH_P_IP = 0x0003, 0x0800
FIN, SYN, RST = 1, 2, 4
SO_RCVBUFFORCE = 33


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def reset(source, destination, seq):
    """A reset from one end to the other, each an address of four bytes and a port."""
    segment = struct.pack("!HHIIBBHHH", source[1], destination[1], seq, 0, 5 << 4, RST, 0, 0, 0)
    pseudo = source[0] + destination[0] + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0, source[0], destination[0])
    return header + segment


def main(interface, idle):
    # Of a single protocol the kernel shows only the packets that come in.
    look = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    look.bind((interface, ETH_P_ALL))
    # A packet that is missed here leaves its flow too old.
    look.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    send = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    print("ready", flush=True)
    flows = {}  # the two ends, sorted: the time of the last packet, and the next sequence number of each end
    look.settimeout(0.05)
    while True:
        try:
            packet, (_, protocol, *_) = look.recvfrom(65536)
        except TimeoutError:
            packet, protocol = b"", 0
        now = time.monotonic()
        if protocol == ETH_P_IP and len(packet) >= 40 and packet[9] == socket.IPPROTO_TCP:
            head, total = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
            sport, dport, seq, _, offset, flags = struct.unpack_from("!HHIIBB", packet, head)
            source, destination = (packet[12:16], sport), (packet[16:20], dport)
            length = total - head - (offset >> 4) * 4 + bool(flags & (SYN | FIN))
            flow = tuple(sorted((source, destination)))
            if flags & SYN:
                flows[flow] = [now, {}]
            if flow in flows:
                flows[flow][0] = now
                following = (seq + length) & 0xFFFFFFFF
                known = flows[flow][1].get(source, following)
                # A keepalive repeats the byte before the next one.
                flows[flow][1][source] = following if (following - known) & 0x80000000 == 0 else known
                if flags & (FIN | RST):
                    del flows[flow]
        for flow in [flow for flow, (last, _) in flows.items() if now - last > idle]:
            _, following = flows.pop(flow)
            for source, destination in (flow, flow[::-1]):
                send.sendto(reset(source, destination, following.get(source, 0)), (socket.inet_ntoa(destination[0]), 0))


main(sys.argv[1], float(sys.argv[2]))
