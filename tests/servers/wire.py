"""A wire between two network namespaces, in user space: it delays packets, carries so many bytes a second, and reorders some.

Usage: wire.py CLIENT_NAMESPACE SERVER_NAMESPACE [--delay MS] [--rate BYTES] [--queue PACKETS] [--reorder PERCENT]

The client is 10.77.0.1, the server 10.77.0.2; `--delay` is for each way. Runs until it is killed; needs root.
"""

import argparse
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000


def end(namespace, address, peer):
    """Opens a TUN device, whose other end has this address in a namespace."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    name = f"wire{os.getpid() % 10000}{address[-1]}"
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    ip("link", "set", name, "netns", namespace)
    ip("-n", namespace, "addr", "add", address, "peer", peer, "dev", name)
    ip("-n", namespace, "link", "set", name, "mtu", "1500", "txqueuelen", "2000", "up")
    ip("-n", namespace, "link", "set", "lo", "up")
    return device


def main():
    options = argparse.ArgumentParser()
    options.add_argument("client")
    options.add_argument("server")
    options.add_argument("--delay", type=float, default=0.0)
    options.add_argument("--rate", type=float, default=0.0)
    options.add_argument("--queue", type=int, default=100)
    options.add_argument("--reorder", type=float, default=0.0)
    options = options.parse_args()
    client = end(options.client, "10.77.0.1", "10.77.0.2")
    server = end(options.server, "10.77.0.2", "10.77.0.1")
    other = {client: server, server: client}
    free, waiting, due, number = dict.fromkeys(other, 0.0), dict.fromkeys(other, 0), [], 0
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, _, to, packet, source = heapq.heappop(due)
            waiting[source] -= 1
            try:
                os.write(to, packet)
            except OSError:
                pass
        wait = max(due[0][0] - now, 0.0) if due else None
        for source in select.select([client, server], [], [], wait)[0]:
            try:
                packet = os.read(source, 2048)
            except BlockingIOError:
                continue
            now = time.monotonic()
            at = now + options.delay / 1000
            if options.rate:
                if waiting[source] >= options.queue:
                    continue
                free[source] = max(free[source], now) + len(packet) / options.rate
                at = free[source] + options.delay / 1000
            if random.random() * 100 < options.reorder:
                at += 0.004
            waiting[source] += 1
            number += 1
            heapq.heappush(due, (at, number, other[source], packet, source))


if __name__ == "__main__":
    main()
