"""Two weeks of customers as the events that Splunk would hold, for the dashboard of completeness.

The program under test reads alerts of 14 days, is started again and says its manifests: events and lines are its own.
Then some events are taken out of the index, cut, or put in twice. The lines of the audits are made up here, in the form
that docs/troubleshooting.md and docs/searching.md give them.
"""
import json
import sys
import time

import scene  # its folders come first
from world import ticks
from world.runner import wait_for
from world.world import World

DAY, DAYS = 86400, 14
CAST = {'contoso': ('graph', 8), 'fabrikam': ('endpoint', 6), 'northwind': ('incidents', 4), 'wingtip': ('graph', 5),
        'woodgrove': ('graph', 3), 'adventure-works': ('endpoint', 3), 'litware': ('graph', 2),
        'proseware': ('graph', 2), 'relecloud': ('graph', 1), 'tailspin': ('siem', 2)}
# What the audits say, by customer and days ago; equal otherwise. (result, more of the line)
SAID = {('contoso', 3): ('repaired', 'missing=0 repaired=2'), ('northwind', 1): ('repaired', 'missing=0 repaired=1'),
        ('wingtip', 1): ('missing', 'missing=1 repaired=0'),
        ('litware', 1): ('partial', 'why="the service counts 3 records and lists 2"'), ('proseware', 1): ('behind', ''),
        ('relecloud', 1): ('unknown', 'why=no_ledger'), ('relecloud', 2): ('unknown', 'why=no_ledger')}
LATE = (('contoso', 3, 'da-late-1', 61200), ('contoso', 3, 'da-late-2', 64800), ('wingtip', 1, 'da-late-3', 50400),
        ('northwind', 1, '29-late', 39600))
WANTED = {'fabrikam': '✖ missing', 'wingtip': '✖ missing', 'woodgrove': '✖ differs', 'adventure-works': '✖ cut',
          'litware': '▲ partial', 'relecloud': '▲ unknown', 'proseware': '◐ behind', 'contoso': '✔ equal',
          'northwind': '✔ repaired', 'lucerne': '◐ none'}     # of yesterday, but of woodgrove the day before


class Days:
    """Plays it once. log and alerts: lists of Splunk events; now: the time at which somebody looks."""

    def __init__(self):
        self.log, self.alerts = [], []
        with World(tls=False) as world:
            self.today = int((world.clock.now() - 7200) // DAY * DAY)   # the day before it is settled
            self.now = self.today + 12 * 3600.0
            program = self._play(world)
            self._collect(world, program)
        self._audits()
        self._disturb()

    def date(self, ago):
        """That day, as lines name it."""
        return ticks.iso(ticks.from_seconds(self.today - ago * DAY))[:10]

    def _play(self, world):
        begin = self.date(DAYS + 1) + 'T00:00:00Z'
        for name, (api, each) in CAST.items():
            feed = world.customer(name, api=api, **({} if api == 'siem' else {'start_time': begin}))
            for ago in range(1, DAYS + 1):
                for number in range(each):
                    moment = self.today - ago * DAY + 12 * 3600 + number * 97
                    feed.publish(1, ticks=ticks.from_seconds(moment) + number)
        world.customer('lucerne', start_time=self.date(0) + 'T00:00:00Z')
        count = DAYS * sum(each for api, each in CAST.values() if api != 'siem')
        world.start().wait_events(count, 60)
        wait_for(lambda: all(self._polled(world, name) > 3 for name in CAST), 60, 'polls')
        world.restart()
        wait_for(lambda: len(self._said(world.program)) >= (len(CAST) - 1) * (DAYS + 1), 90, world.program.tail)
        world.program.wait_line('event=status input=lucerne')
        return world.program

    @staticmethod
    def _polled(world, name):
        feed = world.feeds[name]
        return sum(1 for entry in world.microsoft.requests(feed.tenant, kind=feed.api) if entry.status)

    @staticmethod
    def _said(program):
        return {line.text for line in list(program.lines) if line.text.startswith('INFO event=manifest')}

    def _collect(self, world, program):
        """The lines of the last minute before now, without those of audits, and all events."""
        for number, line in enumerate(list(program.lines)):
            if ' event=audit' in line.text:
                continue
            self.log.append(scene.line_event(line.level, line.text, self.now - 60 + number / 1000, 'hf-main'))
        self.alerts = [scene.alert_event(event, self.now - 60, 'hf-main') for event in world.events()]

    def _say(self, when, text, level='INFO'):
        self.log.append(scene.line_event(level, f'{level} {text}', when, 'hf-main'))

    def _audits(self):
        """Each day is looked at three times."""
        for name, (api, each) in CAST.items():
            for ago in range(1, DAYS + 1) if api != 'siem' else ():
                for look in range(3):
                    when = self.today - (ago - 1 - look) * DAY + 3600 + 60 * len(name)
                    result, more = SAID.get((name, ago), ('equal', '')) if look == 0 or ago < 3 else ('equal', '')
                    if when < self.now:
                        self._audit(when, name, api, ago, each, result, more)
        for name, ago, ident, after in LATE:
            when = self.today - (ago - 1) * DAY + 3600 + 60 * len(name)
            result = SAID[name, ago][0]
            self._say(when, f'event=audit_missing input={name} tenant=t api=graph id="{ident}" '
                            f'time={ticks.iso(ticks.from_seconds(when - after))} found_after_s={after} '
                            f'result={result}', 'WARN')

    def _audit(self, when, name, api, ago, each, result, more):
        level = 'WARN' if result in ('repaired', 'missing', 'partial') else 'INFO'
        more = more if 'missing=' in more else f'{more} missing=0 repaired=0'
        self._say(when, f'event=audit input={name} tenant=t api={api} day={self.date(ago)} result={result} '
                        f'listed={each} counted={each} written={each} {more} superseded=0 odd=0 '
                        f'requests={1 + each // 4} bytes={30000 * each} select=yes took_s=2', level)

    def _of(self, name, ago):
        """The events of a customer's day."""
        start = self.today - ago * DAY
        return [event for event in self.alerts if event['customer'] == name and start <= event['_time'] < start + DAY]

    def _disturb(self):
        """What is wrong in the index."""
        for event in self._of('fabrikam', 1)[:2]:
            self.alerts.remove(event)
        stranger = self._of('woodgrove', 2)[0]
        ident = json.loads(stranger['_raw'])['id']
        self.alerts.append({**stranger, '_raw': stranger['_raw'].replace(ident, 'da-stranger'), 'id': 'da-stranger'})
        for event in self._of('adventure-works', 1):
            event['_raw'] = event['_raw'][:200]
        self.alerts += self._of('northwind', 4) + self._of('contoso', 5)[:3]

    def save(self, path):
        """Keeps it as JSON, for another look without another run."""
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'now': self.now, 'log': self.log, 'alerts': self.alerts}, file)


if __name__ == '__main__':
    began = time.time()
    days = Days()
    days.save(sys.argv[1])
    print(f'{len(days.log)} lines, {len(days.alerts)} alerts, {time.time() - began:.0f} s')
