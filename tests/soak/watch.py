"""Who was served when, and how long a healthy customer had to wait.

A customer is served when a poll of it is answered completely: a request without an upper bound, whose undamaged
response was handed over. It is healthy from then on, until a request of it meets a fault, a service says no, or
something around the program is out of order that concerns its service. Two lengths of time are measured, of healthy
customers only: from one served poll to the next, or from the start of the process to the first; and from the moment
at which an alert can be seen to its event. Both must stay below two poll intervals.

The others must be served again in time. That is measured where only one kind of fault was met since the last poll.
"""
import collections
import contextlib
import os
import threading
import time

HEALTHY_INTERVALS = 2
EXCUSE_S = 1            # a poll may take many requests, each of which waits for the stand-ins
# From the first request that met the fault to the next served poll. Silent: docs/delivery.md promises 90 s. Stray
# refusals last 8 s, and the tries come 2 and 12 s after the first. A poisoned record: found within 60 s.
AGAIN_S = {'silent': 90, 'stray': 40, 'poison': 60}


class Customer:
    """last: when it was served. kinds: faults met since then; held: those that hold up its polls, first: the first of
    them. well: healthy since."""

    __slots__ = ('name', 'service', 'last', 'well', 'kinds', 'held', 'first', 'polls')

    def __init__(self, name, service):
        self.name, self.service, self.last, self.well = name, service, 0.0, 0.0
        self.kinds, self.held, self.first, self.polls = set(), set(), 0.0, 0


class Longest:
    """The longest of some times that must stay below a limit: how long, whose, how late the stand-ins were meanwhile.
    A time above the limit while they were late by more than EXCUSE_S is kept apart."""

    def __init__(self, limit=float('inf'), excused=True):
        self.seconds, self.whose, self.late, self.load, self.count, self.until = 0.0, '', 0.0, 0.0, 0, 0.0
        self.limit, self.excused = limit, Longest(excused=False) if excused else None

    def take(self, seconds, whose, late):
        """One more. Returns true if it is too long."""
        self.count += 1
        if seconds <= self.seconds:
            return False
        was_late = late(seconds)
        if self.excused and seconds >= self.limit and was_late > EXCUSE_S:
            self.excused.take(seconds, whose, lambda seconds: was_late)
            return False
        self.seconds, self.whose, self.late, self.load = seconds, whose, was_late, os.getloadavg()[0]
        self.until = time.time()
        return seconds >= self.limit

    def __str__(self):
        return f'{self.seconds:.1f} s ({self.whose or "nobody"})'


class Lag:
    """How late the stand-ins are: a busy machine makes everybody wait, whatever the program does."""

    def __init__(self, loop, over):
        self._loop, self._over, self.worst = loop, over, 0.0
        self._seen = collections.deque(maxlen=4000)
        self.thread = threading.Thread(target=self._run, daemon=True, name='lag')

    def _run(self):
        async def nothing():
            pass
        while not self._over.is_set():
            before = time.monotonic()
            time.sleep(0.1)
            with contextlib.suppress(TimeoutError):     # the largest lag of all
                self._loop.run(nothing(), 60)
            now = time.monotonic()
            self._seen.append((now, now - before - 0.1))
            self.worst = max(self.worst, now - before - 0.1)

    def within(self, seconds):
        """The largest within the last seconds."""
        since = time.monotonic() - seconds
        return max((lag for when, lag in list(self._seen) if when >= since), default=0.0)


