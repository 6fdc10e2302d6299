"""A customer that left: told apart from what never worked, said once a day, and known after a restart."""
import json

import pytest
from cases import HastyCase
from world import faults
from world.login_errors import refusing
from world.runner import call, wait_for

HASTE = 14400       # a day in six seconds
CODES = (500011, 500014, 65001, 700016, 90002, 7000229)
FORBIDDEN = {'license': 'The tenant has no license for this service.', 'gone': 'Account is not provisioned.',
             'roles': 'Missing application roles. API required roles: SecurityAlert.Read.All, application roles: .'}


def forbidden(words):
    return faults.status(403, {'error': {'code': 'Forbidden', 'message': words}})


class Lost(HastyCase):
    def refuse(self, world, name, feed):
        """Each customer is refused for the reason that its name has."""
        if name in FORBIDDEN or name == 'other403':
            return world.faults.add(forbidden(FORBIDDEN.get(name, 'Operation not allowed.')), kind='graph',
                                    tenant=feed.tenant)
        return world.faults.add(refusing(int(name[1:])), service='login', tenant=feed.tenant)

    @pytest.mark.promise('Trouble', 'A customer that worked before and left is lost, and what never worked is refused')
    @pytest.mark.promise('Trouble', 'A lost customer is one WARN a day, and one line tells when it is back')
    @pytest.mark.promise('Trouble',
                         'Before Microsoft ends an API, one WARN at the start and each day tells the days left')
    @pytest.mark.waits(15)
    def test_from_the_loss_over_restarts_to_the_return(self):
        world = self.world()
        lost = [f'w{code}' for code in CODES] + list(FORBIDDEN)
        ours = ['s7000215', 'other403']
        feeds = {name: world.customer(name, poll_interval=36000) for name in (*lost, *ours, 'n700016')}
        world.customer('endpoint', api='endpoint', poll_interval=36000)
        rules = {'n700016': self.refuse(world, 'n700016', feeds['n700016'])}
        program = self.start(world, HASTE)
        for name in (*lost, *ours):
            program.wait_line(f'event=status input={name} .*state=ok')
        for name in (*lost, *ours):
            rules[name] = self.refuse(world, name, feeds[name])
        world.microsoft.identity.revoke()
        for name in lost:
            line = program.wait_line(f'event=status input={name} .*state=refused')
            self.assertEqual((line.facts['lost'], line.facts['who']), ('yes', 'our administrator'), line.text)
            self.assertIn('why="the customer is lost, it worked before: ', line.text)
            self.assertIn('ask the customer', line.facts['remedy'])
        for name in (*ours, 'n700016'):
            self.assertNotIn('lost', program.wait_line(f'event=status input={name} .*state=refused').facts)
            program.wait_line(f'ERROR event=refused input={name} ')

        def said(name):
            return [line for line in program.lines if f'event=customer_lost input={name} ' in line.text]
        wait_for(lambda: all(len(said(name)) >= 2 for name in ('w700016', 'license')), 20)
        program.wait_line('event=api_ends', since=1 + next(
            number for number, line in enumerate(program.lines) if 'event=api_ends' in line.text))     # once a day, too
        program.terminate()
        self.assertEqual({line.level for name in lost for line in said(name)}, {'WARN'})
        self.assertLessEqual(max(len(said(name)) for name in lost), 3)
        tries = world.microsoft.requests(feeds['w700016'].tenant, service='login')
        self.assertGreater(len(tries), 6)           # of the sign-in within that day
        self.assertFalse([line for line in program.lines if line.level == 'ERROR' and line.facts['input'] in lost])

        result = call(world.home, 'check', '--json', stdin=world.xml())
        found = {row['input']: row['result'] for row in json.loads(result.out)['inputs']}
        self.assertEqual(found.pop('endpoint'), 'ok')
        self.assertEqual(found, {**dict.fromkeys(lost, 'lost'), **dict.fromkeys([*ours, 'n700016'], 'refused')})
        again = world.start()                       # in real time
        line = again.wait_line('event=status input=w700016 .*state=refused')
        self.assertEqual(line.facts['lost'], 'yes')
        again.terminate()
        self.assertFalse([line for line in again.lines if 'event=customer_lost' in line.text])
        for rule in rules.values():
            rule.remove()
        back = world.start()
        for name in lost:
            back.wait_line(f'INFO event=customer_back input={name} ')
        back.terminate()
        self.assertFalse([line for line in back.lines if 'event=customer_back input=s' in line.text])

    @pytest.mark.promise('Trouble', 'A customer that worked before and left is lost, and what never worked is refused')
    def test_another_sign_in_never_worked(self):
        """A client_id that is mistyped in an input that worked is our own mistake."""
        world = self.world()
        feed = world.customer('c')
        program = world.start()
        program.wait_line('event=status input=c .*state=ok')
        program.terminate()
        app, params = world.splunkd.inputs['c']
        world.splunkd.inputs['c'] = (app, dict(params, client_id='11111111-2222-3333-4444-555555555555',
                                               client_secret=feed.tenant.app.secret))
        world.start().wait_line('ERROR event=refused input=c .*AADSTS700016')
