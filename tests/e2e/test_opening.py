"""How an input begins: by which clock, with which secret, and with whose checkpoint."""
import email.utils

import pytest
from cases import APIS, SECOND, DeliveryCase
from world import faults
from world.login import App
from world.runner import wait_for

DAY = 86400 * SECOND


def dated(days):
    """The real answer with a Date that is off by that many days."""
    def fault(request, answer):
        response = answer()
        response.headers['Date'] = email.utils.formatdate(request.service.clock.now() + days * 86400, usegmt=True)
        return response
    return fault


class Dates(DeliveryCase):
    """Date headers that are wrong, once or for a while."""

    @staticmethod
    def after(start):
        """Which versions are to be written by an input that begins then."""
        return lambda version: version.ticks >= start

    @pytest.mark.promise('Events', 'One wrong Date decides nothing')
    def test_of_the_first_token(self):
        for days in (40, -40):
            with self.subTest(days):
                world = self.world()
                feed = world.customer('c', where=self.after(self.now(world) - 30 * DAY))
                feed.publish(5)
                feed.publish(5, ticks=self.now(world) - 35 * DAY)
                world.faults.add(dated(days), service='login', times=1)
                program = world.start()
                program.wait_line('WARN event=clock input=c .*is ignored')
                self.exact(world)
                self.ends(world)

    @pytest.mark.promise('Events', 'One wrong Date decides nothing')
    def test_of_the_first_token_after_a_restart(self):
        for days in (-2, 40):
            with self.subTest(days):
                world = self.world()
                feed = world.customer('c')
                feed.publish(5)
                world.start().wait_events(5)
                self.polls(world, feed)
                world.program.terminate()
                world.faults.add(dated(days), service='login', times=1)
                feed.publish(2)
                program = world.start()
                program.wait_line('WARN event=clock input=c ')
                feed.publish(2)
                self.exact(world)
                self.assertFalse([line for line in program.lines if 'event=checkpoint_bad' in line.text])
                self.ends(world)

    @pytest.mark.promise('Events', 'Wrong clocks lose no alert')
    def test_of_every_token(self):
        """The clock of the login service alone is ahead: at the first start it decides until the API answers."""
        for days in (20, 40):
            with self.subTest(days):
                world = self.world()
                for api in APIS:
                    feed = world.customer(api, api=api)
                    feed.publish(3)
                    feed.publish(10, span_s=28 * 86400)
                world.faults.add(dated(days), service='login')
                program = world.start()
                for api in APIS:
                    program.wait_line(f'WARN event=clock input={api} .*begins again at start_time')
                self.exact(world)
                world.restart()
                self.exact(world)
                self.ends(world)

    @pytest.mark.promise('Events', 'Wrong clocks lose no alert')
    def test_of_all_responses_for_a_while(self):
        for days in (20, 40):
            with self.subTest(days):
                world = self.world()
                feed = world.customer('c')
                feed.publish(20, span_s=28 * 86400)
                rule = world.faults.add(dated(days))
                world.start()
                self.polls(world, feed, 3)
                feed.publish(2)
                if days > 30:       # the checkpoint says that the input begins ten days from now
                    world.restart()
                    self.polls(world, feed, 3)
                rule.remove()
                world.program.wait_line('WARN event=clock input=c .*begins again at start_time')
                feed.publish(2)
                self.exact(world)
                self.ends(world)

    @pytest.mark.promise('Events', 'Wrong clocks lose no alert')
    def test_of_all_responses_until_a_stop(self):
        """The next process finds a checkpoint whose input begins ten days from now, although start_time is -30d."""
        world = self.world()
        feed = world.customer('c')
        feed.publish(20, span_s=28 * 86400)
        rule = world.faults.add(dated(40))
        world.start()
        self.polls(world, feed, 3)
        world.program.terminate()
        rule.remove()
        feed.publish(2)
        world.start()
        self.exact(world)
        self.ends(world)

    @pytest.mark.promise('Events', 'One wrong Date decides nothing')
    def test_for_a_while(self):
        """A long window is handed to the backfill while the service's clock is days ahead."""
        world = self.world()
        feed = world.customer('c', start_time='-1d', overlap=60)
        feed.quirks.set(page_cap=20)
        feed.publish(1, ticks=self.now(world) - 3 * 3600 * SECOND)
        program = world.start()
        program.wait_events(1)
        wrong = world.faults.add(dated(40), match=lambda request: request.kind == 'graph' and ' lt ' not in (
            request.args.get('$filter', '')))
        self.polls(world, feed, 3)
        broken = world.faults.add(faults.status(502), match=lambda request: ' lt ' in request.args.get('$filter', ''))
        feed.publish(30, span_s=3000)
        wait_for(lambda: broken.hits, 10, program.tail)
        self.polls(world, feed, 1)
        program.terminate()
        wrong.remove()
        broken.remove()
        program = world.start()
        self.exact(world)
        self.assertFalse([line for line in program.lines if 'event=checkpoint_bad' in line.text])
        self.ends(world)

    @pytest.mark.promise('Events', 'One wrong Date decides nothing')
    def test_of_responses_now_and_then(self):
        world = self.world()
        feed = world.customer('c', overlap=60)
        feed.publish(3)
        feed.publish(1, ticks=self.now(world) + DAY)        # must not hide what comes before it
        world.faults.add(dated(40), service='graph', nth={1, 4, 9})
        world.faults.add(dated(-2), service='graph', nth={1, 4})
        program = world.start()
        for _ in range(6):
            self.polls(world, feed, 2)
            feed.publish(2)
        self.exact(world)
        self.assertEqual(len([line for line in program.lines if 'event=clock' in line.text]), 1)
        world.restart()
        self.exact(world)
        self.ends(world)

    def test_that_stay_wrong_are_believed(self):
        """Then it is this host's clock that is wrong."""
        for seconds in (40 * 86400, -40 * 86400):
            with self.subTest(seconds):
                world = self.world()
                world.clock.jump(seconds)
                feed = world.customer('c', where=self.after(self.now(world) - 30 * DAY))
                feed.publish(5)
                feed.publish(5, ticks=self.now(world) - 35 * DAY)
                world.start()
                self.exact(world)
                world.restart()
                feed.publish(2)
                self.exact(world)
                self.ends(world)


