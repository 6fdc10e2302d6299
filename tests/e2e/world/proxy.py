"""A proxy for CONNECT and plain requests, with a password if wanted; for tests that need no squid."""
import asyncio
import base64


class Proxy:
    """connects: ['host:port', ...] that were asked for; refused: how often the password was missing or wrong.
    Names that end in ".localhost" are this machine. places: 'host:port' -> the port of this machine that is it.

    status: answer everything with this status, these headers (lines that end) and HTML instead of working."""

    def __init__(self, loop, user=None, password=None, places=None):
        self._loop, self._wanted, self.places = loop, None, places or {}
        if user is not None:
            self._wanted = 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()
        self.connects, self.refused, self.status, self.headers = [], 0, None, ''
        self._writers = set()

        async def listen():
            return await asyncio.start_server(self._accept, '127.0.0.1', 0)
        self._server = loop.run(listen())
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'

    async def _accept(self, reader, writer):
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _serve(self, reader, writer):
        head = await reader.readuntil(b'\r\n\r\n')
        lines = head.decode('latin-1').split('\r\n')
        method, target, _ = lines[0].split(' ')
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(':') for line in lines[1:-2])}
        self.connects.append(target)
        if self._wanted and headers.get('proxy-authorization') != self._wanted:
            self.refused += 1
            self._say(writer, 407, 'Proxy-Authenticate: Basic realm="test"\r\n')
            return
        if self.status:
            self._say(writer, self.status, self.headers)
            return
        if method == 'CONNECT':
            host, _, port = target.rpartition(':')
            first = b''
        else:
            host, _, port = target.split('/')[2].rpartition(':')
            path = '/' + target.split('/', 3)[3]
            kept = [line for line in lines[1:-2] if not line.lower().startswith(('proxy-', 'connection:'))]
            first = '\r\n'.join([f'{method} {path} HTTP/1.1', *kept, 'Connection: close', '', '']).encode('latin-1')
        await self._join(reader, writer, host.strip('[]'), int(port), first)

    @staticmethod
    def _say(writer, status, more=''):
        page = '<html><body>The proxy says no.</body></html>'
        writer.write(f'HTTP/1.1 {status} Refused\r\n{more}Content-Type: text/html\r\nConnection: close\r\n'
                     f'Content-Length: {len(page)}\r\n\r\n{page}'.encode())

    async def _join(self, reader, writer, host, port, first):
        try:
            if f'{host}:{port}' in self.places:
                host, port = '127.0.0.1', self.places[f'{host}:{port}']
            host = '127.0.0.1' if host.endswith('.localhost') else host
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            self._say(writer, 502)
            return
        self._writers.add(far_writer)
        if first:
            far_writer.write(first)
        else:
            writer.write(b'HTTP/1.1 200 Connection established\r\n\r\n')
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._writers.discard(far_writer)
            far_writer.close()

    def close(self):
        """Stop and drop what is open."""
        async def shut():
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
        self._loop.run(shut())


async def _pump(reader, writer):
    while True:
        data = await reader.read(65536)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
