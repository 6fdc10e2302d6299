"""Mistakes to plant into a dashboard's definition, and which check has to find each.

    views: tests/splunk/views.py. node: tests/dashboard/definition/check.mjs, with Splunk's validator and parsers.
    page: Splunk's own page in a browser, whose schema knows the inputs too.
"""
import collections
import copy

import views

Mistake = collections.namedtuple('Mistake', 'name finders plant view')
ALL = []


def found_by(*finders, view='defender_mssp_customers'):
    """Adds a mistake to the list; its name is that of the function that plants it."""
    def add(plant):
        ALL.append(Mistake(plant.__name__, finders, plant, view))
        return plant
    return add


def planted(mistake):
    """The definition of its view with the mistake in it."""
    sound = views.read(mistake.view)
    broken = copy.deepcopy(sound)
    mistake.plant(broken)
    if broken == sound:
        raise AssertionError(f'{mistake.name} changes nothing')
    return broken


def _worst(view):
    return view['visualizations']['viz_worst']


def _lines(view):
    return view['dataSources']['ds_lines']


# --- panels -----------------------------------------------------------------------------------------------------

@found_by('node', 'page')
def layout_is_a_number(view):
    view['layout'] = 7


@found_by('node', 'page')
def misspelled_member_of_a_panel(view):
    _worst(view)['titel'] = 'x'


@found_by('node', 'page')
def unknown_panel_type(view):
    _worst(view)['type'] = 'splunk.tabel'


@found_by('node', 'page')
def panel_option_of_a_wrong_type(view):
    _worst(view)['options']['count'] = 'twelve'


@found_by('node')
def misspelled_panel_option(view):
    _worst(view)['options']['showRowNumber'] = True


@found_by('node', 'page')
def bad_color(view):
    view['visualizations']['viz_total']['options']['majorColor'] = '#gg0000'


@found_by('node')
def dynamic_option_that_cannot_be_parsed(view):
    view['visualizations']['viz_action']['options']['majorColor'] = '> majorValue | rangeValue(levels'


@found_by('node')
def unknown_method_in_a_dynamic_option(view):
    view['visualizations']['viz_action']['options']['majorColor'] = '> majorValue | rangeValeu(levels)'


@found_by('views')
def name_that_is_not_in_the_context(view):
    del _worst(view)['context']['back']


@found_by('views')
def format_of_a_column_that_is_not_there(view):
    _worst(view)['options']['columnFormat']['conditon'] = {'width': 100}


@found_by('views')
def number_of_a_field_that_is_not_there(view):
    options = view['visualizations']['viz_count']['options']
    options['majorValue'] = options['majorValue'].replace('customers', 'custmers')


@found_by('views')
def white_on_yellow(view):
    next(one for one in _worst(view)['context']['fore'] if one['match'] == 'watch')['value'] = '#ffffff'


@found_by('views')
def pale_number(view):
    view['visualizations']['viz_slow']['context']['levels'][1]['value'] = '#f8be34'


@found_by('views')
def color_without_its_text_color(view):
    _worst(view)['context']['fore'].pop()


# --- conditions, which Splunk 9.2 does not have -----------------------------------------------------------------

@found_by('node', 'page')
def visibility_at_the_root_of_a_panel(view):
    _worst(view)['visibility'] = {'showConditions': ['c']}


@found_by('node', 'views')
def condition_that_is_not_there(view):
    _worst(view)['containerOptions'] = {'visibility': {'showConditions': ['c']}}


@found_by('node', 'views')
def condition_that_cannot_be_parsed(view):
    view['expressions'] = {'conditions': {'c': {'name': 'c', 'value': '$time.earliest$ AND ('}}}


@found_by('node', 'views', 'page')
def misspelled_member_of_visibility(view):
    _worst(view)['containerOptions'] = {'visibility': {'showCondition': ['c']}}


# --- data sources -----------------------------------------------------------------------------------------------

@found_by('views')
def panel_without_its_data_source(view):
    _worst(view)['dataSources']['primary'] = 'ds_nothing'


@found_by('views')
def chain_without_its_base(view):
    view['dataSources']['ds_worst']['options']['extend'] = 'ds_nothing'


@found_by('views')
def misspelled_binding(view):
    _worst(view)['dataSources'] = {'primry': 'ds_worst'}


@found_by('views')
def search_without_a_query(view):
    del _lines(view)['options']['query']


@found_by('node', 'page')
def unknown_data_source_type(view):
    _lines(view)['type'] = 'ds.serach'


@found_by('node')
def misspelled_data_source_option(view):
    _lines(view)['options']['qurey'] = 'x'


@found_by('node', 'page')
def unknown_refresh_type(view):
    _lines(view)['options']['refreshType'] = 'sometimes'


@found_by('node')
def refresh_that_is_no_time(view):
    _lines(view)['options']['refresh'] = 'soon'


@found_by('node')
def refresh_that_is_no_time_in_the_defaults(view):
    view['defaults']['dataSources']['ds.search']['options']['refresh'] = 'soon'


