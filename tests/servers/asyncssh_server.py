"""AsyncSSH as a plain SSH server: one key logs in, commands run in the shell, as with sshd.

With a number of seconds as the next argument it disconnects clients that were silent for so long, and says so; with
`channels-first` after that it closes their channels before, as AsyncSSH itself does. In that place also: with `never-rekeys` it leaves
a client's wish for new keys unanswered; with `no-global-requests` it knows none (SSH_MSG_UNIMPLEMENTED); with `no-terminals` it ends a
connection where it cannot start what is to run on a terminal; with `text-only` it takes input as UTF-8 alone, as
AsyncSSH does by default; with `collects-output` it shows the output of a command at its end, and gives it no end of its input, as a callback
of Node.js's `exec` does; with `commands-end-first` it ends one where a channel is closed whose command
still runs, as AsyncSSH does where commands are redirected to pipes of asyncio.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys

import asyncssh
from asyncssh.constants import MSG_DISCONNECT, MSG_GLOBAL_REQUEST, MSG_KEXINIT
from asyncssh.packet import String, UInt32


class Server(asyncssh.SSHServer):
    def __init__(self, idle, channels_first):
        self.idle, self.channels_first = idle, channels_first

    def begin_auth(self, username):
        return True

    def connection_made(self, conn):
        if self.idle:
            watch(conn, self.idle, self.channels_first)


def watch(conn, idle, channels_first):
    loop, received = asyncio.get_running_loop(), conn.data_received
    timer, code, reason = None, asyncssh.DISC_BY_APPLICATION, "idle for too long"

    def end():
        if channels_first:
            conn.disconnect(code, reason)
        else:
            conn.send_packet(MSG_DISCONNECT, UInt32(code), String(reason), String("en"))
            conn.abort()

    def wind():
        nonlocal timer
        if timer:
            timer.cancel()
        timer = loop.call_later(idle, end)

    def data_received(data, datatype=None):
        wind()
        received(data, datatype)

    conn.data_received = data_received
    wind()


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


def never_rekey():
    handlers = asyncssh.connection.SSHConnection._packet_handlers
    first = handlers[MSG_KEXINIT]

    def unless_keys_are_agreed_on(conn, pkttype, pktid, packet):
        if not conn._session_id:
            return first(conn, pkttype, pktid, packet)

    handlers[MSG_KEXINIT] = unless_keys_are_agreed_on


async def handle_to_the_end(process):
    """Ends the connection where a command has not ended by itself."""
    connection = process.channel.get_connection()
    running = asyncio.create_task(handle(process))
    closed = asyncio.create_task(process.wait_closed())
    await asyncio.wait({running, closed}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        connection.abort()
    await running


async def handle_text(process):
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec("/bin/sh", "-c", process.command, stdin=pipe, stdout=pipe, stderr=pipe)
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    status = await child.wait()
    await process.stdout.drain()
    process.exit(status)


async def handle_collecting(process):
    pipe = asyncio.subprocess.PIPE
    unread, held = os.pipe()
    child = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", process.command or "", stdin=unread, stdout=pipe, stderr=pipe, start_new_session=True
    )
    os.close(unread)
    closed = asyncio.create_task(process.wait_closed())
    ended = asyncio.create_task(child.communicate())
    await asyncio.wait({ended, closed}, return_when=asyncio.FIRST_COMPLETED)
    if closed.done():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    output, errors = await ended
    os.close(held)
    if not closed.done():
        process.stdout.write(output)
        process.stderr.write(errors)
        process.exit(child.returncode)


async def handle_without_terminal(process):
    if process.get_terminal_type():
        process.channel.get_connection().disconnect(asyncssh.DISC_BY_APPLICATION, "cannot start it")
    else:
        await handle(process)


async def main(address, port, host_key, authorized_keys, idle=0, order=None, server_factory=None, **more):
    if order == "never-rekeys":
        never_rekey()
    if order == "no-global-requests":
        del asyncssh.connection.SSHConnection._packet_handlers[MSG_GLOBAL_REQUEST]
    starts = {
        "no-terminals": handle_without_terminal,
        "commands-end-first": handle_to_the_end,
        "text-only": handle_text,
        "collects-output": handle_collecting,
    }
    start = starts.get(order, handle)
    more["encoding"] = "utf-8" if order == "text-only" else None
    server = await asyncssh.listen(
        address, int(port), server_host_keys=[host_key],
        server_factory=server_factory or (lambda: Server(float(idle), order == "channels-first")),
        authorized_client_keys=authorized_keys, process_factory=start, **more,
    )
    await server.wait_closed()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(*sys.argv[1:]))
