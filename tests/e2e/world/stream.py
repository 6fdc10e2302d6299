"""Reads the XML stream of a modular input as it arrives, and is strict about it.

splunkd drops the rest of a stream that is not well-formed without telling anybody; here it becomes an error that
fails the test.
"""
import re
import xml.parsers.expat

_END = b'</stream>'
_CHILDREN = ('time', 'source', 'sourcetype', 'index', 'host', 'data', 'done')
_TIME = re.compile(r'-?\d+(\.\d+)?\Z')


class Event:
    """One `<event>`. Absent children are None; time is text, as written; raw holds its bytes on the wire."""

    __slots__ = ('stanza', 'unbroken', 'time', 'source', 'sourcetype', 'index', 'host', 'data', 'done', 'raw', 'when')

    def __init__(self, stanza, unbroken):
        self.stanza, self.unbroken = stanza, unbroken
        self.time = self.source = self.sourcetype = self.index = self.host = self.raw = self.when = None
        self.data, self.done = '', False

    def __repr__(self):
        return f'<event {self.stanza} time={self.time} {self.data[:120]!r}>'


class StreamReader:
    """Feed it bytes; it calls take(event) for each whole event and keeps what is wrong in .errors.

    After something that is not well-formed it reads no further, as splunkd would not."""

    def __init__(self, take):
        self._take = take
        self.errors, self.streams, self.finished = [], 0, 0
        self._carry = b''
        self._parser, self._lost = None, False
        self._reset()

    def _reset(self):
        self._path, self._event, self._text, self._seen = [], None, [], set()
        self._kept, self._base = bytearray(), 0

    @property
    def unfinished(self):
        """Is an event cut off in the middle?"""
        return self._event is not None

    def feed(self, data):
        """Take the next bytes. A `</stream>` can only be the end tag, as text has its `<` escaped."""
        data = self._carry + data
        self._carry = b''
        while data and not self._lost:
            if self._parser is None:
                data = data.lstrip()
                if not data:
                    return
                self._open()
            piece, end, rest = data.partition(_END)
            if not end:
                keep = _overhang(piece)
                piece, self._carry = piece[:len(piece) - keep], piece[len(piece) - keep:]
            self._parse(piece + end, bool(end))
            data = rest

    def close(self):
        """The pipe has ended: is the stream whole?"""
        if self._carry and not self._lost:
            self._parse(self._carry, False)
        if self._parser is not None and not self._lost:
            self.errors.append('stream ended inside an event' if self.unfinished else 'no </stream> at the end')

    def _open(self):
        self._reset()
        self.streams += 1
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.buffer_text = True
        if hasattr(self._parser, 'SetReparseDeferralEnabled'):
            self._parser.SetReparseDeferralEnabled(False)       # events must not wait for the bytes that follow
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._finish
        self._parser.CharacterDataHandler = self._characters
        for name in ('StartCdataSectionHandler', 'StartDoctypeDeclHandler', 'CommentHandler',
                     'ProcessingInstructionHandler'):
            setattr(self._parser, name, lambda *_, name=name: self._complain(f'{name[:-7]} does not belong here'))
        self._parser.XmlDeclHandler = self._declaration

    def _parse(self, data, last):
        self._kept += data
        try:
            self._parser.Parse(data, last)
        except xml.parsers.expat.ExpatError as problem:
            self._lost = True
            self._complain(f'not well-formed: {problem} near {bytes(self._kept[-200:])!r}')
        if last:
            self._parser = None
            self.finished += 1
        elif self._event is None:
            tag = self._kept.rfind(b'<')        # perhaps the first half of an event's start tag
            self._forget(self._base + (tag if tag >= 0 else len(self._kept)))

    def _forget(self, index):
        del self._kept[:max(0, index - self._base)]
        self._base = max(self._base, index)

    def _complain(self, text):
        self.errors.append(text)

    def _declaration(self, version, encoding, standalone):
        if encoding is not None and encoding.upper() != 'UTF-8':
            self._complain(f'encoding {encoding}')

    def _start(self, name, attributes):
        depth = len(self._path)
        if depth == 0 and name != 'stream' or depth == 1 and name != 'event' or depth > 2:
            self._complain(f'<{name}> inside {"/".join(self._path) or "nothing"}')
        elif depth == 1:
            if not attributes.get('stanza') or set(attributes) - {'stanza', 'unbroken'}:
                self._complain(f'event with attributes {attributes}')
            self._forget(self._parser.CurrentByteIndex)
            self._event, self._seen = Event(attributes.get('stanza'), attributes.get('unbroken') == '1'), set()
        elif depth == 2:
            if name not in _CHILDREN or name in self._seen:
                self._complain(f'<{name}> in an event is unknown or there twice')
            self._seen.add(name)
        self._path.append(name)
        self._text = []

    def _characters(self, text):
        if len(self._path) == 3:
            self._text.append(text)
        elif text.strip():
            self._complain(f'text outside elements: {text[:80]!r}')

    def _finish(self, name):
        self._path.pop()
        if self._event is None:
            return
        if len(self._path) == 2:
            text = ''.join(self._text)
            if name == 'time' and not _TIME.match(text):
                self._complain(f'time {text!r}')
            if name in _CHILDREN:
                setattr(self._event, name, True if name == 'done' else text)
        elif len(self._path) == 1:
            event, self._event = self._event, None
            end = self._kept.find(b'>', self._parser.CurrentByteIndex - self._base) + 1
            event.raw = bytes(self._kept[:end])
            if '\n' in event.data or '\r' in event.data:
                self._complain(f'line end inside the data of {event!r}')
            if event.unbroken and not event.done:
                self._complain(f'unbroken event without <done/>: {event!r}')
            self._take(event)


def _overhang(data):
    """How many bytes at the end might be the beginning of an end tag."""
    for size in range(min(len(_END) - 1, len(data)), 0, -1):
        if _END.startswith(data[-size:]):
            return size
    return 0