@found_by('views')
def search_without_a_name(view):
    del _lines(view)['name']


@found_by('views')
def search_that_nothing_shows(view):
    view['dataSources']['ds_more'] = copy.deepcopy(_lines(view))


@found_by('views')
def unknown_macro(view):
    _lines(view)['options']['query'] = '`defender_mssp_logs` | table time level customer line'


@found_by('views')
def unknown_function(view):
    view['dataSources']['ds_memory']['options']['query'] = '| eval mb=rond(rss_kb) | timechart max(mb) BY host'


@found_by('views')
def search_that_makes_no_sense(view):
    _lines(view)['options']['query'] = '| sttas cuont by by'


@found_by('views')
def search_without_a_time_range(view):
    del view['defaults']['dataSources']['ds.search']['options']['queryParameters']


@found_by('views')
def search_that_does_not_refresh(view):
    del view['defaults']['dataSources']['ds.search']['options']['refresh']


# --- tokens, inputs and links -----------------------------------------------------------------------------------

@found_by('views')
def token_that_nobody_sets(view):
    _lines(view)['options']['query'] += ' | search host=$hots$'


@found_by('views')
def token_without_quoting(view):
    _lines(view)['options']['query'] = _lines(view)['options']['query'].replace('$customer|s$', '"$customer$"')


@found_by('views')
def link_without_quoting(view):
    options = view['visualizations']['viz_lines']['eventHandlers'][0]['options']
    options['url'] = options['url'].replace('|s|u$', '$')


@found_by('views')
def input_without_a_first_value(view):
    del view['inputs']['input_customer']['options']['defaultValue']


@found_by('page')
def unknown_input_type(view):
    view['inputs']['input_customer']['type'] = 'input.dropdwon'


@found_by('page')
def unknown_input_option(view):
    view['inputs']['input_customer']['options']['tokne'] = 'x'


@found_by('node', 'views', 'page')
def two_inputs_with_one_token(view):
    view['inputs']['input_customer']['options']['token'] = 'time'


@found_by('node')
def unknown_event_handler(view):
    _worst(view)['eventHandlers'][0]['type'] = 'drilldown.setTokens'


@found_by('node', 'page')
def set_token_without_a_token(view):
    del _worst(view)['eventHandlers'][0]['options']['tokens'][0]['token']


@found_by('views')
def every_cell_is_a_link(view):
    del _worst(view)['eventHandlers'][0]['options']['fields']


@found_by('views')
def link_in_a_column_that_is_not_there(view):
    _worst(view)['eventHandlers'][0]['options']['fields'] = ['custmer']


# --- layout -----------------------------------------------------------------------------------------------------

@found_by('node', 'views', 'page')
def panel_without_a_place(view):
    view['layout']['structure'].pop()


@found_by('node', 'views', 'page')
def place_without_a_panel(view):
    view['layout']['structure'].append({'item': 'viz_no', 'type': 'block', 'position': dict.fromkeys('xywh', 9)})


@found_by('views')
def place_with_a_word_for_its_width(view):
    view['layout']['structure'][0]['position']['w'] = 'wide'


@found_by('node', 'views', 'page')
def input_without_a_place(view):
    view['layout']['globalInputs'].pop()


@found_by('views')
def panel_on_top_of_another(view):
    view['layout']['structure'][7]['position']['y'] -= 1


@found_by('views')
def panel_beside_a_gap(view):
    view['layout']['structure'][-1]['position']['w'] = 720


@found_by('views')
def no_panels_at_all(view):
    view['visualizations'], view['layout']['structure'] = {}, []


# --- the other view ---------------------------------------------------------------------------------------------

DAYS = 'defender_mssp_completeness'


def _grid(view):
    return view['visualizations']['viz_grid']


@found_by('views', view=DAYS)
def day_that_is_not_there(view):
    _grid(view)['options']['columnFormat']['15 d'] = {'width': 90}


@found_by('views', view=DAYS)
def state_without_its_text_color(view):
    _grid(view)['context']['fore'].pop(3)


@found_by('views', view=DAYS)
def click_that_sets_what_nobody_uses(view):
    _grid(view)['eventHandlers'][0]['options']['tokens'][0]['token'] = 'custmer'


@found_by('views', view=DAYS)
def macro_with_too_many_arguments(view):
    options = view['dataSources']['ds_days']['options']
    options['query'] = options['query'].replace('(14)', '(14,1)')


@found_by('node', view=DAYS)
def chain_with_a_refresh_of_its_own(view):
    view['dataSources']['ds_grid']['options']['refresh'] = '5m'


@found_by('node', 'page', view=DAYS)
def unit_that_is_a_number(view):
    view['visualizations']['viz_share']['options']['unit'] = 7


@found_by('views', view=DAYS)
def search_over_no_time_range(view):
    view['defaults']['dataSources']['ds.search']['options']['queryParameters'] = {'latest': 'now'}
