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

    def test_role_may_write_here(self):
        """Inputs that it creates are objects of this app."""
        with open(os.path.join(fields.ROOT, 'metadata', 'default.meta'), 'rb') as file:
            everything = conf.read_conf(file.read(), 'default.meta', True)['']
        read, write = (re.search(rf'{word} : \[ ([^]]*) \]', everything['access'])[1].split(', ')
                       for word in ('read', 'write'))
        self.assertEqual((read, everything['export']), (['*'], 'system'))
        self.assertEqual(write, ['admin', 'sc_admin', 'defender_mssp_admin'])
