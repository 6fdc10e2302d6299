"""The dashboard's definition, and that each kind of mistake in it is noticed."""
import copy
import os
import unittest
import xml.dom.minidom

import fields
import views


class Views(unittest.TestCase):
    """All views of the app."""

    def setUp(self):
        self.view = views.read('defender_mssp_customers')

    def test_no_complaints(self):
        for name in os.listdir(views.FOLDER):
            self.assertEqual(views.complaints(views.read(name[:-4])), [], name)

    def test_navigation(self):
        """Well-formed, and the dashboard is what opens first."""
        root = xml.dom.minidom.parse(os.path.join(fields.ROOT, 'default/data/ui/nav/default.xml')).documentElement
        first = [view.getAttribute('name') for view in root.getElementsByTagName('view')
                 if view.getAttribute('default')]
        self.assertEqual(first, ['defender_mssp_customers'])

    def test_mistakes_are_noticed(self):
        def no_target(view):
            view['visualizations']['viz_worst']['dataSources']['primary'] = 'ds_nothing'

        def wrong_binding(view):
            view['visualizations']['viz_worst']['dataSources'] = {'primry': 'ds_worst'}

        def no_query(view):
            view['dataSources']['ds_memory']['options']['query'] = ''

        def no_base(view):
            view['dataSources']['ds_worst']['options']['extend'] = 'ds_nothing'

        def no_macro(view):
            view['dataSources']['ds_memory']['options']['query'] = '`defender_logs` | stats count'

        def wrong_function(view):
            view['dataSources']['ds_memory']['options']['query'] = 'index=x | eval a=rond(b) | stats count'

        def unset_token(view):
            view['dataSources']['ds_memory']['options']['query'] += ' | search host=$hots$'

        def no_first_value(view):
            del view['inputs']['input_customer']['options']['defaultValue']

        def not_placed(view):
            view['layout']['structure'].pop()

        def overlap(view):
            view['layout']['structure'][7]['position']['y'] -= 1

        def no_column(view):
            view['visualizations']['viz_worst']['options']['columnFormat']['conditon'] = {'width': 1}

        def no_context(view):
            del view['visualizations']['viz_worst']['context']['conditions']
        for breaker in (no_target, wrong_binding, no_query, no_base, no_macro, wrong_function, unset_token,
                        no_first_value, not_placed, overlap, no_column, no_context):
            with self.subTest(mistake=breaker.__name__):
                broken = copy.deepcopy(self.view)
                breaker(broken)
                found = []
                for check in views.CHECKS:
                    try:
                        found += check(broken)
                    except (KeyError, ValueError):
                        pass                    # another check has said what is missing
                self.assertTrue(found)
