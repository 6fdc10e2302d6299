"""Who may manage customers: authorize.conf and metadata/default.meta."""
import os
import re
import unittest

import fields
import pytest
from fields import conf

SCHEME = 'defender_alerts'
CAPABILITY = f'edit_modinput_{SCHEME}'
TOO_MUCH = ('admin_all_objects', 'edit_user', 'edit_roles', 'list_storage_passwords', 'edit_storage_passwords',
            'change_authentication', 'edit_server', 'rest_properties_set')


class Roles(unittest.TestCase):
    """The capability of the input, and the role that has it."""

    def setUp(self):
        self.roles = fields.read('authorize')

    @pytest.mark.promise('Splunk', 'Customers can be managed by a role that is not admin')
    def test_capability(self):
        """splunkd asks for the capability of this name once it is defined, so admin needs it too."""
        self.assertEqual(list(fields.read('inputs')), [SCHEME])
        self.assertIn(f'capability::{CAPABILITY}', self.roles)
        self.assertEqual([name for name, keys in self.roles.items() if keys.get(CAPABILITY) == 'enabled'],
                         ['role_admin', 'role_defender_mssp_admin'])
        role = self.roles['role_defender_mssp_admin']
        self.assertEqual(role['list_inputs'], 'enabled')
        self.assertEqual(role['importRoles'], 'user')
        self.assertEqual([name for name in TOO_MUCH if name in role], [])

    @staticmethod
    def access(stanza):
        """(who may read, who may write) by that stanza of default.meta."""
        with open(os.path.join(fields.ROOT, 'metadata', 'default.meta'), 'rb') as file:
            access = conf.read_conf(file.read(), 'default.meta', True)[stanza]['access']
        return tuple(re.search(rf'{word} : \[ ([^]]*) \]', access)[1].split(', ') for word in ('read', 'write'))

    def test_role_may_write_here(self):
        """Inputs that it creates are objects of this app."""
        self.assertEqual(self.access(''), (['*'], ['admin', 'sc_admin', 'defender_mssp_admin']))

    @pytest.mark.promise('Splunk', 'The state of the customers is read by those who manage them, and by nobody who may '
                                   'see one customer only')
    def test_state(self):
        """The lookup has the rights of its collection, which has no field that the lookup lacks."""
        for stanza in ('collections/defender_state', 'transforms/defender_mssp_state'):
            read, write = self.access(stanza)
            self.assertNotIn('*', read)
            self.assertNotIn('user', read)
            self.assertIn('defender_mssp_admin', read)
            self.assertEqual(write, ['admin', 'sc_admin'])
        lookup = fields.read('transforms')['defender_mssp_state']
        listed = lookup['fields_list'].split(', ')
        self.assertEqual(sorted(set(listed)), sorted(listed))
        collection = fields.read('collections')[lookup['collection']]
        self.assertLessEqual({key[len('field.'):] for key in collection}, set(listed))

    @pytest.mark.promise('Splunk', 'The role of forwarders that share the customers can use their two collections, and '
                                   'has no capability')
    def test_share(self):
        """A leaked token opens names of customers and who reads them, no secret and no alert."""
        self.assertEqual(self.roles['role_defender_mssp_share'], {})
        for name in ('defender_alerts_share', 'defender_alerts_places'):
            self.assertEqual(self.access(f'collections/{name}'), (['admin', 'sc_admin', 'defender_mssp_share'],) * 2)
            collection = fields.read('collections')[name]
            self.assertEqual(collection['enforceTypes'], 'true')
            self.assertNotIn('replicate', collection)

    def test_exposed(self):
        """Splunk Web hands on what the customers page needs, and of our inputs nothing else."""
        wanted = {'': 'GET, POST', '/*': 'GET, POST, DELETE', '/*/enable': 'POST', '/*/disable': 'POST'}
        self.assertEqual({keys['pattern']: keys['methods'] for keys in fields.read('web').values()},
                         {f'data/inputs/{SCHEME}{end}': methods for end, methods in wanted.items()})
