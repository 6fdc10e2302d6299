#!/usr/bin/env python3
"""Shows the program at work, without Microsoft and without Splunk.

Stand-ins of both (tests/e2e/world) run on this machine. Three customers on three different APIs have alerts; the
program is started as splunkd starts it, over TLS; alerts arrive, one is updated, the program is restarted; at the end
what was sent is held against what arrived. `--alerts FILE` lets a fourth customer answer with the records of a file:
a captured answer of any of the APIs, a JSON array, or one record a line.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

import captured  # noqa: E402
from captured import RECORDS_MOST  # noqa: E402
from world.feed import UPDATE_FIELD  # noqa: E402
from world.world import World  # noqa: E402

CUSTOMERS = [('contoso', 'graph'), ('fabrikam', 'endpoint'), ('tailspin', 'siem')]
TITLES = ('title', 'displayName', 'AlertTitle')


def say(text=''):
    print(text, flush=True)


def add_file(world, path, captured):
    """A customer whose service answers with the file's records; start_time reaches back to all of them."""
    api, records, left_out, start = captured
    feed = world.customer('from-file', api=api, poll_interval='1', start_time=start)
    for record in records:
        feed.add(record)
    say(f'  from-file   {api:9}  {len(records)} records of {path}' +
        (f'; {left_out} older versions, or beyond the first {RECORDS_MOST}, are left out' if left_out else ''))
    return len(records)


def show(event):
    """One line for an event that arrived."""
    try:
        record = json.loads(event.data)
    except ValueError:
        record = {}
    title = next((record[name] for name in TITLES if record.get(name)), '')
    identity = record.get('id') or record.get('AlertId') or '-'
    api_time = next((record[name] for name in set(UPDATE_FIELD.values()) if record.get(name)), '-')
    status = record.get('status') or record.get('Severity') or ''
    title = ' '.join(title.split())
    say(f'    {event.stanza.split("://")[-1]:10} {api_time:29} {str(status):10} {str(identity)[:34]:34} {title[:40]}')


def show_some(program, since, most=4):
    """The first events of each customer after the given number of events; how many there are now."""
    shown = {}
    for event in list(program.events)[since:]:
        shown[event.stanza] = shown.get(event.stanza, 0) + 1
        if shown[event.stanza] <= most:
            show(event)
    for stanza, count in shown.items():
        if count > most:
            say(f'    {stanza.split("://")[-1]:10} ... and {count - most} more')
    return len(program.events)


def run(world, feeds, expected):
    """The story of the demo; returns the number of events that must have come."""
    say('\nStarting bin/defender_alerts as splunkd does: <input> XML on stdin, events on stdout, log on stderr.')
    program = world.start()
    program.wait_events(expected, seconds=60)
    say(f'{expected} alerts have arrived:')
    seen = show_some(program, 0)

    say('\nOne alert of contoso is updated at Microsoft, fabrikam has a new one that becomes visible late:')
    feeds['contoso'].update(feeds['contoso'].versions[0])
    feeds['fabrikam'].publish(1, late=1.0)
    program.wait_events(expected + 2, seconds=30)
    show_some(program, seen)

    say(f'\nSIGTERM: the program saved its checkpoints and was gone after {program.terminate(5):.2f} s. One alert '
        'comes while it is down.')
    feeds['tailspin'].publish(1)
    again = world.restart()
    again.wait_events(1, seconds=30)
    again.wait_line(r'input=contoso .*state=ok')
    say('Started again; only the new one arrives:')
    show_some(again, 0)
    say(f'\nFrom its log:\n    {next(line.text for line in again.lines if "input=contoso" in line.text)[:180]}')
    again.terminate(5)
    return expected + 3


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    arguments.add_argument('--alerts', metavar='FILE', help='records for a fourth customer')
    options = arguments.parse_args()
    sys.stdout.reconfigure(errors='backslashreplace')   # titles have any characters
    path = os.path.expanduser(options.alerts or '')
    try:
        file = captured.read(path) if path else None
    except captured.Unusable as error:
        return f'demo: {path!r} {error}'
    with World() as world:
        say('Stand-ins of Entra, three alert APIs and splunkd run on 127.0.0.1 over TLS. The customers:')
        feeds, expected = {}, 0
        for name, api in CUSTOMERS:
            feeds[name] = world.customer(name, api=api, poll_interval='1')
            feeds[name].publish(12, span_s=20000)
            expected += 12
            say(f'  {name:10}  {api:9}  12 alerts')
        if file:
            expected += add_file(world, path, file)
        total = run(world, feeds, expected)
        verdict = world.verdict()
    say(f'\nSent by Microsoft\'s stand-in: {total}. {verdict}')
    good = verdict.exact and verdict.delivered == total
    say('Every alert arrived once.' if good else 'THE COUNT IS WRONG.')
    return 0 if good else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except TimeoutError as late:
        sys.exit(f'demo: {str(late).splitlines()[0]}')
    except KeyboardInterrupt:
        sys.exit(130)
