"""A few hours of the program at work with customers in every state, as the events that Splunk would hold.

The program under test runs against the stand-ins of tests/e2e/world; libfaketime lets its clock run RATE times as fast
and the world's clock keeps step, so that minutes are enough. What it wrote on stderr becomes splunkd's log lines, what
it wrote on stdout becomes alerts with the fields of props.conf.
"""
import glob
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ('e2e', 'splunk'):
    sys.path.insert(0, os.path.join(HERE, '..', folder))

import fields  # noqa: E402
from world import faults, login_errors  # noqa: E402
from world.certs import signing_pair  # noqa: E402
from world.clock import Clock  # noqa: E402
from world.world import World  # noqa: E402

RATE = 120
MINUTE = 60 / RATE                              # of the program's time, in seconds of ours
_FACT = re.compile(r'(?<![\w"])(\w+)=(?:"([^"]*)"|([^\s"]+))')
_PREFIX = '[4711 ExecProcessor] - message from "/opt/splunk/etc/apps/TA-defender-mssp/bin/defender_alerts"'


class Unavailable(Exception):
    """The scene cannot be played on this machine; the text says why."""


def _fast():
    """The environment variables that let the program's clock run fast."""
    found = glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1')
    if not found:
        raise Unavailable('libfaketime is not installed (Debian: faketime)')
    return {'LD_PRELOAD': found[0], 'FAKETIME': f'+0 x{RATE}', 'FAKETIME_DONT_FAKE_MONOTONIC': '0'}


def line_event(level, text, when, host):
    """The event that Splunk has of a line on stderr."""
    stamp = time.strftime('%m-%d-%Y %H:%M:%S', time.gmtime(when)) + f'.{int(when % 1 * 1000):03} +0000'
    raw = f'{stamp} {level:5} ExecProcessor {_PREFIX} {text}'
    facts = {name: quoted or plain for name, quoted, plain in _FACT.findall(text)}
    return {**facts, '_raw': raw, '_time': when, 'index': '_internal', 'sourcetype': 'splunkd', 'host': host,
            'component': 'ExecProcessor', 'log_level': level, 'source': 'splunkd.log'}


def alert_event(event, when, host):
    """The event that Splunk has of an element <event> on stdout."""
    known = fields.fields_of(fields.read('props')[event.sourcetype], event.data, event.stanza)
    return {**known, '_time': float(event.time or 0), '_indextime': when, 'index': 'main',
            'sourcetype': event.sourcetype, 'host': host}


class Scene:
    """Plays it once. log and alerts: lists of Splunk events; now: the end, in the program's time."""

    def __init__(self, minutes=110):
        self.log, self.alerts, self.minutes = [], [], minutes
        self._clock = Clock(rate=RATE)
        self._began, self._first = time.time(), self._clock.now()
        with World(tls=False, clock=self._clock) as world:
            self.world = world
            self._play()
            self.now = self._at(time.time())
            for program, host in zip(world.programs, ('hf-old', 'hf-main')):
                self._collect(program, host)

    def _at(self, when):
        return self._first + (when - self._began) * RATE

    def _sleep(self, minutes):
        time.sleep(minutes * MINUTE)

    def _customer(self, name, api, past, span_h=20, **how):
        feed = self.world.customer(name, api=api, poll_interval='60', **how)
        if past:
            feed.publish(past, span_s=span_h * 3600, size='real' if past < 1000 else 'small')
        return feed

    def _cast(self):
        """The customers, by the state that they are to end in."""
        world = self.world
        cast = {'contoso': ('graph', 60), 'fabrikam': ('endpoint', 40), 'tailspin': ('siem', 25),
                'northwind': ('incidents', 15), 'wingtip': ('graph', 20), 'adventure-works': ('endpoint', 10),
                'woodgrove': ('graph', 8), 'relecloud': ('graph', 0), 'litware': ('graph', 12)}
        feeds = {name: self._customer(name, *how) for name, how in cast.items()}
        feeds['proseware'] = self._customer('proseware', 'graph', 7000, span_h=24 * 29)
        feeds['proseware'].quirks.set(page_cap=1)       # the past comes slowly, and is not through at the end
        self._with_certificate(feeds['relecloud'])
        world.faults.add(login_errors.refusing(7000222), service='login', tenant=feeds['litware'].tenant.id)
        return feeds

    def _with_certificate(self, feed):
        pair = signing_pair(self.world.home.path, 'relecloud')
        with open(pair.cert, encoding='ascii') as cert, open(pair.key, encoding='ascii') as key:
            text = cert.read() + key.read()
        with open(pair.cert, 'w', encoding='ascii') as both:
            both.write(text)
        feed.tenant.app.certificates.append(pair.cert)
        self.world.splunkd.add_input('relecloud', 'search', **{
            **self.world.params(feed.tenant, 'graph', client_secret=None, poll_interval='60'),
            'client_certificate': pair.cert})

    def _play(self):
        world, fast = self.world, self.world.home.environment(**_fast())
        lucerne = self._customer('lucerne', 'graph', 10)
        first = world.start(environment=fast)
        first.wait_line('input=lucerne .*state=ok')
        del world.splunkd.inputs[next(key for key in world.splunkd.inputs if 'lucerne' in str(key))]
        feeds = self._cast()
        program = world.start(environment=fast)
        self._sleep(50)
        first.terminate()                       # a forwarder that is gone: its customer falls silent
        world.faults.add(faults.throttled(429, 400, 'seconds'), kind='graph', tenant=feeds['wingtip'].tenant.id)
        feeds['woodgrove'].add(b'{"id":"da1","title":oops}', readable=False)
        self._days_work(feeds, self.minutes - 80)
        world.faults.add(faults.reset(), kind='endpoint', tenant=feeds['adventure-works'].tenant.id)
        self._days_work(feeds, 30)
        if not program.running or lucerne is None:
            raise AssertionError(program.tail())

    def _days_work(self, feeds, minutes):
        """Alerts come and are updated for so long."""
        busy = {'contoso': 4, 'fabrikam': 2, 'tailspin': 1, 'northwind': 1, 'wingtip': 2, 'adventure-works': 1}
        for turn in range(int(minutes / 10)):
            for name, count in busy.items():
                feeds[name].publish((count * (1 + turn % 3) + 1) // 2)
            feeds['contoso'].update(feeds['contoso'].versions[turn])
            self._sleep(10)

    def _collect(self, program, host):
        self.log += [line_event(line.level, line.text, self._at(line.when), host) for line in list(program.lines)]
        self.alerts += [alert_event(event, self._at(event.when), host) for event in list(program.events)]

    def save(self, path):
        """Keep it as JSON, for a look at the panels without another run."""
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'now': self.now, 'log': self.log, 'alerts': self.alerts}, file)


if __name__ == '__main__':
    scene = Scene()
    scene.save(sys.argv[1])
    print(f'{len(scene.log)} lines, {len(scene.alerts)} alerts')