class Watch:
    """The eye on every request and event."""

    def __init__(self, poll_s, late, complaints, clock=time.monotonic, requests=lambda tenant: ()):
        self.poll_s, self._late, self._complaints, self._clock = poll_s, late, complaints, clock
        self._requests, self.evidence = requests, {}    # of the first few who waited for too long: their requests
        most = HEALTHY_INTERVALS * poll_s
        self.gap, self.delay = Longest(most), Longest(most)
        self.again = {kind: Longest(limit + most * (kind == 'poison')) for kind, limit in AGAIN_S.items()}
        self.others = Longest()                          # stretches between two polls that were no healthy ones
        self.memory, self.descriptors = [], []
        self._customers, self._born, self._told = {}, 0.0, set()
        self._disturbances = []                          # [end, services, name]
        self._lock = threading.RLock()

    def customer(self, tenant, name, service):
        """A new one."""
        self._customers[tenant] = Customer(name, service)

    # --- what happens ---------------------------------------------------------------------------------------------

    def born(self):
        """The process has started: everybody is waited for from now on."""
        with self._lock:
            self._born = self._clock()
            for customer in self._customers.values():
                customer.last = customer.well = self._born
                customer.kinds, customer.held = set(), set()

    def dies(self):
        """The process ends; nobody is waited for until it is born again."""
        with self._lock:
            self._born = 0.0

    @contextlib.contextmanager
    def disturbed(self, name, *services):
        """While this lasts, customers of these services (names; none: all) are not healthy."""
        with self._lock:
            entry = [float('inf'), services, name]
            self._disturbances.append(entry)
        try:
            yield
        finally:
            entry[0] = self._clock()

    def met(self, tenant, kind, holds=True):
        """A request of the customer met a fault. holds: it was a poll, or one that polls have to wait for."""
        customer = self._customers.get(tenant)
        if not customer:
            return
        with self._lock:
            customer.kinds.add(kind)
            if holds:
                customer.first = customer.first if customer.held else self._clock()
                customer.held.add(kind.split(' ')[0])

    def served(self, tenant):
        """A poll was answered completely."""
        with self._lock:
            customer, now = self._customers[tenant], self._clock()
            if not self._born:
                return
            if not self._healthy(customer, now):
                met = sorted(customer.kinds | self._names(customer, customer.last))
                self.others.take(now - customer.last, f'{customer.name}: {", ".join(met)}', self._late)
                self._back(customer, now)
                customer.well = now
            else:
                self.gap.take(now - customer.last, customer.name, self._late)
            customer.last, customer.kinds, customer.held = now, set(), set()
            customer.polls += 1

    def arrived(self, version, visible):
        """The first event of a version, which could be seen from then on."""
        customer, now = self._customers[version.feed.tenant.id], self._clock()
        with self._lock:
            if self._born and visible >= customer.well and self._healthy(customer, now, visible):
                self.delay.take(now - visible, f'{customer.name} #{version.number}', self._late)

    def waiting(self, versions):
        """[(version, when it could be seen), ...] of those without an event so far: they may never get one."""
        now = self._clock()
        with self._lock:
            for version, visible in versions if self._born else ():
                customer = self._customers[version.feed.tenant.id]
                if now - visible > self.delay.seconds and visible >= customer.well and (
                        self._healthy(customer, now, visible)):
                    if self.delay.take(now - visible, f'{customer.name} #{version.number}', self._late):
                        self.keep(version.feed.tenant.id, f'waited for #{version.number}')

    # --- what is known --------------------------------------------------------------------------------------------

    def _healthy(self, customer, now, since=None):
        return not customer.kinds and not self._disturbed(customer, customer.last if since is None else since)

    def _disturbed(self, customer, since):
        """Was anything out of order for the customer since then?"""
        return bool(self._names(customer, since))

    def _names(self, customer, since):
        """What was out of order. The list is short: a few dozen a run."""
        return {name for end, services, name in self._disturbances
                if end >= since and (not services or customer.service in services)}

    def _back(self, customer, now):
        """Served again: was it in time?"""
        kind = next(iter(customer.held), None)
        if len(customer.held) == 1 and kind in AGAIN_S and not self._disturbed(customer, customer.last):
            self.again[kind].take(now - customer.first, customer.name, self._late)

    def keep(self, tenant, what, more=None):
        """Something went wrong. The service's log soon forgets what the customer asked for."""
        name = self._customers[tenant].name
        if len(self.evidence) < 5 and name not in self.evidence:
            self.evidence[name] = what, list(self._requests(tenant))[-40:], more

    def look(self, program):
        """A sample of the running process, and of those who wait now."""
        with contextlib.suppress(OSError, AttributeError):     # just gone
            self.memory.append(program.memory_kb())
            self.descriptors.append(program.descriptors())
        with self._lock:
            now = self._clock()
            for tenant, customer in self._customers.items() if self._born else ():
                if not self._healthy(customer, now):
                    self._back(customer, now)
                elif now - customer.last > self.gap.seconds:
                    if self.gap.take(now - customer.last, customer.name, self._late):
                        self.keep(tenant, 'waited for too long')

    def polls(self):
        """How often each customer was served."""
        return {tenant: customer.polls for tenant, customer in self._customers.items()}

    def judge(self):
        """Adds what is against the promise to the complaints."""
        for longest, what in ((self.gap, 'was served {0:.1f} s after its last poll'),
                              (self.delay, 'came {0:.1f} s after it could be seen')):
            if longest.seconds >= longest.limit:
                self._complaints.append(f'{longest.whose} {what.format(longest.seconds)}, although the customer was '
                                        f'healthy; {self._around(longest)}')
        for kind, longest in self.again.items():
            if longest.seconds >= longest.limit:
                self._complaints.append(f'{longest.whose} was served again {longest.seconds:.1f} s after {kind}, not '
                                        f'within {longest.limit} s; {self._around(longest)}')

    def worst(self):
        """(input, from, to), by the wall clock, of each length of time that is too long."""
        return [(longest.whose.split(' ')[0], longest.until - longest.seconds - 5, longest.until + 1)
                for longest in (self.gap, self.delay, *self.again.values()) if longest.seconds >= longest.limit]

    @staticmethod
    def _around(longest):
        return f'the stand-ins were up to {longest.late:.1f} s late meanwhile, the load was {longest.load:.1f}'

    def rows(self):
        """Lines of the table."""
        most = HEALTHY_INTERVALS * self.poll_s
        yield ('SLOWEST HEALTHY CUSTOMER', f'{self.gap} from poll to poll, {self.gap.seconds / self.poll_s:.2f} '
               f'intervals; {self.delay} from publication to event; both to be below {most} s')
        yield '  stretches measured', (f'{self.gap.count} between polls of healthy customers ({self.others.count} of '
                                       f'others), {self.delay.count} events')
        yield '  in the longest', self._around(self.gap)
        yield '  too long, but excused', ', '.join(
            f'{name} {longest.excused}: {self._around(longest.excused)}' for name, longest in (
                ('polls', self.gap), ('events', self.delay), *self.again.items()) if longest.excused.count) or 'none'
        yield '  longest of the others', self.others
        yield '  served again', ', '.join(f'{kind} after {longest} at most' for kind, longest in self.again.items())
