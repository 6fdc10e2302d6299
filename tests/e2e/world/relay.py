"""A TCP relay in front of a service, which can die without a word: a tunnel that is gone, a forgotten NAT entry."""
import asyncio


class Relay:
    """Forwards each connection to a port on loopback.

    freeze(): nothing passes on the connections that are open, in either direction, and none of them is closed; new
    connections work. Stands in for the service when put in front of it: Relay(loop, service.port).port."""

    def __init__(self, loop, target):
        self._loop, self._target = loop, target
        self._links, self.accepted = [], 0

        async def listen():
            return await asyncio.start_server(self._accept, '127.0.0.1', 0, backlog=1024)
        self._server = loop.run(listen())
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader, writer):
        self.accepted += 1
        link = _Link(reader, writer)
        self._links.append(link)
        try:
            await link.run(self._target)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._links.remove(link)

    def freeze(self):
        """Kill the open connections silently."""
        async def stop():
            for link in self._links:
                link.frozen = True
        self._loop.run(stop())

    def drop(self):
        """Reset the open connections; new ones work."""
        async def drop():
            for link in list(self._links):
                link.abort()
        self._loop.run(drop())

    open = property(lambda self: len(self._links))

    def close(self):
        """Stop and drop what is open."""
        async def shut():
            self._server.close()
            for link in list(self._links):
                link.abort()
        self._loop.run(shut())


class _Link:

    def __init__(self, reader, writer):
        self.reader, self.writer, self.frozen = reader, writer, False
        self.far_writer = None

    async def run(self, target):
        far_reader, self.far_writer = await asyncio.open_connection('127.0.0.1', target)
        try:
            await asyncio.gather(self._pump(self.reader, self.far_writer), self._pump(far_reader, self.writer))
        finally:
            self.writer.close()
            self.far_writer.close()

    async def _pump(self, reader, writer):
        while True:
            data = await reader.read(65536)
            if self.frozen:             # what comes is swallowed; the peer's end ends nothing on the other side
                if data:
                    continue
                await asyncio.get_running_loop().create_future()
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    def abort(self):
        for writer in (self.writer, self.far_writer):
            if writer:
                writer.transport.abort()
