"""Each fault alone: it strikes one customer, who loses nothing; and the others, who notice nothing."""
import os
import shutil
import subprocess
import tempfile
import time

import pytest
from cases import SECOND, DeliveryCase
from world import faults
from world.certs import Authority
from world.httpd import Response
from world.runner import wait_for

# Shifts this host's wall clock by what a file says; the monotonic clocks stay.
SHIM = rb'''
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *ret)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime"), status = real(id, ret);
    FILE *file = id == CLOCK_REALTIME ? fopen(getenv("CLOCK_SHIFT"), "r") : NULL;
    long shift = 0;
    if (file && fscanf(file, "%ld", &shift) == 1)
        ret->tv_sec += shift;
    if (file)
        fclose(file);
    return status;
}
'''


def _not_json(feed):
    feed.add(b'{"id": "da1_1", "title": }', ticks=feed.versions[0].ticks, readable=False)


def _odd_records(feed):
    name = {'endpoint': 'lastUpdateTime', 'siem': 'LastProcessedTimeUtc'}.get(feed.api, 'lastUpdateDateTime')
    ticks = feed.versions[0].ticks
    feed.add(b'{"title": "neither id nor time"}', ticks=ticks)
    feed.add(b'{"id": "da7_7", "title": "no time"}', ticks=ticks)
    feed.add(b'{"id": 12, "%s": "yesterday"}' % name.encode(), ticks=ticks)
    feed.add(b'{"id": "da8_8", "%s": null, "title": "\xff\xfe \\u0000"}' % name.encode(), ticks=ticks)


def _huge(feed):
    feed.publish(1, size=15_000_000)


def _number_for_link(request, answer):
    response = answer()
    response.body = response.body.replace(b'{', b'{"@odata.nextLink":7,', 1)
    return response


# name: (API, fault, when it strikes)
ON_PAGES = {
    **{f'{code}-{form}': ('graph', faults.throttled(code, 1.2, form), {'times': 2})
       for code in (429, 503) for form in ('seconds', 'fraction', 'date', 'body', 'absent')},
    'http-500': ('endpoint', faults.status(500), {'times': 2}),
    'http-502-html': ('siem', faults.html(502), {'times': 2}),
    'http-504-empty': ('incidents', faults.empty(504), {'times': 2}),
    'http-206': ('graph', faults.status(206, b'{"value":[]}'), {'times': 2}),
    'redirected': ('graph', faults.redirect('https://127.0.0.1:9/'), {'times': 2}),
    'reset-before': ('endpoint', faults.reset(), {'times': 2}),
    'reset-after': ('siem', faults.reset(after=True), {'times': 2}),
    'hung-up': ('graph', faults.hang_up(), {'times': 2}),
    'dropped': ('graph', faults.drop_after(), {'times': 5}),
    'cut': ('graph', faults.cut(0.5), {'times': 2}),
    'cut-gzip': ('endpoint', faults.cut(0.7, compress=True), {'times': 2}),
    'cut-chunked': ('siem', faults.cut(0.9, compress=False, chunked=True), {'times': 2}),
    'cut-at-once': ('incidents', faults.cut(0), {'times': 2}),
    'trickled': ('graph', faults.trickle(4000, 0.02), {'times': 2}),
    'length-too-long': ('graph', faults.wrong_length(50), {'times': 2}),
    'length-too-short': ('endpoint', faults.wrong_length(-50), {'times': 4}),
    'html-200': ('graph', faults.html(), {'times': 2}),
    'empty-200': ('siem', faults.empty(), {'times': 2}),
    'value-is-text': ('endpoint', faults.wrong_types('value', 'none'), {'times': 2}),
    'value-is-null': ('graph', faults.wrong_types('value', None), {'times': 2}),
    'value-is-object': ('incidents', faults.wrong_types('value', {}), {'times': 2}),
    'object-for-array': ('siem', faults.wrong_types(), {'times': 2}),
    'link-is-number': ('graph', _number_for_link, {'times': 2}),
    'padded-20-mb': ('graph', faults.too_big(20_000_000), {'times': 1}),
    'token-refused': ('graph', faults.status(401), {'nth': {2, 4}}),
    'fat-pages': ('graph', faults.page_over(items=3), {}),
}
ON_LOGIN = {
    'login-429': faults.login_throttled(1), 'login-503': faults.status(503, retry_after=1),
    'login-html': faults.html(), 'login-reset': faults.reset(), 'login-lost': faults.reset(after=True),
    'login-empty': faults.empty(), 'login-cut': faults.cut(0.5), 'login-types': faults.wrong_types('access_token', 5),
}
ON_RECORDS = {'no-json': _not_json, 'odd-records': _odd_records, 'huge-record': _huge}


