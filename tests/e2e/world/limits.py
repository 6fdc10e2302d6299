"""Requests per sliding minute and hour, per tenant and app: always counted, refused only when asked to."""
import collections
import threading

# group: (requests a minute, requests an hour or None), as published. Alerts and incidents of Graph share theirs.
PUBLISHED = {'graph': (150, None), 'endpoint': (100, 1500), 'siem': (None, None),
             'changes': (50, None)}     # of incidents; of alerts there may be more


class Window:
    """Counts what happened within the last `span` seconds, and the most there ever was."""

    def __init__(self, span):
        self.span, self.peak = span, 0
        self._times = collections.deque()

    def add(self, now):
        """Count one and return how many the window holds."""
        self._times.append(now)
        while self._times[0] <= now - self.span:
            self._times.popleft()
        self.peak = max(self.peak, len(self._times))
        return len(self._times)

    def wait(self, now, limit):
        """Seconds until the window would take another one."""
        over = len(self._times) - limit
        return max(0.0, self._times[over] + self.span - now) if over >= 0 else 0.0


class Limits:
    """The counters of all tenants. A call that is refused counts as well, as Microsoft says."""

    def __init__(self, clock):
        self.clock, self.enforced, self.limits = clock, False, dict(PUBLISHED)
        self.refused = 0
        self._windows, self._lock = {}, threading.Lock()

    def count(self, group, tenant, client):
        """Count a request. Returns the seconds to wait when it is to be refused, else None."""
        now = self.clock.steady()
        with self._lock:
            minute, hour = self._windows.setdefault((group, tenant, client), (Window(60), Window(3600)))
            wait = None
            for window, limit in zip((minute, hour), self.limits[group]):
                if window.add(now) > (limit or 1 << 62) and self.enforced:
                    wait = max(wait or 0.0, window.wait(now, limit))
            self.refused += wait is not None
        return wait

    def peaks(self):
        """{(group, tenant id, client id): (most in a minute, most in an hour)}."""
        with self._lock:
            return {key: (minute.peak, hour.peak) for key, (minute, hour) in self._windows.items()}

    def violations(self):
        """The peaks that are above what is published, whether it was enforced or not."""
        return {key: peak for key, peak in self.peaks().items()
                if any(most > (limit or 1 << 62) for most, limit in zip(peak, self.limits[key[0]]))}
