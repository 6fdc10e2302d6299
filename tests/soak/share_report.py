"""The table at the end of a run with several forwarders, its judgment, and what there is to know if it is bad."""
import collections
import os
import statistics
import time

from report import again, counted
from share_strain import STRAINED_MOST
from share_trouble import SPREAD_S, TAKEOVER_S

MOST_CALLS = 40         # of a forwarder in a minute
MOST_AT_START = 60      # in a minute in which it starts: the self-test, tables, checkpoints of all it takes
MOST_DOUBLE_S = 30      # two readers of a customer, all in all, with a rollback
TABLE_S = 60            # a table that nobody needs for reading waits for so long after the one before
# From what happened to the first request of another forwarder; 45 s and 20 s as a rule.
PROMISED_S = {'kill': TAKEOVER_S, 'leave': TAKEOVER_S, 'freeze': TAKEOVER_S, 'drain': TABLE_S + 30}
UNJUDGED = ('no Microsoft', 'full pipe')    # it takes minutes until a forwarder knows that it is of no use


class Calls:
    """What one forwarder asks the store for: [(when, kind)]. Minutes are those of the programs' clocks."""

    def __init__(self, calls, starts, haste):
        self.calls, self.starts, self.minute = list(calls), list(starts), 60 / haste

    def mean(self, begin, end):
        """Calls a minute."""
        return sum(begin <= when <= end for when, _ in self.calls) / max(1, (end - begin) / self.minute)

    def worst(self, starting):
        """(calls in the worst minute, when it ended, their kinds): of the minutes in which it starts, or the others."""
        most, at, worst, first = 0, 0.0, (), 0
        for number, (when, _) in enumerate(self.calls):
            while self.calls[first][0] <= when - self.minute:
                first += 1
            # The end of one process and the beginning of the next are a minute of both.
            starts = any(when - self.minute <= start <= when for start in self.starts)
            if starts == starting and number - first + 1 > most:
                most, at, worst = number - first + 1, when, self.calls[first:number + 1]
        return most, at, collections.Counter(kind for _, kind in worst)


def calls_of(soak, name):
    """The calls of a forwarder."""
    return Calls(soak.calls.get(name, ()), soak.starts.get(name, ()), soak.args.haste)


def rows(soak, verdict, calm):
    """What the table says, line by line."""
    readers, twice = soak.readers, soak.twice
    doubles = [seconds for _, seconds in readers.doubles.values() if seconds]
    yield from (
        ('time', f'{soak.times}'),
        ('alert versions published', sum(len(feed.versions) for feed in soak.world.feeds.values())),
        ('delivered', verdict.delivered), ('superseded before a poll', len(verdict.skipped)),
        ('LOST', len(verdict.lost)), ('altered', len(verdict.altered)), ('unexpected', len(verdict.unexpected)),
        ('happenings', counted(soak.happenings.counts)),
        ('  not tried', ', '.join(soak.happenings.untried) or 'none'),
        ('tables', f'{soak.tables.count}, {soak.rollbacks} of them lost in a rollback'),
        ('requests for alerts', readers.requests),
        ('TWO READERS, no rollback', len(readers.wrong)),
        ('  with a rollback', f'{len(doubles)} customers, {max(doubles, default=0):.1f} s at most ({MOST_DOUBLE_S} s)'),
        ('  excused', counted(readers.excused)))
    for what, seconds in sorted(readers.takeovers.items()):
        promised = f' ({PROMISED_S[what]} s, and first polls are spread over {SPREAD_S})' if what in PROMISED_S else ''
        yield f'taken over after {what}', (f'{len(seconds)} customers: {statistics.median(seconds):.0f} s to the first '
                                           f'request, {max(seconds):.0f} s at most{promised}')
    for what, count in sorted(twice.counts.items()):
        yield f'twice after {what}', f'{count}, the oldest written {twice.oldest[what]:.0f} s before it'
    yield 'TWICE, not explained', len(twice.unexplained)
    for name in soak.world.forwarders:
        calls = calls_of(soak, name)
        yield f'calls a minute of {name}', (f'{calls.mean(*calm):.1f} in calm, '
                                            f'{calls.mean(soak.began, time.monotonic()):.1f} in all')
        for starting, label in ((False, f'worst ({MOST_CALLS})'), (True, f'at a start ({MOST_AT_START})')):
            most, at, kinds = calls.worst(starting)
            yield f'  {label}', f'{most}, until {at - soak.began:.0f} s: {counted(kinds)}'
    yield 'seconds in which it was too slow', f'{soak.strain}; load {os.getloadavg()[0]:.1f} now'


