"""AsyncSSH as a plain SSH server: one key logs in, commands run in the shell, as with sshd."""

import asyncio
import os
import signal
import sys

import asyncssh


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True


async def handle(process):
    child = await asyncio.create_subprocess_exec(
        "/bin/sh", *(["-c", process.command] if process.command else ["-l"]),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    gone = asyncio.create_task(process.wait_closed())
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    ended = asyncio.create_task(child.wait())
    await asyncio.wait({gone, ended}, return_when=asyncio.FIRST_COMPLETED)
    if ended.done():
        await process.stdout.drain()
        process.exit(child.returncode if child.returncode >= 0 else 128 - child.returncode)
    else:
        os.killpg(child.pid, signal.SIGKILL)


async def main(address, port, host_key, authorized_keys):
    server = await asyncssh.listen(
        address, int(port), server_factory=Server, server_host_keys=[host_key],
        authorized_client_keys=authorized_keys, process_factory=handle, encoding=None,
    )
    await server.wait_closed()


asyncio.run(main(*sys.argv[1:]))
