"""asyncssh with its log at DEBUG."""

import asyncio
import logging
import os
import sys

import asyncssh

host, port, user, key, known_hosts, command = sys.argv[1:7]
logging.basicConfig(level="DEBUG", format="%(asctime)s %(name)s %(levelname)s %(message)s")
logging.getLogger("asyncio").setLevel("WARNING")
asyncssh.set_debug_level(2)


async def main():
    options = {"client_keys": [key] if key != "-" else None, "agent_path": None, "known_hosts": known_hosts}
    async with asyncssh.connect(
        host, int(port), username=user, password=os.environ.get("PASSWORD"), config=None, connect_timeout=5,
        login_timeout=8, keepalive_interval=int(os.environ.get("KEEPALIVE", "0")), **options
    ) as connection:
        if command == "sftp":
            async with connection.start_sftp_client() as sftp:
                print(await sftp.listdir("/"))
        elif command.startswith("forward "):
            where, there = command.split()[1].rsplit(":", 1)
            reader, _ = await connection.open_connection(where, int(there))
            print(await reader.read(64))
        else:
            print(await asyncio.wait_for(connection.run(command), float(os.environ.get("WAIT", "10"))))


asyncio.run(main())