def judge(soak, calm):
    """Adds what is against the promise to the complaints."""
    haste, now = soak.args.haste, time.monotonic()
    for what, seconds in soak.readers.takeovers.items():
        if what not in UNJUDGED and max(seconds) > PROMISED_S[what] + SPREAD_S + 5:
            soak.complaints.append(f'a customer was read again {max(seconds):.0f} s after {what}')
    for name, (former, since, what) in soak.readers.waits().items():
        if (now - since) * haste > PROMISED_S.get(what, 0) + SPREAD_S + soak.args.poll and (
                soak.readers.last().get(name, ('', 0))[1] < since):
            soak.complaints.append(f'{name} of {former} was read by nobody after {what}')
    for name in soak.world.forwarders:
        calls = calls_of(soak, name)
        for starting, limit in ((False, MOST_CALLS), (True, MOST_AT_START)):
            most, at, _ = calls.worst(starting)
            if most > limit and not soak.strain.at(at, 60):
                soak.complaints.append(f'{name} made {most} calls to the store in a minute, until '
                                       f'{at - soak.began:.0f} s')
        if calls.mean(*calm) > MOST_CALLS:
            soak.complaints.append(f'{name} made {calls.mean(*calm):.1f} calls a minute to the store at rest')
    if soak.twice.counts['stop'] and not any(soak.strain.at(when + 2) for when in soak.stops):
        soak.complaints.append(f'{soak.twice.counts["stop"]} versions came again after a stop that had time to save')
    for name, (_, seconds) in soak.readers.doubles.items():
        if seconds > MOST_DOUBLE_S:
            soak.complaints.append(f'{name} had two readers for {seconds:.1f} s')


def evidence(soak):
    """What the forwarders said."""
    for forwarder in soak.world.forwarders.values():
        lines = [line for program in forwarder.programs for line in program.lines if 'event=share' in line.text]
        print(f'what {forwarder.name} said about sharing:')
        for line in lines[-60:]:
            print(f'  {line.when - time.time() + time.monotonic() - soak.began:7.2f} s  {line.text:.250}')
    print(again('tests/soak/share.py', soak.args.seed))


def report(soak, calm):
    """The table, and whether it is good; None: the machine was too slow to tell. calm: (begin, end), at rest."""
    verdict, args = soak.tally.verdict(), soak.args
    judge(soak, calm)
    print(f'seed {args.seed}, {args.tenants} customers, {len(soak.world.forwarders)} forwarders, poll every '
          f'{args.poll} s, {args.rate:g} alerts a second, clocks {args.haste} times as fast')
    for name, value in rows(soak, verdict, calm):
        print(f'  {name:32} {value}')
    bad = list(dict.fromkeys(soak.complaints + soak.readers.wrong + soak.twice.unexplained))
    kinds = collections.Counter(text.split(':')[0].partition(' s, ')[2] or text for text in bad)
    print('  complaints by what was going on: ' + ', '.join(f'{kind:.60} {count}' for kind, count in kinds.items()))
    for text in bad[:6] + [text for number, text in enumerate(bad[6:]) if number % (len(bad) // 20 + 1) == 0]:
        print(f'  complaint: {text:.400}')
    for version in verdict.lost[:10]:
        print(f'  lost: {version!r}')
    wrong = verdict.lost or verdict.altered or verdict.unexpected
    if wrong or bad:
        evidence(soak)
    if bad and not wrong and soak.strain.too_much:
        print(f'THE MACHINE IS TOO SLOW for this: in {soak.strain.part:.0%} of seconds, at most {STRAINED_MOST:.0%}. '
              'Times prove nothing: take fewer --tenants, a smaller --haste or a quieter machine')
        return None
    return not (wrong or bad)