class Alone(DeliveryCase):
    """All of them in one process, each with a customer of its own."""

    def strike(self, world):
        rules = {}
        for name, (api, fault, when) in ON_PAGES.items():
            feed = world.customer(name, api=api, start_time='-2h')
            feed.publish(8, span_s=3000, size='small' if name == 'fat-pages' else 'real')
            rules[name] = world.faults.add(fault, kind=api, tenant=feed.tenant, **when)
        for name, fault in ON_LOGIN.items():
            feed = world.customer(name, start_time='-2h')
            feed.publish(8, span_s=3000)
            rules[name] = world.faults.add(fault, service='login', tenant=feed.tenant, times=2)
        for name, add in ON_RECORDS.items():
            for api in ('graph', 'siem'):
                feed = world.customer(f'{name}-{api}', api=api, start_time='-2h')
                feed.publish(8, span_s=3000)
                add(feed)
        return rules

    @pytest.mark.promise('Events', 'A record without id or time is written without `<time>`, with a WARN')
    @pytest.mark.promise('Events', 'A record that is not JSON causes an ERROR with its position, and all others arrive')
    @pytest.mark.promise('Events', 'Malformed UTF-8 becomes U+FFFD, with a WARN')
    @pytest.mark.promise('Trouble', "One customer's trouble delays no other customer")
    @pytest.mark.promise('Trouble',
                         'Lost connections, 5xx, truncated bodies and web pages are retried forever, without loss')
    @pytest.mark.promise('Trouble', 'A page that keeps failing is requested in smaller pieces')
    @pytest.mark.waits(30)
    def test_each_fault(self):
        world = self.world()
        rules = self.strike(world)
        calm = world.customer('calm')
        calm.publish(5)
        program = world.start()
        begun = world.clock.steady()
        wait_for(lambda: len([1 for event in program.events if event.stanza.endswith('://calm')]) == 5, 8,
                 'the calm one')
        self.assertLess(world.clock.steady() - begun, 8)
        self.arrives(world, 120)
        for feed in world.feeds.values():
            feed.publish(2, size='small')
        self.exact(world, calm, seconds=120)
        self.assertEqual([name for name, rule in rules.items() if not rule.hits], [])
        for api in ('graph', 'siem'):
            for said in (f'WARN event=odd_record input=odd-records-{api} .*records=[1-9]',
                         f'WARN event=replaced input=odd-records-{api} .*U\\+FFFD',
                         f'ERROR event=bad_record input=no-json-{api} .*record=[0-9]+ offset=[0-9]+ from=20.* to=20'):
                program.wait_line(said, 30)
        self.ends(world)


