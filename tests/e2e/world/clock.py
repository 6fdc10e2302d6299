"""The clock that the stand-ins live by: real time, unless a test shifts it or lets it run faster."""
import threading
import time
from email.utils import formatdate


class Clock:
    """Two readings: now() is what the services claim (Date header, token times) and may jump; steady() only moves
    forward and decides when things happen (late arrival, expiry, rate limits), so that a wrong clock changes
    nothing but what is said."""

    def __init__(self, start=None, rate=1.0):
        self._lock = threading.Lock()
        self._rate = rate
        self._mono = time.monotonic()
        self._steady = 0.0
        self._offset = time.time() if start is None else start

    def steady(self):
        """Seconds since this clock was made, times the rate."""
        with self._lock:
            return self._steady + (time.monotonic() - self._mono) * self._rate

    def now(self):
        """Epoch seconds as the services see them."""
        return self.steady() + self._offset

    def jump(self, seconds):
        """Set the wall clock forward (or back, when negative)."""
        self._offset += seconds

    def set_rate(self, rate):
        """Let time run `rate` times as fast from here on."""
        with self._lock:
            mono = time.monotonic()
            self._steady += (mono - self._mono) * self._rate
            self._mono, self._rate = mono, rate

    def http_date(self):
        """now() in the form of the Date header."""
        return formatdate(self.now(), usegmt=True)
