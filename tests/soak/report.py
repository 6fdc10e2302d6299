"""The table at the end of a run, and what there is to know about that which went wrong."""
import collections
import json
import os
import sys
import urllib.parse

from trouble import mounts_allowed


def counted(counter):
    """Names and counts in one line."""
    return ', '.join(f'{name} {count}' for name, count in sorted(counter.items())) or 'none'


def again(script, seed):
    """The command that tries the same again."""
    seeded = [] if '--seed' in sys.argv else ['--seed', str(seed)]
    return ' '.join(('again:', script, *sys.argv[1:], *seeded))


def finish(run, close):
    """Runs it and removes everything. The exit status: 0 if the promise held, 1 if not, 2 if nobody can tell (None)."""
    try:
        good = run()
    finally:
        close()
    print({True: '1 passed, 0 failed', False: '0 passed, 1 failed', None: '0 passed, 0 failed, 1 skipped'}[good])
    return {True: 0, False: 1, None: 2}[good]


def rows(soak, verdict, lost):
    """What the table says, line by line."""
    memory, descriptors = soak.watch.memory or [0], soak.watch.descriptors or [0]
    troubles = sum((trouble.counts for trouble in soak.trouble), collections.Counter())
    met, coarse = soak.pages.hits + soak.login.hits, collections.Counter(feed.quirks.grain for feed in soak.all)
    yield from (
        ('time', soak.times), ('alert versions published', sum(len(feed.versions) for feed in soak.all)),
        ('delivered', verdict.delivered), ('superseded before a poll', len(verdict.skipped)),
        ('LOST', len(lost)), ('altered', len(verdict.altered)), ('unexpected', len(verdict.unexpected)),
        ('  waited for a slow schedule', soak.late_ones),
        ('  poisoned to the end', len(verdict.lost) - len(lost)),
        ('REPEATED', f'{verdict.surplus}, the oldest written {soak.repeats.oldest:.0f} s before a kill'),
        ('REPEATED AGAINST THE PROMISE', len(soak.repeats.unexplained)), ('SIGKILL', soak.kills),
        ('SIGTERM', f'{soak.stops}, the slowest {soak.slowest_stop:.1f} s'), ('reader died', soak.reader_deaths),
        ('  lives ended', '; '.join(soak.ends)),
        ('trouble around the program', sum(troubles.values())), ('  of it', counted(troubles)),
        ('  names not answered as they are', soak.names.spoilt), ('  lines about it', counted(soak.told)),
        ('faults met by requests', sum(met.values())), ('  of them', counted(met)),
        ('poisoned records', soak.poisons), ('wrong dates', soak.dates.said),
        ('silent connections', f'{soak.silence.swallowed} requests swallowed'),
        ('filters, grain in ticks', counted(coarse)),
        ('memory, first/most/last', f'{memory[0]}/{max(memory)}/{memory[-1]} KiB'),
        ('descriptors, most/last', f'{max(descriptors)}/{descriptors[-1]}'),
        ('over a published limit', soak.world.microsoft.limits.violations() or 'nobody'))
    yield from soak.watch.rows()
    yield 'stand-ins late by', f'{soak.lag.worst:.1f} s at most; load {os.getloadavg()[0]:.1f} now'


def report(soak, verdict, lost):
    """The table, and whether it is good."""
    args = soak.args
    soak.watch.judge()
    print(f'seed {args.seed}, {args.tenants} customers, HTTP/{2 if args.http2 else 1.1}, poll every {args.poll} s' +
          ('' if mounts_allowed() else '; not root: no name server, no disk that is full or read-only'))
    for name, value in rows(soak, verdict, lost):
        print(f'  {name:32} {value}')
    bad = list(dict.fromkeys(soak.complaints + soak.repeats.unexplained))[:10]
    good = not (lost or verdict.altered or verdict.unexpected or bad or soak.world.microsoft.limits.violations())
    for text in bad:
        print(f'  complaint: {text if len(text) < 400 else text[:100] + " ... " + text[-300:]}')
    for version in lost[:10]:
        print(f'  lost: {version!r}; {soak.poisons.about(version)}')
    for name in sorted({version.feed.tenant.name for version in lost})[:5]:
        print(f'  the checkpoint of {name}: {checkpoint(soak, name)}')
    for name, since, until in soak.watch.worst():
        print(f'  what the program said about {name} meanwhile:')
        for line in [line for program in soak.world.programs for line in program.lines
                     if since <= line.when <= until and f'input={name} ' in line.text][:20]:
            print(f'    {line.when - until:6.1f} s  {line.text[:300]}')
    for name, (what, requests, more) in soak.watch.evidence.items():
        print(f'  {name} {what}; its checkpoint: {more}; its last requests:')
        for entry in requests:
            print(f'    {entry.when - requests[-1].when:7.1f} s  {entry.service} {entry.status} '
                  f'{urllib.parse.unquote_plus(entry.query)[:150]}')
    if not good:
        print(f'{verdict}\n{soak.world.program.tail(30)}')
        print(again('tests/soak/soak.py', args.seed))
    return good


def checkpoint(soak, name):
    """An input's checkpoint, without what it has written."""
    try:
        with open(os.path.join(soak.world.home.checkpoints, f'{name}.json'), encoding='utf-8') as file:
            return {key: value for key, value in json.load(file).items() if key != 'written'}
    except (OSError, ValueError) as problem:
        return problem