class Services(DeliveryCase):
    """Faults that strike everybody at once."""

    @pytest.mark.promise('Trouble',
                         'Lost connections, 5xx, truncated bodies and web pages are retried forever, without loss')
    def test_refused_connections_and_a_wrong_certificate(self):
        world = self.world(tls=True)
        feed = world.customer('c')
        feed.publish(3)
        program = world.start()
        self.arrives(world)
        world.microsoft.graph.stop()
        feed.publish(2)
        program.wait_line('event=trouble')
        stranger = Authority()
        self.addCleanup(stranger.close)
        own = world.microsoft.graph.pair
        world.microsoft.graph.start(stranger.server())
        wait_for(lambda: world.microsoft.graph.accepted, 10, 'a handshake')
        seen = len(world.microsoft.requests(kind='graph'))
        world.microsoft.graph.restart(own)
        self.exact(world, seconds=30)
        self.assertGreaterEqual(len(world.microsoft.requests(kind='graph')), seen)

    def test_an_unknown_name(self):
        world = self.world(tls=True)
        feed = world.customer('c', api_url='https://no-such-host.invalid')
        calm = world.customer('calm')
        for each in (feed, calm):
            each.publish(2)
        program = world.start()
        program.wait_line('input=c .*no-such-host.invalid')
        self.arrives(world, lost=2)
        world.splunkd.inputs['c'][1]['api_url'] = world.microsoft.url('graph')
        world.restart()
        self.exact(world)

    @pytest.mark.promise('Events', 'Wrong clocks lose no alert')
    @pytest.mark.waits(20)
    def test_the_service_clock_is_an_hour_off(self):
        for seconds in (3600, -3600):
            with self.subTest(seconds):
                world = self.world()
                feed = world.customer('c', overlap=60)
                old = world.customer('old', overlap=60)

                def now(shift=0, world=world):
                    return self.now(world) - shift * SECOND
                old.publish(1500, span_s=86400, size='small')
                feed.publish(5)
                world.clock.jump(seconds)
                world.start()
                for _ in range(4):
                    self.polls(world, feed, 1)
                    feed.publish(2, ticks=now(seconds))
                    old.publish(2, ticks=now(seconds))
                world.clock.jump(-seconds)
                for _ in range(3):
                    self.polls(world, feed, 1)
                    feed.publish(2, ticks=now())
                self.exact(world, seconds=40)

    @pytest.mark.promise('Events', 'Wrong clocks lose no alert')
    def test_the_clock_of_this_host_is_wrong_and_jumps(self):
        self.without_sanitizers()
        world = self.world()
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        shim, shift = os.path.join(folder, 'shim.so'), os.path.join(folder, 'shift')
        subprocess.run(['gcc', '-shared', '-fPIC', '-x', 'c', '-', '-o', shim, '-ldl'], input=SHIM, check=True)

        def turn(seconds):
            with open(shift, 'w', encoding='ascii') as file:
                file.write(str(seconds))
        turn(3600)
        feed, old = world.customer('c', overlap=60), world.customer('old', overlap=60)
        old.publish(1500, span_s=86400, size='small')
        feed.publish(3)
        feed.publish(1, ticks=self.now(world) + 1800 * SECOND)      # must not hide what comes before it
        world.start(environment=world.home.environment(LD_PRELOAD=shim, CLOCK_SHIFT=shift))
        for seconds in (3600, -3600, 0, 7200):
            self.polls(world, feed, 2)
            turn(seconds)
            for each in (feed, old):
                each.publish(2)
        self.exact(world, seconds=40)

    def test_a_lost_answer_with_a_rotated_token(self):
        world = self.world()
        tenant = world.microsoft.tenant('r')
        token = world.microsoft.identity.new_refresh_token(tenant)
        feed = world.customer('r', refresh_token=token)
        feed.publish(3)
        world.faults.add(faults.reset(after=True), service='login', times=1)
        world.start()
        self.exact(world)


