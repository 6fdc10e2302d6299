"""Which repetitions are allowed: those that a kill explains, and no other."""
import bisect

# What docs/delivery.md promises: an event counts as safe a minute after it was taken from the pipe, and two minutes at
# most lie between two saves. On top: the program looks every five seconds, and a busy machine is late.
UNSAVED_S = 60 + 120 + 10


class Repeats:
    """Counts the arrivals of each version. One that comes again must have come last within UNSAVED_S before the first
    end since then that could not save anything; time in which the disk took nothing does not count."""

    def __init__(self, began=0.0):
        self._zero = began
        self.total, self.oldest, self.unexplained = 0, 0.0, []
        self._last = {}                     # key -> its last arrival
        self._begun, self._over = [], []    # of each such end: before the blow, and when nothing more could arrive
        self._sick = []                     # [from, to] of the disk

    def ended(self, begun, over):
        """The program was killed, or left while the disk took nothing."""
        self._begun.append(begun)
        self._over.append(over)

    def sick(self, begin):
        """The disk takes nothing from now on. Returns the function that ends this."""
        entry = [begin, float('inf')]
        self._sick.append(entry)

        def ends(when):
            entry[1] = when
        return ends

    def knows(self, key):
        """Has it arrived?"""
        return key in self._last

    def arrived(self, key, now):
        """An event; key names input and version."""
        last = self._last.get(key)
        self._last[key] = now
        if last is None:
            return
        self.total += 1
        age = self._age(last)
        if age is None:
            self.unexplained.append(f'{key} came again without a kill, {now - last:.1f} s later, '
                                    f'{now - self._zero:.1f} s after the beginning')
        elif age > UNSAVED_S:
            self.unexplained.append(f'{key} came again although it was {age:.1f} s old at the kill, '
                                    f'{now - self._zero:.1f} s after the beginning')
        else:
            self.oldest = max(self.oldest, age)

    def _age(self, last):
        """How old what came last at this time was at the first such end after it; None: there was none."""
        number = bisect.bisect_left(self._over, last)
        if number == len(self._over):
            return None
        end = self._begun[number]
        return end - last - sum(max(0, min(end, to) - max(last, begin)) for begin, to in list(self._sick))
