"""One HTTP/2 connection of a service (httpd.py), which can leave streams silent and say goodbye at any moment.

Needs the package h2 (Debian: python3-h2). The frames are made by it; when they are sent is decided here."""
import asyncio

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
from hyperframe.frame import GoAwayFrame, PingFrame

_CHUNK = 16384
_NOT_IN_HTTP2 = ('connection', 'transfer-encoding', 'keep-alive')


class Http2Connection:
    """The counterpart of httpd.Connection. goaway(): announce the end; streams above `last` are not answered."""

    def __init__(self, service, number, reader, writer, make_request, abort):
        self.service, self.number, self.reader, self.writer = service, number, reader, writer
        self.requests, self.last_stream, self.frozen = 0, 0, False
        self._make_request, self._last_served, self._abort = make_request, None, abort
        self._session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False,
                                                                              header_encoding='utf-8'))
        self._open, self._tasks = {}, {}            # stream: (headers, body); stream: task that answers
        self._room, self._draining = asyncio.Event(), asyncio.Lock()

    async def serve(self):
        """Until the connection ends."""
        self._session.initiate_connection()
        await self._flush()
        try:
            while True:
                data = await self.reader.read(65536)
                if not data:
                    return
                for event in self._session.receive_data(data):
                    self._handle(event)
                await self._flush()
        except h2.exceptions.ProtocolError:
            await self._flush()
        finally:
            for task in self._tasks.values():
                task.cancel()

    def _handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self._open[event.stream_id] = (dict(event.headers), bytearray())
            self.last_stream = event.stream_id
        elif isinstance(event, h2.events.DataReceived):
            self._open[event.stream_id][1].extend(event.data)
            self._session.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self._tasks[event.stream_id] = asyncio.ensure_future(self._answer(event.stream_id))
        elif isinstance(event, h2.events.StreamReset):
            task = self._tasks.get(event.stream_id)
            if task:
                task.cancel()
        elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            self._room.set()

    async def _answer(self, stream):
        headers, body = self._open.pop(stream)
        try:
            if self._last_served is not None and stream > self._last_served:
                return
            headers['host'] = headers.get(':authority', '')
            request = self._make_request(self.service, self, headers[':method'], headers[':path'], headers, bytes(body))
            request.stream = stream
            await self.service.exchange(self, request)
        except (OSError, asyncio.CancelledError, h2.exceptions.ProtocolError):
            pass
        finally:
            self._tasks.pop(stream, None)

    async def send(self, request, response):
        """Put an answer on its stream; the same ways to fail as over HTTP/1.1, but for the stream alone."""
        stream = request.stream
        if response.delay:
            await asyncio.sleep(response.delay)
        while response.hold and not response.hold.is_set():
            await asyncio.sleep(0.01)
        if self.frozen:
            return await self.service.swallow(self, request)
        if response.silent:
            return await self.say_nothing()
        response.chunked = False
        head, body = self.service.encode(request, response)
        if response.cut is not None:
            body = body[:int(len(body) * response.cut) if isinstance(response.cut, float) else response.cut]
        broken = response.cut is not None or response.reset
        if response.raw is None:
            self._session.send_headers(stream, _pairs(head))
            await self._flush()
            await self._send_body(stream, body, response.trickle)
        if broken or response.raw is not None:
            self._session.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        else:
            self._session.end_stream(stream)
        await self._flush()
        if response.whole and response.on_sent and not self.frozen:
            response.on_sent()
        if response.close:
            self.goaway()
        return True

    async def say_nothing(self):
        """Until the client gives up."""
        await asyncio.get_running_loop().create_future()

    async def _send_body(self, stream, body, trickle):
        size, pause = trickle or (_CHUNK, 0)
        at = 0
        while at < len(body):
            room = min(self._session.local_flow_control_window(stream), size, _CHUNK, len(body) - at)
            if room <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            self._session.send_data(stream, body[at:at + room])
            at += room
            await self._flush()
            if pause:
                await asyncio.sleep(pause)

    async def _flush(self):
        data = self._session.data_to_send()
        if data and not self.frozen:
            self.writer.write(data)
        async with self._draining:
            await self.writer.drain()

    def goaway(self, last=None, code=0, end=False):
        """Send GOAWAY; with `end`, close the connection after it. last: the last stream that is answered (None: all
        that have come). To be called in the loop."""
        self._last_served = self.last_stream if last is None else last
        frame = GoAwayFrame(0)
        frame.last_stream_id, frame.error_code = self._last_served, code
        for stream, task in list(self._tasks.items()):
            if stream > self._last_served:
                task.cancel()
        self.writer.write(frame.serialize())
        if end:
            self.writer.close()

    def abort(self):
        """End the connection with RST."""
        self._abort(self.writer)

    def ping(self):
        """Send a PING: a sign of life that belongs to no stream. To be called in the loop."""
        frame = PingFrame(0)
        frame.opaque_data = b'are you?'
        self.writer.write(frame.serialize())


def _pairs(head):
    """The status line and headers of HTTP/1.1, as HTTP/2 has them."""
    lines = head.decode('latin-1').split('\r\n')[:-2]
    pairs = [(':status', lines[0].split(' ')[1])]
    for line in lines[1:]:
        name, _, value = line.partition(':')
        if name.lower() not in _NOT_IN_HTTP2:
            pairs.append((name.lower(), value.strip()))
    return pairs
