"""The dashboards' definitions, checked by Splunk's own validator and parsers in Node, without a browser.

The packages come from npm by the committed lock file, once, into build/definition. Without npm the tests are skipped.
"""
import json
import os
import unittest

import mistakes
import packages
import pytest
import views

pytestmark = pytest.mark.timeout(600)       # the packages may come slowly


class Definition(unittest.TestCase):
    """All views, and copies with a mistake in each."""

    @classmethod
    def setUpClass(cls):
        cls.folder = packages.install('definition', 'definition')
        cls.view = views.read('defender_mssp_customers')
        cls.complaints = cls.check({
            **{f'shipped {name}': views.read(name) for name in views.names()},
            **{mistake.name: mistakes.planted(mistake) for mistake in mistakes.ALL},
            'nothing': {}, 'no structure': {'layout': {}}, 'no layout': {**cls.view, 'layout': None}})

    @classmethod
    def check(cls, definitions):
        """{name: complaints}."""
        path = os.path.join(cls.folder, 'definitions.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(definitions, file)
        return json.loads(packages.node(cls.folder, 'check.mjs', path))

    @pytest.mark.promise('Splunk', "Splunk's own validator and parsers have no complaint about the dashboard")
    def test_shipped_views_are_valid(self):
        shipped = {name: found for name, found in self.complaints.items() if name.startswith('shipped ')}
        self.assertEqual(shipped, {f'shipped {name}': [] for name in views.names()})

    def test_each_mistake_is_found(self):
        """By this check, by tests/splunk/views.py, or by both; the few that need Splunk's page by test_dashboard.py."""
        for mistake in mistakes.ALL:
            with self.subTest(mistake=mistake.name):
                self.assertEqual(bool(self.complaints[mistake.name]), 'node' in mistake.finders,
                                 self.complaints[mistake.name])

    def test_nothing_to_check(self):
        """No definition is a failure, and an empty one is not valid."""
        for name in ('nothing', 'no structure', 'no layout'):
            self.assertTrue(self.complaints[name], name)
        with self.assertRaisesRegex(AssertionError, 'no definition to check'):
            self.check({})
