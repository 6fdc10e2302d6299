"""The messages in the menu of Splunk Web, as splunkd keeps them (REST endpoint services/messages).

After the REST manual and solnlib's client of it (bulletin_rest_client.py): a POST with a name that exists replaces that
message, and a capability that splunkd does not know is an error.
"""
from .atom import Refusal, entry, find

_FORM = {'name', 'value', 'severity', 'capability', 'role', 'output_mode'}
_SEVERITIES = ('info', 'warn', 'error')


class Messages(dict):
    """name -> the form of its POST. capabilities: those that splunkd and the installed apps define. forbidden: the user
    may not show or remove one."""

    def __init__(self, *capabilities):
        super().__init__()
        self.capabilities, self.forbidden = {'admin_all_objects', *capabilities}, False

    def handle(self, request, rest):
        """(status, entries). rest: what is left of the path."""
        if request.method != 'GET' and self.forbidden:
            raise Refusal(403, 'You (user=somebody) do not have permission to perform this operation (requires '
                               'capability: edit_messages).')
        if request.method == 'POST':
            return self._show(request.form)
        name = find(self, rest[0]) if rest else None
        if rest and name is None:
            raise Refusal(404, f'Could not find object id={rest[0]}')
        if request.method == 'DELETE':
            del self[name]
            return 200, []
        return 200, [entry('messages', each, '', {each: self[each]['value'], 'message': self[each]['value'],
                                                  'severity': self[each]['severity']}, ('list', 'remove'), 'system')
                     for each in ([name] if rest else sorted(self))]

    def _show(self, form):
        missing = [name for name in ('name', 'value') if not form.get(name)]
        if set(form) - _FORM:
            raise Refusal(400, f'Argument "{sorted(set(form) - _FORM)[0]}" is not supported by this handler.')
        if missing:
            raise Refusal(400, f'The following required arguments are missing: {", ".join(missing)}.')
        if form.get('severity', 'info') not in _SEVERITIES:
            raise Refusal(400, f'Severity must be one of: {", ".join(_SEVERITIES)}.')
        if 'capability' in form and form['capability'] not in self.capabilities:
            raise Refusal(400, f"Unknown capability: {form['capability']}")
        self[form['name']] = {'severity': 'info', **form}
        return 201, []
