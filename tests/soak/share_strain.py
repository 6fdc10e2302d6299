"""Whether the machine keeps up with a soak: what is late because nobody had a processor is no fault of the program.

A second is strained if the stand-ins answered late, or if a program waited for a processor for a good part of it, by
the programs' clocks. What happens meanwhile is not judged by its time. With too many of them complaints about times,
and so about what comes twice, prove nothing, and the run says so: fewer customers, a smaller haste or a quieter machine
are needed. What is lost or altered is judged all the same: no load excuses that. A run without a complaint is good on
any machine, since being late makes nothing look better.
"""
import collections
import threading
import time

LATE_S = 0.5                        # later stand-ins do not know when a request was sent, by the programs' clocks
WAITED_S = 0.7                      # for a processor, by the programs' clocks, in a second
STRAINED_MOST = 0.05                # of all seconds
AFTER_S = 5                         # a second is strained if one of these before it was


def waited_s(pid):
    """How long the threads of a process have waited for a processor so far."""
    with open(f'/proc/{pid}/schedstat', encoding='ascii') as file:
        return int(file.read().split()[1]) / 1e9


class Strain:
    """Looks each second. lag: of the stand-ins; programs(): name -> pid of those that run."""

    def __init__(self, lag, haste, programs, over):
        self._lag, self._haste, self._programs, self._over = lag, haste, programs, over
        self.late_s = LATE_S / haste
        self._bad, self._before = collections.deque(maxlen=4000), {}     # when
        self.seconds, self.by = 0, collections.Counter()
        self.most_waited = 0.0
        self.thread = threading.Thread(target=self._run, daemon=True, name='strain')

    def _run(self):
        while not self._over.wait(1):
            self.look(time.monotonic())

    def look(self, now):
        """A second more."""
        self.seconds += 1
        who = [name for name, waited in self.waits(now) if waited * self._haste > WAITED_S]
        if self._lag.within(1) > self.late_s:
            who.append('stand-ins')
        self.by.update(who)
        if who:
            self.by['any'] += 1
            self._bad.append(now)

    def waits(self, now):
        """(name, seconds without a processor within a second) of the programs."""
        seen = {}
        for name, pid in self._programs():
            try:
                seen[name, pid] = waited_s(pid), now
            except (OSError, ValueError):
                continue        # it has just ended
        for (name, pid), (waited, when) in seen.items():
            before = self._before.get((name, pid))
            if before and when > before[1]:
                share = (waited - before[0]) / max(1.0, when - before[1])
                self.most_waited = max(self.most_waited, share)
                yield name, share
        self._before = seen

    def at(self, when, seconds=0):
        """Was the machine too slow then, or within so many seconds (of the programs' clocks) before?"""
        since = when - max(AFTER_S, seconds / self._haste) - 1
        return any(since <= bad <= when + 1 for bad in list(self._bad))

    part = property(lambda self: self.by['any'] / self.seconds if self.seconds else 0.0)
    too_much = property(lambda self: self.part > STRAINED_MOST)

    def __str__(self):
        by = ', '.join(f'{name} {count}' for name, count in sorted(self.by.items()) if name != 'any') or 'nobody'
        return (f'{self.by["any"]} of {self.seconds} ({by}); stand-ins late by {self._lag.worst:.1f} s at most, a '
                f'program waited for {self.most_waited:.1f} of a second at most')