class Waits(DeliveryCase):
    """What a service asks for is obeyed, by one customer only."""

    @pytest.mark.promise('Trouble',
                         'The wait that a 429 or 503 asks for is kept, as seconds, fraction, date or in the body')
    @pytest.mark.promise('Trouble', "One customer's trouble delays no other customer")
    def test_the_wait_is_kept_in_every_form(self):
        wait = 3
        world, rules = self.world(), {}
        more = {'seconds': 0, 'fraction': 0.4, 'date': -1, 'body': 0.4}     # a date has whole seconds only
        cases = [(f'{code}-{form}', 'page', faults.throttled(code, wait + 0.4, form), wait + more[form])
                 for code in (429, 503) for form in more]
        cases += [('login', 'token', faults.login_throttled(wait), wait),
                  ('login-503', 'token', faults.status(503, retry_after=wait), wait)]
        for number, (name, what, fault, _) in enumerate(cases):
            feed = world.customer(name, ('graph', 'endpoint', 'siem', 'incidents')[number % 4])
            feed.publish(3)
            where = {'service': 'login'} if what == 'token' else {'kind': feed.api}
            rules[name] = world.faults.add(fault, tenant=feed.tenant, times=1, **where)
        calm = world.customer('calm')
        calm.publish(1)
        world.start()
        self.exact(world, calm)
        for name, what, _, least in cases:
            feed = world.feeds[name]
            service = {'service': 'login'} if what == 'token' else {'kind': feed.api}
            refused, after = world.microsoft.requests(feed.tenant, **service)[:2]
            with self.subTest(name):
                self.assertEqual(rules[name].hits, 1)
                self.assertIn(refused.status, (429, 503))
                self.assertGreaterEqual(after.when - refused.when, least - 0.05)
        gaps = [entry.when for entry in world.microsoft.requests(calm.tenant, kind='graph')]
        self.assertLess(max(b - a for a, b in zip(gaps, gaps[1:])), 2.5, 'the calm one waited as well')

    @pytest.mark.promise('Trouble', "One customer's trouble delays no other customer")
    @pytest.mark.waits(10)
    def test_more_mute_customers_than_there_are_places_delay_nobody(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                world, rules = self.world(tls=tls), []
                for number in range(130):
                    feed = world.customer(f'mute{number}')
                    rules.append(world.faults.add(faults.black_hole(), kind='graph', tenant=feed.tenant))
                calm = world.customer('calm', 'endpoint')
                program = world.start()
                program.wait_line('input=calm .*state=ok', 30)
                wait_for(lambda rules=rules: all(rule.hits for rule in rules), 60,
                         lambda rules=rules: sum(rule.hits > 0 for rule in rules))
                for count in (1, 2, 3):
                    began = world.clock.steady()
                    calm.publish(1)
                    program.wait_events(count)
                    self.assertLess(world.clock.steady() - began, 3.5)
                self.ends(world)


class Paging(DeliveryCase):
    """Faults in the middle of a chain of pages."""

    def test_tokens_that_die_between_pages(self):
        world = self.world()
        feed = world.customer('c', start_time='-2h')
        feed.quirks.set(page_cap=10)
        feed.publish(45, ticks=self.now(world) - 60 * SECOND, size='small')
        world.faults.add(faults.status(401), kind='graph', nth={4, 7, 9, 12})
        world.start()
        self.exact(world, seconds=40)
        self.assertFalse([line for line in world.program.lines if 'event=refused' in line.text])

    @pytest.mark.promise('Trouble',
                         'Lost connections, 5xx, truncated bodies and web pages are retried forever, without loss')
    def test_faults_between_pages(self):
        world = self.world()
        feed = world.customer('c', start_time='-2h')
        feed.quirks.set(page_cap=15)
        feed.publish(40, ticks=self.now(world) - 60 * SECOND, size='small')
        for number, fault in ((5, faults.cut(0.5)), (8, faults.status(500)), (11, faults.throttled(429, 1))):
            world.faults.add(fault, kind='graph', nth=number)
        world.start()
        self.exact(world, seconds=40)

    @pytest.mark.promise('Events', 'A record that is not JSON causes an ERROR with its position, and all others arrive')
    @pytest.mark.waits(95)
    def test_a_record_that_breaks_its_page(self):
        """An unclosed string swallows what is behind it: only the one record is left behind, the rest arrives."""
        world = self.world()
        feed = world.customer('c', start_time='-2h', api='endpoint', poll_interval=10)   # the limit leaves room
        good = feed.publish(12, span_s=3000, size='small')
        feed.add(b'{"id": "da1_1", "title": "never closed}', ticks=good[5].ticks + 1, readable=False)
        world.start().wait_line('ERROR event=bad_record input=c .*from=20.* to=20', 120)
        self.arrives(world, 90)
        feed.publish(2)
        self.arrives(world, 90)
        self.assertTrue(world.verdict().exact, world.verdict())
        before = len(world.microsoft.requests(feed.tenant))     # its place is known now: no poll hunts for it again
        time.sleep(11)
        self.assertLess(len(world.microsoft.requests(feed.tenant)) - before, 8)

    @pytest.mark.waits(25)
    def test_a_proxy_that_cuts_every_answer_costs_nothing(self):
        def chop(request, answer):
            response = answer()
            response.body = response.body[:len(response.body) * 2 // 3]
            return Response(200, response.body)
        world = self.world()
        feed = world.customer('c', start_time='-2h')
        feed.publish(6, span_s=3000, size='small')
        rule = world.faults.add(chop, kind='graph')
        program = world.start()
        wait_for(lambda: rule.hits >= 6, 90, lambda: f'{rule.hits} chopped answers {program.tail()}')
        rule.remove()
        self.exact(world, seconds=60)