class EnteredOnce(DeliveryCase):
    """A secret that is entered in one input and serves all inputs of the app."""

    def customers(self, world, count):
        """An input in the middle holds the secret, the others none; each has an alert."""
        for number in range(count):
            how = {'stored': False} if number == count // 2 else {'client_secret': ''}
            world.customer(f'c{number}', shared=True, **how).publish(1)

    def no_alarm(self, world):
        """No input was refused, and none waited for its second try."""
        for program in world.programs:
            self.assertFalse([line for line in program.lines if 'event=refused' in line.text], program.tail())

    @pytest.mark.promise('Secrets', 'Inputs sign in once all secrets that were entered for their app are stored')
    def test_six_inputs_and_a_slow_store(self):
        world = self.world()
        self.customers(world, 6)
        world.faults.add(faults.delay(1.0), kind='passwords', match=lambda request: request.method == 'POST')
        world.start()
        self.exact(world)
        self.no_alarm(world)
        self.ends(world)

    @pytest.mark.promise('Secrets', 'Inputs sign in once all secrets that were entered for their app are stored')
    def test_an_import_of_300_customers(self):
        world = self.world()
        self.customers(world, 300)
        world.start()
        self.arrives(world, 50)
        self.no_alarm(world)
        self.ends(world)

    def test_all_of_them_bring_it(self):
        world = self.world()
        for number in range(40):
            world.customer(f'c{number}', shared=True, stored=False).publish(1)
        world.start()
        self.arrives(world, 40)
        self.no_alarm(world)
        self.ends(world)

    def test_a_new_secret_while_the_store_holds_an_old_one(self):
        world = self.world()
        self.customers(world, 6)
        app = world.shared_app()
        world.splunkd.store(f'client_secret.{app.client_id}', App().secret)
        world.faults.add(faults.delay(1.0), kind='passwords', match=lambda request: request.method == 'POST')
        world.start()
        self.exact(world)
        self.no_alarm(world)
        self.ends(world)

    def test_a_store_that_never_answers_holds_up_its_own_app_alone_and_not_for_long(self):
        world = self.world()
        app = world.shared_app()
        world.splunkd.store(f'client_secret.{app.client_id}', app.secret)
        world.customer('brings', shared=True, stored=False).publish(1)
        world.customer('shares', shared=True, client_secret='').publish(1)
        world.customer('other').publish(1)
        world.faults.add(faults.black_hole(), kind='passwords', match=lambda request: request.method == 'POST')
        program = world.start()
        wait_for(lambda: [event for event in program.events if event.stanza.endswith('other')], 8, program.tail)
        wait_for(lambda: [event for event in program.events if event.stanza.endswith('shares')], 20, program.tail)
        self.no_alarm(world)
        self.ends(world)


class Spelling(DeliveryCase):
    """tenant_id is written differently; it is the same tenant, or another one."""

    @pytest.mark.promise('Parameters', 'A changed spelling of the tenant repeats nothing')
    def test_of_the_same_tenant(self):
        world = self.world()
        feed = world.customer('c')
        tenant = feed.tenant
        feed.publish(5)
        for spelled in (tenant.domain, tenant.domain.upper(), tenant.id, tenant.id.upper(), tenant.domain, tenant.id):
            world.splunkd.inputs['c'][1]['tenant_id'] = spelled
            world.start()
            feed.publish(2)
            self.exact(world)
            self.ends(world)

    def test_of_another_tenant(self):
        """Its alerts are written although their IDs are known from the first tenant."""
        world = self.world()
        feed = world.customer('c', tenant_id=world.microsoft.tenant('c').domain)
        other = world.microsoft.tenant('other', feed.tenant.app)
        feed.publish(3)
        world.start()
        self.exact(world)
        self.ends(world)
        for version in list(feed.versions):
            other.feed('graph').add(version.raw)
        params = world.splunkd.inputs['c'][1]
        params.update(tenant_id=other.domain, client_id=other.app.client_id)
        program = world.start()
        program.wait_line('event=checkpoint_renewed input=c ')
        program.wait_events(3)
