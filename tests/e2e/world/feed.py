"""The alerts of one tenant at one API, as the service shows them at any moment.

What is published becomes visible when it is due, not before; an update takes the place of what it updates. Nothing
is ever forgotten here, so the ledger can tell what a reader should have seen.
"""
import bisect
import hashlib
import heapq
import json
import threading

from . import jsonnorm
from . import ticks as ticks_
from .generate import spread_ticks

UPDATE_FIELD = {'graph': 'lastUpdateDateTime', 'incidents': 'lastUpdateDateTime', 'endpoint': 'lastUpdateTime',
                'siem': 'LastProcessedTimeUtc'}
ID_FIELD = {'graph': 'id', 'incidents': 'id', 'endpoint': 'id', 'siem': None}


def digest(data):
    """A short name for bytes, so that long runs need not keep every text twice."""
    return hashlib.blake2b(data, digest_size=16).digest()


class Version:
    """One state of one alert.

    raw: what the service sends. text: what a `<data>` must hold. key: what an update replaces (None: nothing).
    ticks: where it stands in time; timed: whether the record itself says so. readable: False for a record that is
    no JSON and must come out as such, or not at all. due: steady seconds at which it becomes visible; gone: at which
    an update hid it. served: how often it left the service in an undamaged answer."""

    __slots__ = ('feed', 'number', 'key', 'ticks', 'timed', 'raw', 'text', 'replaced', 'readable', 'due', 'gone',
                 'served', 'created', 'digest', '_fields', '_spread', '_bare')

    def __init__(self, feed, number, key, ticks, raw, timed, readable, due):
        self.feed, self.number, self.key, self.ticks, self.raw = feed, number, key, ticks, raw
        self.timed, self.readable, self.due, self.gone, self.served = timed, readable, due, None, 0
        self.text, self.replaced = jsonnorm.as_xml_text(jsonnorm.strip(raw))
        self.digest = digest(self.text.encode())
        self.created = ticks
        self._fields = self._spread = self._bare = None

    @property
    def fields(self):
        """The record as parsed JSON; {} when it is none."""
        if self._fields is None:
            try:
                self._fields = json.loads(self.raw.decode('utf-8', 'replace'))
            except ValueError:
                self._fields = {}
        return self._fields

    def property(self, name, as_time=False):
        """A member for comparisons; times as ticks."""
        value = self.fields.get(name)
        if as_time and isinstance(value, str):
            try:
                return ticks_.parse(value)
            except ValueError:
                return None
        return value

    def bytes(self, pretty=False, bare=False):
        """The record as it is sent: pretty-printed, or bare of its evidence, on demand."""
        if bare:
            if self._bare is None:
                self._bare = jsonnorm.replace_member(self.raw, b'evidence', b'[]')
            return jsonnorm.spread(self._bare) if pretty else self._bare
        if pretty:
            if self._spread is None:
                self._spread = jsonnorm.spread(self.raw)
            return self._spread
        return self.raw

    def selected(self, names):
        """The record with these members only."""
        return json.dumps({name: self.fields[name] for name in names if name in self.fields}).encode()

    def __repr__(self):
        return (f'<{self.feed.tenant.name}/{self.feed.api} #{self.number} id={self.key} {ticks_.iso(self.ticks)} '
                f'served={self.served}{" superseded" if self.gone is not None else ""}>')


class Quirks:
    """How a service behaves where the documentation leaves it open, or where it is known to misbehave.

    order: 'newest' (by update), 'created' (newest creation first), 'oldest', 'shuffled' (stable), 'chaos' (anew each
    time). orderby: 'accept', 'refuse' (400), 'ignore', or a claim that is not kept: 'created' sorts by another field,
    'shards' sorts each of three parts, 'page' sorts what it sends. count: False: no @odata.count; miscounts is added to
    it. skip: False: 400 to $skip. select: 'accept', 'refuse' (400) or 'ignore'. drops: keys of alerts that are left out
    of pages although they are counted. doubles: a page that is not the last one has a record twice, in place of another
    one. page_cap: pages end earlier than $top asked. empty_first: so many empty pages with a link come before the first
    real one. repeat_link: the next link leads to the same page for ever. foreign_link: base address of another host put
    into next links. pretty: white space between tokens. since_included, until_included: bounds of the exporter.
    expand_fails: $expand=alerts answers 500. corrupt_link: the Endpoint API sends a link that has lost the filter.
    trailing_link: a page that is not full has a link, too, which leads to an empty page. relative_link: what is left
    out of a link's address: 'scheme', 'host', 'folder' or 'path'. grain: the bounds of a filter are cut to so many
    ticks."""

    def __init__(self, **changes):
        self.order, self.orderby, self.count, self.miscounts, self.skip = 'newest', 'accept', True, 0, True
        self.select, self.drops = 'accept', ()
        self.doubles = False
        self.page_cap, self.empty_first, self.repeat_link, self.foreign_link = None, 0, False, None
        self.pretty = self.expand_fails = self.corrupt_link = self.trailing_link = False
        self.relative_link, self.grain = None, 1
        self.since_included = self.until_included = True
        self.set(**changes)

    def set(self, **changes):
        """Change some; unknown names are an error."""
        for name, value in changes.items():
            if not hasattr(self, name):
                raise AttributeError(name)
            setattr(self, name, value)


