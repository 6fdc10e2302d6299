"""What should have come out, against what did.

A version must appear exactly once if a reader could count on seeing it. One that was superseded may have come and
gone between two polls; missing it is no loss, writing it is no error. It is reported apart ("skipped").
"""
import collections
import dataclasses
import json

from . import jsonnorm, ticks
from .feed import UPDATE_FIELD, digest

UNREADABLE = 'ms:defender:unreadable'     # the source type of what is no JSON


@dataclasses.dataclass
class Verdict:
    """lost: versions; repeated: (version, count); altered: (event, version or None, why); unexpected: events;
    skipped: superseded versions that did not come out; delivered: how many versions did."""
    lost: list = dataclasses.field(default_factory=list)
    repeated: list = dataclasses.field(default_factory=list)
    altered: list = dataclasses.field(default_factory=list)
    unexpected: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)
    delivered: int = 0

    @property
    def exact(self):
        """Nothing lost, repeated, altered or made up? Where nothing was to come and nothing came, nothing was seen to
        be right: look at the lists."""
        return self.delivered > 0 and not (self.lost or self.repeated or self.altered or self.unexpected)

    @property
    def surplus(self):
        """How many events too many."""
        return sum(count - 1 for _, count in self.repeated)

    def __str__(self):
        head = (f'delivered={self.delivered} lost={len(self.lost)} repeated={len(self.repeated)} '
                f'altered={len(self.altered)} unexpected={len(self.unexpected)} skipped={len(self.skipped)}')
        shown = [f'  {name}: {item!r:.300}' for name in ('lost', 'repeated', 'altered', 'unexpected')
                 for item in getattr(self, name)[:3]]
        return '\n'.join([head] + shown)


class Ledger:
    """Which stanza reads which feed, and the comparison."""

    def __init__(self):
        self._bound = collections.defaultdict(list)

    def bind(self, stanza, feed, where=None):
        """Events of this stanza come from this feed; several feeds are possible, e.g. after its tenant was changed.

        where(version) says which versions the input is to deliver (its filter, its start time); preset: all."""
        self._bound[stanza].append((feed, where or (lambda version: True)))

    def unbind(self, stanza):
        """The input is gone; nothing is expected of it any more."""
        self._bound.pop(stanza, None)

    def feeds(self, stanza):
        """[(feed, where), ...] of a stanza."""
        return self._bound.get(stanza, [])

    def stanzas(self):
        """All bound stanzas."""
        return list(self._bound)

    def compare(self, events, until=None):
        """The verdict over these events. until: only versions due by this steady() reading are asked for."""
        tally = Tally(self)
        for event in events:
            tally.add(event)
        return tally.verdict(until)

    def due(self, until=None):
        """How many versions compare() would ask for as things stand (superseded ones not counted)."""
        return sum(1 for stanza in self._bound for version, wanted in self._wanted(stanza, until)
                   if wanted and version.gone is None)

    def _wanted(self, stanza, until):
        for feed, where in self._bound[stanza]:
            feed.settle()
            limit = feed.clock.steady() if until is None else until
            for version in list(feed.versions):
                if feed.by_digest.get(version.digest) is not version:
                    continue                    # a twin, known by all its content: one event for both
                yield version, version.readable and version.due <= limit and where(version)


class Tally:
    """Counts events as they come, for runs too long to keep them. Thread-safe as far as one reader adds."""

    def __init__(self, ledger):
        self._ledger = ledger
        self._counts = collections.Counter()
        self._altered, self._strange = [], []
        self._unreadable = collections.Counter()

    def add(self, event):
        """Take one event (needs .stanza, .data and .time, which is text or None). The version it is of, or None."""
        if getattr(event, 'sourcetype', None) == UNREADABLE:
            self._unreadable[event.stanza, json.loads(event.data)['raw']] += 1
            return None
        version = self._find(event)
        if version is None:
            self._strange.append(event)
            return None
        self._counts[event.stanza, version] += 1
        complaint = _time_complaint(event.time, version)
        if complaint:
            self._altered.append((event, version, complaint))
        return version

    def _find(self, event):
        exact = digest(event.data.encode('utf-8', 'surrogatepass'))
        for feed, _ in self._ledger.feeds(event.stanza):
            version = feed.by_digest.get(exact)
            if version is None and '\ufffd' in event.data:
                folded = jsonnorm.fold_replaced(event.data)
                version = feed.by_folded.get(digest(folded.encode('utf-8', 'surrogatepass')))
            if version is not None:
                return version
        return None

    def delivered(self):
        """How many different versions came so far."""
        return len(self._counts)

    def verdict(self, until=None):
        """Compare with the ledger as it stands now."""
        result = Verdict(altered=list(self._altered))
        spoilt = set()
        for event in self._strange:
            version = self._meant(event)
            if version is None:
                result.unexpected.append(event)
            else:
                spoilt.add((event.stanza, version))
                result.altered.append((event, version, 'other bytes'))
        for (stanza, raw), count in self._unreadable.items():
            if not any(feed.is_damaged() for feed, _ in self._ledger.feeds(stanza)):
                result.unexpected.append(f'{stanza} cannot read {raw:.200}')
            if count > 1:
                result.repeated.append((f'{stanza} cannot read {raw:.200}', count))
        for stanza in self._ledger.stanzas():
            for version, wanted in self._ledger._wanted(stanza, until):
                self._judge(result, stanza, version, wanted, spoilt)
        return result

    def _judge(self, result, stanza, version, wanted, spoilt):
        count = self._counts[stanza, version] if (stanza, version) in self._counts else 0
        if count:
            result.delivered += 1
        if count > 1:
            result.repeated.append((version, count))
        if count and not wanted and not _allowed(self._ledger, stanza, version):
            result.unexpected.append(f'{stanza} wrote {version!r}, which it was not to deliver')
        if not count and wanted and (stanza, version) not in spoilt:
            (result.lost if version.gone is None else result.skipped).append(version)

    def _meant(self, event):
        """The version an unknown event is probably a damaged copy of: same id and time."""
        for feed, _ in self._ledger.feeds(event.stanza):
            for version in feed.versions:
                if version.key and f'"{version.key}"' in event.data and UPDATE_FIELD[feed.api] in event.data:
                    if ticks.iso(version.ticks)[:19] in event.data:
                        return version
        return None


def _allowed(ledger, stanza, version):
    return version.readable and any(feed is version.feed and where(version) for feed, where in ledger.feeds(stanza))


def _time_complaint(text, version):
    """What is wrong with the `<time>` of an event, or None."""
    lacking = not version.timed or (version.key is None and version.feed.api != 'siem')
    if text is None and lacking:
        return None
    if not version.timed:
        return f'time {text} although the record has none'
    try:
        said = None if text is None else ticks.of_epoch(text)
    except ValueError:
        said = None
    return None if said == version.ticks else f'time {text} is not {ticks.iso(version.ticks)}'
