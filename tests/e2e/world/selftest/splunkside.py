"""splunkd's management port."""
from ..splunkd import APP
from .base import WithWorld

PASSWORDS = f'/servicesNS/nobody/{APP}/storage/passwords'
MESSAGES = '/services/messages'
INPUTS = '/servicesNS/nobody/search/data/inputs/defender_alerts'


class SplunkSide(WithWorld):
    """Password store, data inputs and messages."""

    def setUp(self):
        super().setUp()
        self.splunkd = self.world.splunkd

    def ask(self, target, form=None, method=None, as_json=True):
        """Ask with the session key."""
        mark = '&' if '?' in target else '?'
        return self.link(self.splunkd.service).ask(target + (mark + 'output_mode=json' if as_json else ''), form=form,
                                                   method=method, Authorization='Splunk ' + self.splunkd.session_key)

    def test_passwords(self):
        form = {'name': 'client_secret.x', 'realm': APP, 'password': 'a+b %&ü'}
        one = f'{PASSWORDS}/{APP}%3Aclient_secret.x%3A'
        self.assertEqual(self.ask(one, {'password': 'x'})[0], 404)
        self.assertEqual(self.ask(PASSWORDS, form)[0], 201)
        self.assertEqual(self.ask(PASSWORDS, form)[0], 409)
        self.assertEqual(self.ask(PASSWORDS, dict(form, name='y', password=''))[0], 400)
        self.assertEqual(self.ask(one, dict(form))[0], 400, 'name and realm are no arguments of an update')
        self.assertEqual(self.ask(one)[1]['entry'][0]['content']['clear_password'], 'a+b %&ü')
        self.assertEqual(self.ask(one, {'password': 'new'})[0], 200)
        self.assertEqual(self.splunkd.password('client_secret.x'), 'new')
        self.assertTrue(self.ask(one, as_json=False)[1].startswith(b'<?xml'))
        self.assertEqual(self.ask(one, method='DELETE')[0], 200)
        self.assertEqual(self.ask(one)[0], 404)

    def test_lists_end_at_thirty(self):
        for number in range(40):
            self.splunkd.store(f'n{number}', 'x', hosts=())
        self.splunkd.store('foreign', 'x', app='other', hosts=())

        def names(query):
            return [entry['name'] for entry in self.ask(PASSWORDS + query)[1]['entry']]

        self.assertEqual((len(names('')), len(names('?count=0')), len(names('?count=-1'))), (30, 40, 40))
        self.assertEqual(names('?search=n39'), [f'{APP}:n39:'])
        self.assertEqual((len(names(f'?count=0&search=realm%3D{APP}')), names('?search=realm%3Dother')), (40, []))

    def test_lengths(self):
        self.splunkd.cut_at = 255
        self.ask(PASSWORDS, {'name': 'n', 'password': 'x' * 300})
        self.assertEqual(len(self.splunkd.password('n', realm='')), 255)
        self.splunkd.refuse_over = 255
        self.assertEqual(self.ask(PASSWORDS, {'name': 'm', 'password': 'x' * 300})[0], 400)

    def test_access(self):
        self.splunkd.forbidden = True
        self.assertEqual(self.ask(PASSWORDS)[0], 403)
        self.splunkd.forbidden = False
        self.splunkd.starting(60)
        self.assertEqual(self.ask(PASSWORDS)[0], 503)
        self.splunkd.starting(-1)
        old, _ = self.splunkd.session_key, self.splunkd.new_session()
        status, body, _ = self.link(self.splunkd.service).ask(PASSWORDS + '?output_mode=json',
                                                              Authorization='Splunk ' + old)
        self.assertEqual((status, body['messages'][0]['type']), (401, 'WARN'))

    def test_inputs(self):
        self.splunkd.arguments = {'tenant_id', 'client_secret'}
        told = []
        self.splunkd.changed = told.append
        self.splunkd.validate = lambda name, params: 'no tenant' if not params.get('tenant_id') else None
        self.splunkd.add_input('a b/c', tenant_id='t', client_secret='s')
        one = INPUTS + '/a%20b%2Fc'
        self.assertEqual(self.ask(one)[1]['entry'][0]['content']['client_secret'], 's')
        self.assertEqual(self.ask(one.replace('/search/', f'/{APP}/'))[0], 404, 'it lives in another app')
        self.assertEqual(self.ask(one, {'client_secret': '********'})[0], 200)
        self.assertEqual(self.ask(one, {'colour': 'red'})[0], 400)
        self.assertEqual(self.ask(one, {'tenant_id': ''})[1]['messages'][0]['text'], 'no tenant')
        self.assertEqual(self.splunkd.inputs['a b/c'][1], {'tenant_id': 't', 'client_secret': '********'})
        self.assertEqual(self.ask(INPUTS, {'name': 'n', 'tenant_id': 't'})[0], 201)
        self.assertEqual(self.ask(INPUTS + '/_reload', {})[0], 200)
        self.assertEqual(len(self.ask(INPUTS)[1]['entry']), 2)
        self.ask(INPUTS + '/n', {'disabled': '1'})
        self.assertEqual(list(self.splunkd.stanzas()), ['defender_alerts://a b/c'])
        self.assertIn('defender_alerts://a b/c', told)

    def test_messages(self):
        form = {'name': 'a b', 'value': 'one', 'severity': 'warn', 'capability': 'admin_all_objects'}
        one = MESSAGES + '/a%20b'
        self.assertEqual(self.ask(one)[0], 404)
        self.assertEqual(self.ask(MESSAGES, form)[0], 201)
        self.assertEqual(self.ask(MESSAGES, dict(form, value='two'))[0], 201, 'it is replaced')
        self.assertEqual([entry['content']['message'] for entry in self.ask(MESSAGES)[1]['entry']], ['two'])
        for wrong in ({'value': ''}, {'severity': 'bad'}, {'capability': 'none'}, {'colour': 'red'}):
            self.assertEqual(self.ask(MESSAGES, {**form, **wrong})[0], 400, wrong)
        self.splunkd.messages.forbidden = True
        self.assertEqual((self.ask(MESSAGES, form)[0], self.ask(one, method='DELETE')[0]), (403, 403))
        self.splunkd.messages.forbidden = False
        self.assertEqual(self.ask(one, method='DELETE')[0], 200)
        self.assertEqual(self.splunkd.messages, {})
        for number in range(40):
            self.splunkd.messages[f'n{number}'] = {'value': 'x', 'severity': 'info'}
        self.assertEqual([len(self.ask(MESSAGES + query)[1]['entry']) for query in ('', '?count=0')], [30, 40])