class Feed:
    """All versions of one tenant and API, and the index of those on show, sorted by update time."""

    def __init__(self, tenant, api, clock, maker=None):
        self.tenant, self.api, self.clock, self.maker = tenant, api, clock, maker
        self.quirks = Quirks()
        self.damaged = False    # a test puts records that are no JSON into its answers
        self.versions, self.by_digest, self.by_folded = [], {}, {}
        self._shown, self._pending, self._latest, self._created = [], [], {}, {}
        self._lock = threading.RLock()

    def is_damaged(self):
        """May an event say that a record of it cannot be read?"""
        return self.damaged or any(not version.readable for version in self.versions)

    def add(self, raw, ticks=None, key=None, late=0.0, readable=True):
        """Publish a record as these bytes; id and update time are read from it unless given.

        late: seconds until it becomes visible. readable=False: it is no JSON and must not come out as an alert."""
        fields = _parsed(raw) if readable else {}
        said = _said_ticks(fields.get(UPDATE_FIELD[self.api]))
        name = ID_FIELD[self.api]
        if key is None and name and isinstance(fields.get(name), str):
            key = fields[name]
        if ticks is None:
            ticks = said if said is not None else ticks_.from_seconds(self.clock.now())
        with self._lock:
            version = Version(self, len(self.versions), key, ticks, raw, said is not None, readable,
                              self.clock.steady() + late)
            version.created = self._created.setdefault(key, ticks) if key else ticks
            self.versions.append(version)
            same = self.by_digest.setdefault(version.digest, version)
            if version.replaced and same is version:
                self.by_folded[digest(jsonnorm.fold_replaced(version.text).encode())] = version
            heapq.heappush(self._pending, (version.due, version.number, version))
        return version

    def publish(self, count=1, ticks=None, late=0.0, span_s=None, **how):
        """Publish new made-up alerts (keywords as in generate.Maker.alert); returns their versions.

        ticks: update time of all of them; preset now, cut to a random number of digits. span_s: update times anywhere
        within so many seconds before that, for a past that a new input has to fetch."""
        moments = [self._time(ticks) for _ in range(count)]
        if span_s:
            start = moments[0] - span_s * ticks_.PER_SECOND
            moments = [spread_ticks(self.maker.rng, start, span_s) for _ in moments]
        return [self.add(self.maker.alert(moment, **how), late=late) for moment in moments]

    def update(self, version, ticks=None, late=0.0, **how):
        """Publish a later state of an alert: same id, new update time (preset: now, but later than that of version).

        The same id and time would be the same version for any reader, and both cut to whole seconds can be the same."""
        if version.key is None:
            raise ValueError('this API has no updates, only further records')
        if ticks is None:
            ticks = max(self._time(None), version.ticks + 1)
        raw = self.maker.alert(ticks, identity=version.key, state=version.number + 1, **how)
        return self.add(raw, late=late)

    def _time(self, ticks):
        if ticks is not None:
            return ticks
        grain = 10 ** self.maker.rng.randrange(8)
        return ticks_.from_seconds(self.clock.now()) // grain * grain

    def latest(self, key):
        """The version on show of the record with this id, or None."""
        with self._lock:
            self.settle()
            return self._latest.get(key)

    def settle(self):
        """Let everything that is due appear. The services call it before they look."""
        now = self.clock.steady()
        with self._lock:
            while self._pending and self._pending[0][0] <= now:
                self._show(heapq.heappop(self._pending)[2])

    def _show(self, version):
        if version.key is not None:
            old = self._latest.get(version.key)
            if old and old.number > version.number:
                version.gone = version.due      # overtaken before anybody could see it
                return
            if old:
                del self._shown[bisect.bisect_left(self._shown, (old.ticks, old.number))]
                old.gone = version.due
            self._latest[version.key] = version
        bisect.insort(self._shown, (version.ticks, version.number, version))

    def select(self, lower, upper, test=None):
        """Versions on show with lower <= ticks <= upper, oldest first."""
        with self._lock:
            self.settle()
            start = bisect.bisect_left(self._shown, (lower, -1))
            end = bisect.bisect_right(self._shown, (upper, 1 << 62))
            found = [entry[2] for entry in self._shown[start:end]]
        return [version for version in found if test(version)] if test else found

    def forget(self, older=600.0):
        """Drop what was superseded so many seconds ago: for runs of hours, whose ledger would fill the memory."""
        limit = self.clock.steady() - older
        with self._lock:
            old = {v for v in self.versions if v.gone is not None and v.gone < limit}
            for version in old:
                self.by_digest.pop(version.digest, None)
            self.versions = [v for v in self.versions if v not in old]


def _parsed(raw):
    value = json.loads(raw.decode('utf-8', 'replace'))
    return value if isinstance(value, dict) else {}


def _said_ticks(text):
    if not isinstance(text, str):
        return None
    try:
        return ticks_.parse(text)
    except ValueError:
        return None
