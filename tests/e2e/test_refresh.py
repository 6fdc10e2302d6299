"""Delegated sign-in: refresh tokens that rotate in Splunk's password store, and the codes that they come from."""
import os
import threading
import time
import unittest

import pytest
from checks import MASK, Spy, leaks, param
from world import faults
from world.httpd import Response
from world.runner import wait_for
from world.world import World


def refresh_name(tenant):
    """The name of a tenant's refresh token in the store."""
    return f'refresh_token.{tenant.id}.{tenant.app.client_id}'


class RefreshTokens(unittest.TestCase):
    """The secret that changes by itself."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.identity = self.world.microsoft.identity
        self.identity.rotation = 'strict'       # a used token redeemed again would end the whole family

    def customer(self, name='a', **changes):
        """An input with a new refresh token in clear; returns its feed and the token."""
        tenant = self.world.microsoft.tenant(name)
        token = self.identity.new_refresh_token(tenant)
        return self.world.customer(name, refresh_token=token, **changes), token

    def deliver(self, feed, count=1):
        """Publish some, and wait until all that was ever published came out."""
        feed.publish(count)
        wait_for(lambda: len(self.world.events()) >= len(feed.versions), 20, lambda: self.world.program.tail())

    def test_it_is_moved_and_rotated_in_the_store(self):
        """Through a mask, a restart, and a store that cuts at 255 characters or refuses longer ones."""
        for cut_at, refuse_over in ((None, None), (255, None), (None, 255)):
            with self.subTest(cut_at=cut_at, refuse_over=refuse_over), World() as world:
                world.microsoft.identity.rotation = 'strict'
                world.splunkd.cut_at, world.splunkd.refuse_over = cut_at, refuse_over
                tenant = world.microsoft.tenant('a')
                token = world.microsoft.identity.new_refresh_token(tenant)
                feed = world.customer('a', refresh_token=token)
                feed.publish(1)
                world.follow_edits()
                world.start()
                wait_for(lambda: param(world, 'a', 'refresh_token') == MASK, 20, lambda: world.program.tail())
                wait_for(lambda: len(world.programs) == 2, 10, 'the restart')
                wait_for(lambda: len(world.events()) == 1, 20, lambda: world.program.tail())
                for count in (2, 3):
                    world.program.wait_line('state=ok')
                    world.restart()
                    feed.publish(1)
                    wait_for(lambda count=count: len(world.events()) == count, 20, lambda: world.program.tail())
                wait_for(lambda: len(world.splunkd.secrets()) < 10, 10, 'the end of old pieces')
                world.program.terminate()
                self.assertTrue(all(len(secret) <= 255 for secret in world.splunkd.passwords.values()) or not
                                (cut_at or refuse_over))
                self.assertEqual(leaks(world, list(world.microsoft.identity.refresh)), [])
                self.assertTrue(world.verdict().exact, world.verdict())

    @pytest.mark.promise('Secrets',
                         'A secret that cannot be masked replaces the stored one only if it changed, even after a kill')
    def test_one_that_cannot_be_masked_does_not_overwrite_its_successor(self):
        """It comes in clear at every start; only a different clear text is a new one."""
        feed, token = self.customer()
        self.world.faults.add(faults.status(403), kind='inputs')
        self.world.start().wait_line('WARN event=not_masked input=a')
        self.deliver(feed)
        rotated = self.world.splunkd.password(refresh_name(feed.tenant))
        self.assertIn(rotated, self.identity.refresh)
        self.assertNotEqual(rotated, token)
        for _ in range(2):
            self.world.restart()
            self.deliver(feed)
        self.assertFalse(self.identity.refresh[rotated].revoked, 'the old token was redeemed again')
        fresh = self.identity.new_refresh_token(feed.tenant)
        self.world.splunkd.inputs['a'][1]['refresh_token'] = fresh
        spy = Spy(self.world, service='login')
        self.world.restart()
        self.deliver(feed)
        self.assertEqual(spy.forms[0]['refresh_token'], fresh)
        self.assertEqual(leaks(self.world, list(self.identity.refresh)), [])

    @pytest.mark.promise('Secrets',
                         'A secret that cannot be masked replaces the stored one only if it changed, even after a kill')
    def test_after_a_crash_the_clear_one_does_not_come_back_either(self):
        """SIGKILL right after the first rotation: what was taken is on record by then."""
        feed, token = self.customer()
        self.world.faults.add(faults.status(403), kind='inputs')
        name = refresh_name(feed.tenant)
        self.world.start()
        self.deliver(feed)
        self.world.program.kill()
        rotated = self.world.splunkd.password(name)
        self.world.start()
        feed.publish(1)
        wait_for(lambda: self.world.splunkd.password(name) not in (rotated, token), 15,
                 lambda: self.world.program.tail())
        self.assertFalse(self.identity.refresh[rotated].revoked, self.world.program.tail())

    def two_inputs(self):
        """Of one tenant, each for an API of its own, with one stored token; returns their feeds."""
        first, token = self.customer('a')
        params = dict(self.world.splunkd.inputs['a'][1], api='endpoint',
                      api_url=self.world.microsoft.url('endpoint'), refresh_token=MASK)
        self.world.splunkd.add_input('second', **params)
        second = first.tenant.feed('endpoint')
        self.world.ledger.bind('defender_alerts://second', second)
        self.world.splunkd.store(refresh_name(first.tenant), token)
        self.world.splunkd.inputs['a'][1]['refresh_token'] = MASK
        return first, second

    @pytest.mark.promise('Secrets', 'A rotated refresh token is stored before its access token is used')
    def test_two_inputs_of_one_tenant_share_one_token(self):
        """Redeemed one after the other, never the same one twice."""
        first, second = self.two_inputs()
        first.publish(2)
        second.publish(2)
        self.world.start().wait_events(4)
        self.world.restart()
        first.publish(1)
        second.publish(1)
        wait_for(lambda: len(self.world.events()) >= 6, 20, lambda: self.world.program.tail())
        self.assertTrue(self.world.verdict().exact, self.world.verdict())
        self.assertEqual([t for t in self.identity.refresh.values() if t.revoked], [])

    @pytest.mark.promise('Calls', 'A state is logged once, not at each attempt')
    @pytest.mark.waits(15)
    def test_a_failing_sign_in_fails_until_it_succeeds(self):
        """One line for the state, whatever tries are under way meanwhile."""
        def slow(_request, _answer):
            time.sleep(1.5)     # some tries are under way when states are looked at
            return Response(503)
        self.two_inputs()
        outage = self.world.faults.add(slow, service='login')
        program = self.world.start()
        time.sleep(15)
        states = [line.text.split('state=')[1].split()[0] for line in program.lines if 'event=status' in line.text]
        self.assertEqual(states, ['failing', 'failing'], program.tail())
        outage.remove()
        program.wait_line('input=a .*state=ok', 60)

    @pytest.mark.promise('Calls', 'A refresh token that cannot be stored is not used, and the input says why it fails')
    def test_a_store_that_takes_no_token(self):
        """What is not stored is not used, and the input says that it fails, and why."""
        first, _ = self.two_inputs()
        first.publish(2)
        refuses = self.world.faults.add(faults.status(403), service='splunkd', kind='passwords',
                                        match=lambda request: request.method == 'POST')
        program = self.world.start()
        program.wait_line('WARN event=store_failed', 20)
        program.wait_line('event=status input=a .*state=failing .*why="the new refresh token cannot be stored', 20)
        self.assertEqual(self.world.events(), [])
        refuses.remove()
        program.wait_events(2, 30)
        program.wait_line('event=status input=a .*state=ok')

    @pytest.mark.promise('Calls', 'No refresh token is redeemed after SIGTERM')
    def test_none_is_redeemed_once_the_end_has_begun(self):
        """Its successor could not be stored any more."""
        seen, ends = [], threading.Event()

        def late(request, answer):
            response = answer()
            response.hold = ends        # none makes room for another before the end has begun
            seen.append(request)
            return response
        for number in range(125):       # more than are let through at once
            tenant = self.world.microsoft.tenant(f't{number}')
            self.world.customer(f't{number}', refresh_token=MASK)
            self.world.splunkd.store(refresh_name(tenant), self.identity.new_refresh_token(tenant))
        self.world.faults.add(late, service='login')
        program = self.world.start()
        wait_for(lambda: len(seen) >= 100, 20, lambda: program.tail(), pause=0.01)
        before = len(seen)
        threading.Timer(0.1, ends.set).start()
        self.assertLess(program.terminate(), 2)
        self.assertEqual(len(seen), before)


class AuthorizationCodes(unittest.TestCase):
    """What an operator pastes after signing in."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.identity = self.world.microsoft.identity

    def forms(self, tenant):
        """The same sign-in as people paste it: yields (name, what is pasted, the bare code)."""
        def code():
            return self.identity.new_code(tenant)
        for name, make in (
                ('bare', lambda c: c), ('blanks', lambda c: f'  {c} \t'),
                ('address', self.identity.landing_address),
                ('more in it', lambda c: self.identity.landing_address(c, state='a b&c', admin_consent='True')),
                ('code last', lambda c: f'https://SiemMsspConnector?session_state=x&state=1&code={c}'),
                ('fragment', lambda c: f'https://siemmsspconnector/#code={c}&session_state=x'),
                ('percent', lambda c: 'https://siemmsspconnector/?code=' + ''.join(f'%{b:02X}' for b in c.encode())),
                ('quoted', lambda c: f'"{self.identity.landing_address(c)}"'),
                ('query only', lambda c: f'?code={c}&session_state=x')):
            bare = code()
            yield name, make(bare), bare

    @pytest.mark.promise('Parameters', "A code or a pasted address is exchanged once, with the input's redirect URI")
    def test_every_form_of_a_pasted_address(self):
        """Exchanged once, the refresh token in the store, the field cleared, alerts delivered; all inputs at once."""
        world = self.world
        pasted = {}
        for api in ('graph', 'siem'):
            tenant = world.microsoft.tenant('forms' + api)
            for name, text, code in self.forms(tenant):
                own = world.microsoft.tenant(f'{api} {name}', tenant.app)
                self.identity.codes[code].tenant = own
                pasted[own.name] = code
                world.customer(own.name, api, authorization_code=text, stored=True).publish(1)
        program = world.start()
        program.wait_events(len(pasted), 40)
        for name, code in pasted.items():
            with self.subTest(name):
                tenant = world.microsoft.tenant(name)
                self.assertTrue(self.identity.codes[code].used)
                self.assertIn(world.splunkd.password(f'refresh_token.{tenant.id}.{tenant.app.client_id}'),
                              self.identity.refresh)
                wait_for(lambda name=name: param(world, name, 'authorization_code') == '', 10, 'the cleared field')
        self.assertTrue(world.verdict().exact, world.verdict())
        self.assertEqual(leaks(world, list(pasted.values()) + list(self.identity.refresh)), [])

    @pytest.mark.promise('Parameters', "A code or a pasted address is exchanged once, with the input's redirect URI")
    def test_a_code_that_is_no_good_says_how_to_get_another(self):
        """Used, expired, foreign or no code at all: the field is cleared, and the line holds the address to open."""
        world = self.world
        cases = {'used': 'AADSTS54005', 'expired': 'AADSTS70008', 'refused': 'AADSTS65004', 'no code': 'code='}
        codes = {}
        for name, words in cases.items():
            tenant = world.microsoft.tenant(name)
            code = self.identity.new_code(tenant)
            self.identity.codes[code].used = name == 'used'
            if name == 'expired':
                self.identity.codes[code].expires = 0
            text = self.identity.landing_address(code)
            if name == 'refused':
                text = ('https://siemmsspconnector/?error=access_denied&error_description=AADSTS65004%3a+User+declined'
                        '+to+consent.%0d%0aTrace+ID%3a+x')
            world.customer(name, authorization_code='https://siemmsspconnector/?x=1' if name == 'no code' else text)
            codes[name] = words, code
        program = world.start()
        for name, (words, code) in codes.items():
            with self.subTest(name):
                line = program.wait_line(f'ERROR event=code_refused input="?{name}')
                self.assertIn(words, line.text)
                if name in ('used', 'expired'):
                    self.assertRegex(line.text, r'https://127\.0\.0\.1:\d+/[^ ]+/authorize\?[^ ]*response_type=code')
                self.assertNotIn(code[:40], line.text)
                wait_for(lambda name=name: param(world, name, 'authorization_code') == '', 10, 'the cleared field')

    @pytest.mark.promise('Parameters', "A code or a pasted address is exchanged once, with the input's redirect URI")
    def test_the_redirect_uri_of_the_input_goes_with_the_code(self):
        """Entra takes a code only with the address for which it was made."""
        back = 'https://siem.contoso.example/back'
        tenant = self.world.microsoft.tenant('a')
        tenant.app.redirect_uris.append(back)
        code = self.identity.new_code(tenant, redirect_uri=back)
        spy = Spy(self.world, service='login')
        self.world.customer('a', authorization_code=code, redirect_uri=back).publish(1)
        self.world.start().wait_events(1)
        self.assertEqual((spy.forms[0]['grant_type'], spy.forms[0]['redirect_uri']), ('authorization_code', back))

    def test_a_code_is_not_lost_while_the_login_service_is_away(self):
        """Tried again until an answer came; an answer that was lost on the way is not a reason to keep a dead code."""
        world = self.world
        tenant = world.microsoft.tenant('a')
        code = self.identity.new_code(tenant)
        feed = world.customer('a', authorization_code=code)
        feed.publish(1)
        world.faults.add(faults.status(503), service='login', times=1)
        world.start().wait_events(1, 30)
        self.assertTrue(self.identity.codes[code].used)
        self.assertTrue(os.listdir(world.home.checkpoints))
