"""Who may read a customer, by the tables in the store, and who did, by the requests that Microsoft's side got.

A request of a forwarder is right if a table that was the newest at some moment of the last FENCE_S names it, under a
`since` that is WAIT_S old. Two forwarders cannot both be right, unless a failover of the store lost a table in between.
Times are time.monotonic(); rate: how many times as fast the programs' clocks run.
"""
import collections
import json
import threading

FENCE_S, WAIT_S = 15, 20
SLACK_S = 1.0           # between the program's decision and the request's arrival here
ROLLED_BACK_S = 90      # a lost table may matter for so long


class Tables:
    """The history of the newest table."""

    def __init__(self, rate=1.0):
        self.rate, self._lock = rate, threading.Lock()
        self._newest = []               # (when, number, id, owners: input -> (forwarder, since))
        self._given, self._known = {}, {}       # id -> when it was first inserted; id -> owners

    def inserted(self, when, record, body):
        """A table was inserted. body: the text of its body."""
        with self._lock:
            owners = {name: (entry[0], entry[1]) for name, entry in json.loads(body).items()}
            self._given.setdefault(record['id'], when)
            self._known[record['id']] = (record['number'], owners)
            if not self._newest or record['number'] > self._newest[-1][1]:
                self._newest.append((when, record['number'], record['id'], owners))

    def rolled_back(self, when, records):
        """After a failover: records are what is left. True if the newest table is gone."""
        tables = [record for record in records.values() if record.get('kind') == 'table']
        newest = max(tables, key=lambda record: record['number'], default=None)
        with self._lock:
            if not self._newest or newest and newest['id'] == self._newest[-1][2]:
                return False
            number, owners = self._known.get(newest['id'], (newest['number'], {})) if newest else (0, {})
            self._newest.append((when, number, newest['id'] if newest else '', owners))
            return True

    def right(self, forwarder, name, when):
        """May this forwarder read the input at this time?"""
        since = when - (FENCE_S + SLACK_S) / self.rate
        with self._lock:
            for number in range(len(self._newest) - 1, -1, -1):
                begun, _, _, owners = self._newest[number]
                if begun <= when:
                    owner, given = owners.get(name, (None, None))
                    if owner == forwarder and self._given.get(given, 0) <= when - (WAIT_S - SLACK_S) / self.rate:
                        return True
                if begun <= since:      # the one before was over by then
                    return False
        return False

    def moved(self, since):
        """Inputs that got another owner after that time."""
        with self._lock:
            before = next((owners for when, _, _, owners in reversed(self._newest) if when <= since), {})
            return {name for when, _, _, owners in self._newest if when > since for name, entry in owners.items()
                    if entry != before.get(name)}

    def owner(self, name):
        """As of the newest table."""
        with self._lock:
            return self._newest[-1][3].get(name, (None, None))[0] if self._newest else None

    def held(self, forwarder):
        """Inputs of a forwarder as of the newest table."""
        with self._lock:
            return [name for name, entry in self._newest[-1][3].items() if entry[0] == forwarder] \
                if self._newest else []

    count = property(lambda self: len(self._newest))


