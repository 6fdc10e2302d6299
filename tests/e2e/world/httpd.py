"""A small HTTP/1.1 server that can misbehave on purpose; it speaks HTTP/2 if asked to (http2.py).

http.server cannot break a connection in the middle of a body, count connections or hold a thousand of them open, so
the wire is handled here. All servers of a test share one thread with one event loop; handlers are plain functions
that run in it and must not wait.
"""
import asyncio
import base64
import collections
import http
import socket
import struct
import threading
import time
import traceback
import zlib
from urllib.parse import parse_qsl

_HEAD_LIMIT = 256 * 1024
_GZIP_BITS = 31         # zlib's way to ask for a gzip header
_GZIP_FROM = 1024       # below this size compressing makes the body longer


class Loop:
    """The event loop thread that all servers of a world share."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda loop, context: None)    # broken handshakes are part of the tests
        self._thread = threading.Thread(target=self._loop.run_forever, name='world-loop', daemon=True)
        self._thread.start()

    def run(self, coroutine, timeout=30):
        """Run a coroutine in the loop and wait for what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    def close(self):
        """Cancel what still runs and end the thread."""
        async def cancel():
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
        self.run(cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


class Request:
    """One request as it was read. `kind` and `tenant` are filled in by the service, for fault rules and the log."""

    def __init__(self, service, connection, method, target, headers, body):
        self.service, self.connection = service, connection
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path, _, self.query = target.partition('?')
        self.kind = self.tenant = None
        self.when = time.time()

    @property
    def args(self):
        """Query parameters, decoded; the last one wins."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self):
        """Form parameters of the body, decoded."""
        return dict(parse_qsl(self.body.decode('utf-8', 'replace'), keep_blank_values=True))

    @property
    def base(self):
        """Scheme and authority by which the client called us."""
        return f"{self.service.scheme}://{self.headers.get('host', self.service.authority)}"

    def basic_auth(self, header='authorization'):
        """(user, password) of Basic authentication, or None."""
        kind, _, value = self.headers.get(header, '').partition(' ')
        if kind.lower() != 'basic':
            return None
        user, _, password = base64.b64decode(value).decode().partition(':')
        return user, password


class Response:
    """An answer, and how it goes over the wire when that is to go wrong.

    delay: seconds before the first byte. hold: a threading.Event that it waits for as well. cut: send only this many
    bytes of the encoded body (a float below 1: that part of it) and end the connection. reset: end with RST. trickle:
    (bytes, seconds) between pieces. silent: never answer. length: a false Content-Length. chunked, compress: override
    what the service does. raw: bytes to send in place of head and body. close: announced end of the connection after
    it; drop: unannounced."""

    def __init__(self, status=200, body=b'', headers=(), kind='application/json'):
        self.status, self.body, self.headers, self.kind = status, body, dict(headers), kind
        self.delay, self.cut, self.reset, self.trickle, self.silent = 0, None, False, None, False
        self.hold = None
        self.length = self.chunked = self.compress = self.raw = None
        self.close = self.drop = False
        self.items = self.versions = None       # how many alerts the page holds, and which
        self.on_sent = None         # called when every byte was handed over undamaged

    @property
    def whole(self):
        """Will the client get all of it?"""
        return self.cut is None and not self.reset and not self.silent and self.length is None and self.raw is None

    def headed(self, name):
        """Is the header set, in whatever case?"""
        return any(key.lower() == name for key in self.headers)


Entry = collections.namedtuple('Entry', 'when tenant service kind method path query status headers connection seconds')
Entry.__doc__ = """A line of the request log. status is None for a request that got no (complete) answer."""
Entry.client_request_id = property(lambda entry: entry.headers.get('client-request-id'))
Entry.user_agent = property(lambda entry: entry.headers.get('user-agent'))


class _Gone(Exception):
    """The client left, or sent what is not HTTP."""


class Connection:
    """One accepted connection."""

    def __init__(self, service, number, reader, writer):
        self.service, self.number, self.reader, self.writer = service, number, reader, writer
        self.requests, self.frozen = 0, False

    async def serve(self):
        """Until the connection ends."""
        while await self.service.exchange(self, await self.read_request()):
            pass

    async def read_request(self):
        """The next request; raises _Gone at the end of the connection."""
        try:
            head = await self.reader.readuntil(b'\r\n\r\n')
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as problem:
            raise _Gone from problem
        lines = head.decode('latin-1').split('\r\n')
        parts = lines[0].split(' ')
        if len(parts) != 3:
            raise _Gone
        headers = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(':')
            headers[name.strip().lower()] = value.strip()
        if headers.get('expect', '').lower() == '100-continue':
            self.writer.write(b'HTTP/1.1 100 Continue\r\n\r\n')
        return Request(self.service, self, parts[0], parts[1], headers, await self._read_body(headers))

    async def _read_body(self, headers):
        try:
            if 'chunked' not in headers.get('transfer-encoding', '').lower():
                return await self.reader.readexactly(int(headers.get('content-length', 0)))
            body = b''
            while True:
                size = int((await self.reader.readline()).split(b';')[0], 16)
                body += (await self.reader.readexactly(size + 2))[:-2]
                if not size:
                    return body
        except (asyncio.IncompleteReadError, ValueError, OSError) as problem:
            raise _Gone from problem

    async def send(self, request, response):
        """Put an answer on the wire. True when the connection can serve another request."""
        if response.delay:
            await asyncio.sleep(response.delay)
        while response.hold and not response.hold.is_set():
            await asyncio.sleep(0.01)
        if self.frozen:
            return await self.service.swallow(self, request)
        if response.silent:
            return await self.say_nothing()
        head, body = self.service.encode(request, response)
        if response.cut is not None:
            keep = int(len(body) * response.cut) if isinstance(response.cut, float) else response.cut
            body = body[:keep]
        await self._write(response.raw if response.raw is not None else head + body, response.trickle)
        if response.reset:
            self.abort()
        elif response.whole and response.on_sent and not self.frozen:
            response.on_sent()
        ends = response.close or response.drop or request.headers.get('connection', '').lower() == 'close'
        return response.whole and not ends

    async def say_nothing(self):
        """Until the client gives up."""
        while await self.reader.read(65536):
            pass
        return False

    async def _write(self, data, trickle):
        size, pause = trickle or (len(data) or 1, 0)
        for start in range(0, len(data), size):
            self.writer.write(data[start:start + size])
            await self.writer.drain()
            if pause:
                await asyncio.sleep(pause)

    def abort(self):
        """End with RST, so that the peer sees "connection reset" and not an orderly end."""
        reset(self.writer)


def reset(writer):
    """End a connection with RST."""
    if writer.is_closing():         # its transport may be gone already
        return
    link = writer.get_extra_info('socket')
    if link is not None:
        try:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        except OSError:
            pass
    writer.transport.abort()


class Service:
    """One listening port. `handler(request)` returns a Response; `identify(request)` may set kind and tenant first.

    stop() and start() keep the port, so that "connection refused" and a service that comes back are both possible.
    threaded: run handlers off the loop, for those that wait for something the loop itself has to serve.
    http2: offer it to clients; needs a pair and the package h2.
    """

    def __init__(self, loop, name, handler, pair=None, clock=None, faults=None, identify=None, host='127.0.0.1',
                 threaded=False, http2=False):
        self.loop, self.name, self._handler, self._identify = loop, name, handler, identify
        self.clock, self.faults, self.host, self.pair, self.port = clock, faults, host, pair, 0
        self.threaded, self.http2, self.gzip, self.date = threaded, http2, True, True
        self.chunked = self.keep_alive = False
        self.requests_per_connection = None     # close after so many, as load balancers do
        self.connections, self.accepted, self.most_open, self.active, self.most_active = set(), 0, 0, 0, 0
        self.log, self.crashes = collections.deque(), []
        # on_silent: called with each request that a frozen connection swallows. forwarder: whose door it is, if any.
        self.on_silent = self.forwarder = None
        self._server = None
        self.start()

    @property
    def scheme(self):
        return 'https' if self.pair else 'http'

    @property
    def authority(self):
        return f'[{self.host}]:{self.port}' if ':' in self.host else f'{self.host}:{self.port}'

    @property
    def url(self):
        """Base address without a path."""
        return f'{self.scheme}://{self.authority}'

    def twin(self):
        """The same at another port."""
        return Service(self.loop, self.name, self._handler, self.pair, self.clock, self.faults, self._identify,
                       self.host, self.threaded, self.http2)

    def start(self, pair=None):
        """Listen (again), if need be with another certificate."""
        self.pair = pair or self.pair

        async def listen():
            context = self.pair.server_context() if self.pair else None
            if context and self.http2:
                context.set_alpn_protocols(['h2', 'http/1.1'])
            return await asyncio.start_server(self._accept, self.host, self.port, ssl=context, limit=_HEAD_LIMIT,
                                              backlog=1024)
        self._server = self.loop.run(listen())
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self, drop=True):
        """Refuse new connections; `drop` also resets the open ones."""
        async def shut():
            if self._server:
                self._server.close()
            if drop:
                for connection in list(self.connections):
                    connection.abort()
        self.loop.run(shut())
        self._server = None

    def drop(self):
        """Reset the open connections; new ones are taken."""
        async def reset():
            for connection in list(self.connections):
                connection.abort()
        self.loop.run(reset())

    def freeze(self):
        """Kill the open connections silently: they stay open and carry nothing any more; new ones work."""
        async def freeze():
            for connection in list(self.connections):
                connection.frozen = True
        self.loop.run(freeze())

    async def swallow(self, connection, request):
        """A request on a frozen connection: nobody takes it, nobody answers."""
        if self._identify and request.kind is None:
            self._identify(request)
        if self.on_silent:
            self.on_silent(request)
        return await connection.say_nothing()

    def restart(self, pair=None):
        """Drop everything and listen anew on the same port, e.g. with an expired certificate."""
        self.stop()
        self.start(pair)

    async def _accept(self, reader, writer):
        self.accepted += 1
        connection = self._connection(reader, writer)
        self.connections.add(connection)
        self.most_open = max(self.most_open, len(self.connections))
        try:
            await connection.serve()
        except (_Gone, OSError, asyncio.CancelledError):
            pass
        finally:
            self.connections.discard(connection)
            writer.close()

    def _connection(self, reader, writer):
        link = writer.get_extra_info('ssl_object')
        if link and link.selected_alpn_protocol() == 'h2':
            # Only tests that ask for it need the package.
            from .http2 import Http2Connection  # noqa: PLC0415
            return Http2Connection(self, self.accepted, reader, writer, Request, reset)
        return Connection(self, self.accepted, reader, writer)

    async def exchange(self, connection, request):
        """Answer one request. True when the connection can serve another one."""
        if connection.frozen:
            return await self.swallow(connection, request)
        connection.requests += 1
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        response, began, status = None, time.monotonic(), None
        try:
            if self.threaded:
                response = await asyncio.get_running_loop().run_in_executor(None, self._respond, request)
            else:
                response = self._respond(request)
            if self.requests_per_connection and connection.requests >= self.requests_per_connection:
                response.close = True
            again = await connection.send(request, response)
            status = response.status if response.whole else None
            return again
        finally:
            self.active -= 1
            self.log.append(Entry(request.when, request.tenant, self.name, request.kind, request.method, request.path,
                                  request.query, status, request.headers, connection.number,
                                  time.monotonic() - began))

    def _respond(self, request):
        try:
            if self._identify:
                self._identify(request)
            if self.faults:
                return self.faults.apply(request, lambda: self._handler(request))
            return self._handler(request)
        except Exception:                       # a bug in a stand-in must be seen, not look like a fault
            self.crashes.append(traceback.format_exc())
            return Response(500, b'stand-in broke down', kind='text/plain')

    def encode(self, request, response):
        """(head, body) as they go out."""
        body = response.body
        lines = [f'HTTP/1.1 {response.status} {_reason(response.status)}']
        if response.kind and not response.headed('content-type'):
            lines.append(f'Content-Type: {response.kind}')
        if self.date and self.clock and not response.headed('date'):
            lines.append(f'Date: {self.clock.http_date()}')
        compress = self.gzip and len(body) >= _GZIP_FROM if response.compress is None else response.compress
        if compress and 'gzip' in request.headers.get('accept-encoding', ''):
            packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP_BITS)
            body = packer.compress(body) + packer.flush()
            lines.append('Content-Encoding: gzip')
        if self.chunked if response.chunked is None else response.chunked:
            body = _chunks(body)
            lines.append('Transfer-Encoding: chunked')
        elif not response.headed('content-length'):
            lines.append(f'Content-Length: {len(body) if response.length is None else response.length}')
        lines += [f'{name}: {value}' for name, value in response.headers.items()]
        if response.close or request.headers.get('connection', '').lower() == 'close':
            lines.append('Connection: close')
        elif self.keep_alive:       # said although it is the rule in HTTP/1.1, as splunkd does
            lines.append('Connection: Keep-Alive')
        head = '\r\n'.join(lines) + '\r\n\r\n'
        return head.encode('latin-1'), b'' if request.method == 'HEAD' else body


def _chunks(body, size=16384):
    """The body in chunked coding; more than one chunk as soon as there are two bytes."""
    size = min(size, max(1, (len(body) + 1) // 2))
    pieces = [b'%x\r\n%s\r\n' % (len(piece), piece)
              for piece in (body[start:start + size] for start in range(0, len(body), size))]
    return b''.join(pieces) + b'0\r\n\r\n'


def _reason(status):
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return 'Unknown'
