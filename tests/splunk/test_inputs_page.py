"""The inputs page of Splunk Web: groups, hints, and what its expressions send, evaluated as Splunk Web does."""
import ast
import os
import subprocess
import sys
import unittest
from xml.etree import ElementTree

import fields
import pytest

PAGE = os.path.join(fields.ROOT, 'default/data/ui/manager/defender_alerts.xml')
FORM = {'edit', 'create'}
SECRETS = {'client_secret', 'refresh_token', 'authorization_code'}


def keys(element):
    """Name -> text of the element's own keys."""
    return {key.get('name'): key.text or '' for key in element.findall('key')}


def views(element):
    return {view.get('name') for view in element.findall('view')}


def children(element):
    return element.findall('elements/element')


class Page(unittest.TestCase):
    """default/data/ui/manager/defender_alerts.xml"""

    @classmethod
    def setUpClass(cls):
        cls.root = ElementTree.parse(PAGE).getroot()
        cls.elements = {element.get('name'): element for element in cls.root.iter('element')}
        cls.form = {name: element for name, element in cls.elements.items()
                    if views(element) & FORM and element.get('type') != 'fieldset'}

    @pytest.mark.promise('Splunk', 'Each field of the inputs page has a hint below it')
    def test_hints(self):
        """Splunk Web does not escape what is below a box, and makes links of brackets."""
        self.assertGreater(len(self.form), 20)
        for name, element in self.form.items():
            with self.subTest(name=name):
                hint = keys(element).get('exampleText', '')
                self.assertTrue(hint)
                self.assertFalse(set(hint) & set('<>&[]'))

    @pytest.mark.promise('Splunk', 'The inputs page has groups for delegated sign-in and for the network')
    def test_groups(self):
        """A group is shown where its fields are, and says what it is for."""
        groups = [element for element in children(self.root) if children(element)]
        self.assertEqual([keys(group)['legend'] for group in groups],
                         ['Delegated sign-in', 'Network', 'More settings'])
        for group in groups:
            self.assertEqual(group.get('type'), 'fieldset')
            self.assertTrue(keys(group)['helpText'])
            for child in children(group):
                self.assertLessEqual(views(child), views(group), child.get('name'))
        self.assertEqual([child.get('name') for child in children(groups[0])],
                         ['refresh_token', 'authorization_code', 'redirect_uri'])
        self.assertEqual({child.get('name') for child in children(groups[1])},
                         {'login_url', 'api_url', 'resource', 'proxy', 'ca_file'})

    def sent(self, name, action, value, **form_data):
        """What Splunk Web sends for a field, None for nothing."""
        return eval(keys(self.elements[name])['submitValue' + action], {}, {'value': value, 'form_data': form_data})

    @pytest.mark.promise('Splunk', 'The index is chosen from a list or entered by name')
    def test_index(self):
        """A forwarder has no list of the indexers' indexes. Neither choice sends an empty name."""
        for action in ('Add', 'Edit'):
            for chosen, typed, listed, wanted in (('index', 'a', 'b', 'a'), ('spl-ctrl_index_list', 'a', 'b', 'b'),
                                                  ('index', '', 'b', None), ('spl-ctrl_index_list', 'a', '', None),
                                                  (None, 'a', None, 'a')):
                with self.subTest(action=action, chosen=chosen, typed=typed, listed=listed):
                    form = {'spl-ctrl_index_from': chosen, 'spl-ctrl_index_list': listed}
                    self.assertEqual(self.sent('index', action, typed, **form), wanted)

    def test_index_choice(self):
        """Each choice shows one of the two fields; an input that is edited shows the name that it has."""
        choice = self.elements['spl-ctrl_index_from']
        options = [option.get('value') for option in choice.iterfind('options/opt')]
        shows = {key.get('name'): key.text for key in choice.iterfind('onChange/key')}
        self.assertEqual(shows, {'_action': 'showonly', **{option: option for option in options}})
        self.assertEqual({group.get('name') for group in choice.iterfind('onChange/group_set/group')}, set(options))
        self.assertLessEqual(set(options), set(self.form))
        self.assertEqual(ast.literal_eval(keys(choice)['processValueEdit']), 'index')
        self.assertIn(ast.literal_eval(keys(choice)['processValueAdd']), options)

    def test_index_list(self):
        """splunkd's list without internal and disabled ones. Splunk Web evaluates the parameters."""
        source, = self.elements['spl-ctrl_index_list'].findall("key[@name='dynamicOptions']")
        self.assertEqual(source.find("key[@name='splunkSource']").text, '/data/indexes')
        found = {key.get('name'): ast.literal_eval(key.text) for key in source.find("key[@name='splunkSourceParams']")}
        self.assertEqual(found, {'search': 'isInternal=false disabled=false', 'count': -1})
        self.assertIsNone(source.find("key[@name='prefixOptions']/item/item").text)

    @pytest.mark.promise('Secrets', 'The inputs page neither shows nor clears a stored secret')
    def test_secrets(self):
        for name in SECRETS:
            with self.subTest(name=name):
                self.assertEqual(self.elements[name].get('type'), 'simplepassword')
                self.assertNotIn('list', views(self.elements[name]))
                self.assertEqual(ast.literal_eval(keys(self.elements[name])['processValueEdit']), '')
                self.assertEqual([self.sent(name, action, value) for action in ('Add', 'Edit') for value in ('', 'x')],
                                 [None, 'x'] * 2)

    def test_picture(self):
        """docs/inputs-page.svg shows all fields; of the two for the index, the one that is chosen."""
        tool = os.path.join(fields.ROOT, 'tools/draw_inputs_page.py')
        svg = subprocess.run([sys.executable, '-B', tool, PAGE], check=True, capture_output=True).stdout
        shown = {text.text for text in ElementTree.fromstring(svg).iter('{http://www.w3.org/2000/svg}text')}
        labels = {element.get('label') for element in self.form.values()}
        self.assertEqual(labels - shown, {'Index from the list'})
        self.assertLess(len(svg), 20000)
