"""AsyncSSH as a plain SSH server: one key logs in, commands run in the shell, as with sshd."""

import asyncio
import contextlib
import logging
import os
import signal
import sys

import asyncssh


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True


async def pump(reader, writer):
    try:
        while data := await reader.read(32768):
            writer.write(data)
            await writer.drain()
    except (OSError, asyncssh.Error):
        pass  # either side is gone; the child's end or the channel's settles the rest


async def feed(process, child):
    await pump(process.stdin, child.stdin)
    child.stdin.close()


async def handle(process):
    shell = ["-c", process.command] if process.command else ["-l"]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        "/bin/sh", *shell, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    feeder = asyncio.create_task(feed(process, child))
    outputs = asyncio.gather(pump(child.stdout, process.stdout), pump(child.stderr, process.stderr))
    closed = asyncio.create_task(process.wait_closed())
    await asyncio.wait({outputs, closed}, return_when=asyncio.FIRST_COMPLETED)
    if closed.done():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    await outputs
    status = await child.wait()
    feeder.cancel()
    closed.cancel()
    process.exit(status if status >= 0 else 128 - status)


async def main(address, port, host_key, authorized_keys, server_factory=Server):
    server = await asyncssh.listen(
        address, int(port), server_factory=server_factory, server_host_keys=[host_key],
        authorized_client_keys=authorized_keys, process_factory=handle, encoding=None,
    )
    await server.wait_closed()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(*sys.argv[1:]))