class Readers:
    """Judges each request, and measures takeovers.

    excuses: functions (forwarder, when) -> why a request without a right is none of the agreement's, or None. now()
    says what is going on, for complaints. slow(when): the machine was too slow to tell when a request was sent."""

    def __init__(self, tables, rate=1.0, now=lambda: ''):
        self.tables, self.rate, self.excuses, self._now = tables, rate, [], now
        self.slow = lambda when: False
        self.requests, self.wrong = 0, []
        self.excused = collections.Counter()
        self.doubles = collections.defaultdict(lambda: [None, 0.0])     # with a rollback: input -> [last, seconds]
        self.rollbacks = []
        self._lock, self._last = threading.Lock(), {}                   # input -> (forwarder, when)
        self._awaited = {}              # input -> (former reader, since when, what happened)
        self.takeovers = collections.defaultdict(list)                  # what happened -> seconds

    def asked(self, forwarder, name, when):
        """A request for alerts."""
        with self._lock:
            self.requests += 1
            before, self._last[name] = self._last.get(name), (forwarder, when)
            awaited = self._awaited.get(name)
            if awaited and forwarder != awaited[0]:
                del self._awaited[name]
                self.takeovers[awaited[2]].append((when - awaited[1]) * self.rate)
        if self.tables.right(forwarder, name, when):
            return
        with self._lock:
            self._judge(forwarder, name, when, before)

    def _judge(self, forwarder, name, when, before):
        why = next(filter(None, (excuse(forwarder, when) for excuse in self.excuses)), None)
        if why:
            self.excused[why] += 1
        elif any(0 <= when - at <= ROLLED_BACK_S / self.rate for at in self.rollbacks):
            double = self.doubles[name]
            if before and before[0] != forwarder:
                double[1] += (when - before[1]) * self.rate
            double[0] = when
        elif self.slow(when):
            self.excused['the machine was too slow'] += 1
        else:
            last = f'of {before[0]}, {when - before[1]:.1f} s before' if before else 'none'
            self.wrong.append(f'{self._now()}: {forwarder} asked for {name} without a right to it; the newest table '
                              f'names {self.tables.owner(name)}, and the request before was {last}')

    def awaits(self, names, forwarder, when, what):
        """The forwarder reads no longer: these inputs have to be read by another one."""
        with self._lock:
            for name in names:
                self._awaited[name] = (forwarder, when, what)

    def waits(self):
        """Inputs that nobody else reads yet: input -> (former reader, since when, what happened)."""
        with self._lock:
            return dict(self._awaited)

    def forget(self, names):
        """They need not be read by another one any more."""
        with self._lock:
            for name in names:
                self._awaited.pop(name, None)

    def last(self):
        """input -> (forwarder, when) of its last request."""
        with self._lock:
            return dict(self._last)


class Twice:
    """Which versions came twice, and what explains it.

    An end or a pause of a forwarder explains those that it wrote within unsaved_s before; what is in excuses explains
    all that both wrote meanwhile: [what, forwarder or None, from, to, inputs or None, unsaved_s]."""

    def __init__(self, rate=1.0, now=lambda: '', unsaved_s=130):
        self.rate, self.unsaved_s, self._now = rate, unsaved_s, now
        self.excuses, self.counts, self.oldest, self.unexplained = [], collections.Counter(), {}, []
        self._last, self._lock = {}, threading.Lock()

    def explains(self, what, forwarder, begin, end=float('inf'), names=None, unsaved_s=None):
        """From `begin` on, what this forwarder wrote may come again. Returns the entry, whose [3] is its end. names:
        only of these inputs. unsaved_s: other than as a rule."""
        entry = [what, forwarder, begin, end, names, unsaved_s or self.unsaved_s]
        with self._lock:
            self.excuses.append(entry)
        return entry

    def arrived(self, key, forwarder, when):
        """An event. Returns true if it came before."""
        with self._lock:
            before, self._last[key] = self._last.get(key), (forwarder, when)
            if before is None:
                return False
            # What only a stop explains is counted as such: it should have saved all.
            for what, whose, begin, end, names, unsaved_s in sorted(self.excuses, key=lambda entry: entry[0] == 'stop'):
                if whose not in (None, before[0], forwarder) or not (names is None or key[1].feed.tenant.name in names):
                    continue
                if begin - unsaved_s / self.rate <= before[1] <= end and begin <= when:
                    self.counts[what] += 1
                    self.oldest[what] = max(self.oldest.get(what, 0), (begin - before[1]) * self.rate)
                    return True
            self.unexplained.append(f'{self._now()}: {key[0]} {key[1]!r} came again from {forwarder}, '
                                    f'{(when - before[1]) * self.rate:.1f} s after it came from {before[0]}')
            return True
