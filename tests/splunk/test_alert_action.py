"""The alert action as shipped: its parameters, its form and the program agree."""
import os
import re
import unittest
from xml.etree import ElementTree

import fields
import pytest

ACTION = 'defender_mssp_update'
PREFIX = f'action.{ACTION}.param.'
WORDS = ('status', 'classification', 'determination', 'kind')


def text_of(*parts):
    """A file of the repository."""
    with open(os.path.join(fields.ROOT, *parts), encoding='utf-8') as file:
        return file.read()


class Action(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.conf = dict(re.findall(r'^([\w.]+) = ?(.*)$', text_of('default/alert_actions.conf'), re.M))
        cls.params = {key[len('param.'):] for key in cls.conf if key.startswith('param.') and key != 'param._cam'}
        cls.form = ElementTree.fromstring(text_of(f'default/data/ui/alerts/{ACTION}.html'))
        cls.asked = {item.get('name')[len(PREFIX):]: item for item in cls.form.iter() if item.get('name')}
        cls.source = text_of('src/microsoft/change.c')

    @pytest.mark.promise('Updates', 'each parameter of the action has a field of the form and a word of the spec')
    def test_parameters(self):
        self.assertGreaterEqual(len(self.params), 9)
        self.assertEqual(set(self.asked), self.params)
        for file, before in (('README/alert_actions.conf.spec', 'param.'), ('README/savedsearches.conf.spec', PREFIX)):
            found = set(re.findall(rf'^{re.escape(before)}(\w+) =', text_of(file), re.M)) - {'_cam'}
            self.assertEqual(found, self.params, file)

    def test_choices(self):
        """Each value that the form offers is one that the program knows, and the other way round."""
        known = set(re.findall(r'"(\w+)"', self.source[self.source.index('alert_states'):self.source.index('*states')]))
        offered = {option.get('value') for name in WORDS for option in self.asked[name].iter('option')} - {''}
        self.assertGreater(len(known), 20)
        self.assertEqual(offered - {'alert', 'incident'}, known)

    def test_command(self):
        """splunkd starts the program itself, and writes JSON."""
        self.assertEqual([self.conf[key] for key in ('is_custom', 'payload_format', 'alert.execute.cmd',
                                                     'alert.execute.cmd.arg.0')],
                         ['1', 'json', 'defender_alerts', '--execute'])
        self.assertIn('"--execute"', text_of('src/main.c'))
