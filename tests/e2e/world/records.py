"""Where the records of the stand-in of the KV store are: in memory, or in memory twice as with replication.

An engine makes tables, one for each collection and owner, and is steered by tests. All that tables do is in one order,
each call is one step, and any thread may call. tests/real has engines over servers that others wrote.
"""
import collections
import threading
import time


class Unavailable(Exception):
    """The engine cannot be asked now: 503."""


class Table:
    """The records of one owner in a collection: key -> record. A record is replaced, never changed."""

    def __init__(self, engine):
        self._engine, self.primary, self.standby = engine, {}, {}

    def newest(self):
        """What was written last, whichever node is asked; may be changed by tests."""
        return self.primary

    def rows(self):
        """What the node shows that is asked."""
        return self._engine.read(self)

    def insert(self, key, record):
        """Add a record. False: the key is taken."""
        return self._engine.write(self, lambda rows: key not in rows, lambda rows: rows.update({key: record}))

    def update(self, key, record):
        """Replace a record. False: there is none."""
        return self._engine.write(self, lambda rows: key in rows, lambda rows: rows.update({key: record}))

    def save(self, records):
        """Add or replace all of them."""
        self._engine.write(self, lambda rows: True, lambda rows: rows.update(records))

    def delete(self, chosen):
        """Delete those that chosen(rows) names. Returns their number."""
        keys = []

        def choose(rows):
            keys.extend(chosen(rows))
            return True

        def remove(rows):
            for key in keys:
                rows.pop(key, None)
        self._engine.write(self, choose, remove)
        return len(keys)


class Memory:
    """One node: every read shows every write before it, and nothing is ever lost."""

    name, loses = 'memory', False

    def __init__(self):
        self._lock = threading.RLock()

    def table(self, place):
        """The table of (app, collection, owner)."""
        return Table(self)

    def read(self, table):
        """For tables."""
        with self._lock:
            return dict(table.primary)

    def write(self, table, may, change):
        """For tables: change the rows if they allow it; whether they did."""
        with self._lock:
            if not may(table.primary):
                return False
            change(table.primary)
            self.written(table, change)
            return True

    def written(self, table, change):
        """A write has happened."""

    def close(self):
        """Remove everything."""


class Replicated(Memory):
    """Writes go to the primary, reads to a standby that applies them in the same order, late: MongoDB's primary and the
    node of a search head cluster that is asked.

    lag: how late, in seconds. fresh: reads go to the primary, so that a failover loses what was seen. hold() and go():
    the standby gets nothing meanwhile. failover(): the standby is the primary from now on, and what it did not have yet
    is gone, although it was acknowledged."""

    name, loses = 'replicated', True

    def __init__(self, lag=0.0):
        super().__init__()
        self.lag, self.fresh, self._held = lag, False, False
        self._log = collections.deque()     # (when, table, change)

    def written(self, table, change):
        self._log.append((time.monotonic(), table, change))
        self._ship()

    def read(self, table):
        with self._lock:
            self._ship()
            return dict(table.primary if self.fresh else table.standby)

    def _ship(self):
        while self._log and not self._held and self._log[0][0] <= time.monotonic() - self.lag:
            _, table, change = self._log.popleft()
            change(table.standby)

    def hold(self):
        """The standby gets nothing from now on."""
        with self._lock:
            self._ship()
            self._held = True

    def go(self):
        """The standby catches up."""
        with self._lock:
            self._held = False

    def failover(self):
        """Promote the standby as it is. Returns how many writes are gone."""
        with self._lock:
            self._ship()
            gone = len(self._log)
            for _, table, _ in self._log:
                table.primary = dict(table.standby)
            self._log.clear()
            self._held = False
            return gone
