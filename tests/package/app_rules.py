"""The rules for an app's package that Splunk's AppInspect checks, written again, each under AppInspect's own id
(`make appinspect` runs Splunk's).

A rule is a generator: it yields one sentence for each thing that breaks it. `RULES` holds them all by id. Ids that
begin with `own_` are ours: what AppInspect leaves to people, or what this app promises beyond it.
"""
import contextlib
import hashlib
import os
import re
import stat
import tarfile
import xml.dom.minidom
import xml.parsers.expat

import conf

APP_ID, KIND = 'TA-defender-mssp', 'defender_alerts'
PROGRAM = f'bin/{KIND}'
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SEMVER = re.compile(r'(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\Z')
ICONS = {'appIcon.png': (36, 36), 'appIcon_2x.png': (72, 72), 'appIconAlt.png': (36, 36), 'appIconAlt_2x.png': (72, 72),
         'appLogo.png': (160, 40), 'appLogo_2x.png': (320, 80)}

# Configuration files that Splunk itself defines, of those that an add-on could think of shipping.
SPLUNK_CONFS = set('''alert_actions app authorize collections commands datamodels distsearch eventtypes fields inputs
    lookups macros multikv props restmap savedsearches searchbnf server tags times transforms ui-prefs ui-tour
    viewstates visualizations web workflow_actions'''.split())
# Files with which an app would reach beyond itself, or that an administrator owns.
NEVER_SHIPPED = set('''crawl datatypesbnf default-mode deploymentclient health indexes instance limits literals messages
    outputs passwords pubsub regmon-filters segmenters serverclass source-classifier sourcetypes splunk-launch
    sysmon telemetry user-seed wmi authentication bookmarks checklist global-banner indexer_discovery
    metric_rollups'''.split())
# Keys that any input may have and a scheme must not declare.
INPUT_KEYS = set('''disabled host index interval persistentQueue persistentQueueSize queueSize run_introspection source
    sourcetype start_by_shell'''.split())
SPLUNK_APPS = set('''search launcher learned legacy sample_app SplunkForwarder SplunkLightForwarder framework
    gettingstarted splunk_archiver splunk_monitoring_console splunk_httpinput splunk_instrumentation alert_webhook
    alert_logevent appsbrowser introspection_generator_addon journald_input user-prefs
    python_upgrade_readiness_app'''.split())
SPLUNK_SOURCETYPES = set('''access_combined access_common apache_error cisco_syslog csv json _json linux_secure log4j
    mysqld splunkd stash syslog tsv xml default generic_single_line'''.split())
VIEW_FOLDERS = set('views nav manager alerts html panels quickstart'.split())

RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


def counts(name, only):
    """Is the file, or the folder (ending in /), one of `only`, below one of its folders, or above one of its names?"""
    return only is None or any(name == each or each.endswith('/') and name.startswith(each) or
                               name.endswith('/') and each.startswith(name) for each in only)


class App:
    """An app as files: name -> (bytes, mode). From an unpacked folder, a package, or the repository itself."""

    def __init__(self, files, folders, links, whole, root=APP_ID, archive=None):
        self.files, self.folders, self.links = files, folders, links
        self.whole, self.root, self.archive = whole, root, archive
        self._conf = {}

    @classmethod
    def from_folder(cls, path, only=None):
        """only: names of folders (ending in /) and of files that count, as in package/contents."""
        files, folders, links = {}, {}, []
        for base, names, plain in os.walk(path):
            inside = os.path.relpath(base, path)
            below = '' if inside == '.' else inside + '/'
            names[:] = sorted(name for name in names if counts(f'{below}{name}/', only))
            for name in names + [name for name in plain if counts(below + name, only)]:
                full, short = os.path.join(base, name), os.path.normpath(os.path.join(inside, name))
                if os.path.islink(full):
                    links.append(short)
                elif os.path.isdir(full):
                    folders[short] = stat.S_IMODE(os.stat(full).st_mode)
                else:
                    with open(full, 'rb') as file:
                        files[short] = file.read(), stat.S_IMODE(os.stat(full).st_mode)
        return cls(files, folders, links, only is None, APP_ID if only else os.path.basename(os.path.abspath(path)))

    @classmethod
    def from_package(cls, path):
        files, folders, links = {}, {}, []
        with tarfile.open(path, 'r:gz') as archive:
            members = archive.getmembers()
            root = members[0].name.split('/')[0] if members else ''
            for member in members:
                short = member.name[len(root) + 1:]
                if not short or not member.name.startswith(root + '/'):
                    continue
                if member.isdir():
                    folders[short] = member.mode
                elif member.isfile():
                    files[short] = archive.extractfile(member).read(), member.mode
                else:
                    links.append(short)
        return cls(files, folders, links, True, root, (path, members))

    @classmethod
    def from_repository(cls, top=TOP):
        """What package/contents names of the repository; what only a package has is not asked for."""
        with open(os.path.join(top, 'package/contents'), encoding='ascii') as file:
            only = {line.strip() for line in file if line.strip() and not line.startswith('#')}
        return cls.from_folder(top, only)

    @classmethod
    def at(cls, path):
        """A folder or a package, as the path says; the repository for none."""
        if not path:
            return cls.from_repository()
        return cls.from_folder(path) if os.path.isdir(path) else cls.from_package(path)

    def named(self, pattern):
        """Names that match the whole pattern, in order."""
        return sorted(name for name in self.files if re.fullmatch(pattern, name))

    def data(self, name):
        return self.files[name][0] if name in self.files else b''

    def conf(self, name):
        """A file of default/ (or another .conf, .meta by its path); empty where there is none or it is malformed: that
        is check_config_file_parsing's to say."""
        path = name if '/' in name else f'default/{name}.conf'
        if path not in self._conf:
            try:
                self._conf[path] = conf.read_conf(self.data(path), path, path.endswith('.meta'))
            except conf.Malformed:
                self._conf[path] = {}
        return self._conf[path]

    def confs(self):
        """Name without folder and ending -> stanzas, of all files in default/."""
        return {name[8:-5]: self.conf(name) for name in self.named(r'default/[^/]+\.conf')}

    def setting(self, file, stanza, key):
        return self.conf(file).get(stanza, {}).get(key)

    def manifest(self):
        try:
            return conf.read_json(self.data('app.manifest'), 'app.manifest')
        except conf.Malformed:
            return {}

    def spec(self):
        try:
            return conf.read_spec(self.data('README/inputs.conf.spec'), 'README/inputs.conf.spec')
        except conf.Malformed:
            return {}

    def xml(self):
        """Name -> document element of each XML file that can be read."""
        found = {}
        for name in self.named(r'.*\.xml'):
            with contextlib.suppress(xml.parsers.expat.ExpatError):
                found[name] = xml.dom.minidom.parseString(self.data(name)).documentElement
        return found


def _every(app):
    """All names, of files, folders and links."""
    return sorted([*app.files, *app.folders, *app.links])


# ---- The archive. Nothing to say about a folder. ----

@rule
def check_that_splunk_app_package_has_read_permission(app):
    if app.archive and not os.stat(app.archive[0]).st_mode & stat.S_IRUSR:
        yield 'its owner cannot read the package'


@rule
def check_that_splunk_app_package_valid_compressed_file(app):
    if app.archive:
        with open(app.archive[0], 'rb') as file:
            if file.read(3) != b'\x1f\x8b\x08':
                yield 'the package is not compressed with gzip'
    if app.archive and not app.files:
        yield 'the package holds no file'


@rule
def check_that_splunk_app_package_name_does_not_start_with_period(app):
    if app.archive and os.path.basename(app.archive[0]).startswith('.'):
        yield 'the name of the package begins with a period'


@rule
def check_that_splunk_app_package_extracts_to_visible_directory(app):
    if app.root.startswith('.'):
        yield f'unpacks to {app.root}'


@rule
def check_that_splunk_app_package_does_not_contain_files_outside_of_app(app):
    for member in app.archive[1] if app.archive else ():
        if member.name != APP_ID and not member.name.startswith(APP_ID + '/') or '..' in member.name.split('/'):
            yield f'{member.name} is outside of {APP_ID}/'


@rule
def check_package_compression(app):
    """The form that every splunkd unpacks, and that is the same for the same content."""
    names = [member.name for member in app.archive[1]] if app.archive else []
    if names != sorted(names, key=lambda name: name.split('/')):
        yield 'the members are not in order'
    for member in app.archive[1] if app.archive else ():
        if member.uid or member.gid or member.uname or member.gname:
            yield f'{member.name} belongs to {member.uname or member.uid}:{member.gname or member.gid}'
        if member.mtime != app.archive[1][0].mtime:
            yield f'{member.name} has a time of its own'


# ---- Files and modes ----

@rule
def check_that_extracted_splunk_app_does_not_contain_prohibited_directories_or_files(app):
    for name in _every(app):
        if any(part.startswith('.') or part == '__MACOSX' for part in name.split('/')):
            yield name


@rule
def check_for_hidden_files(app):
    yield from check_that_extracted_splunk_app_does_not_contain_prohibited_directories_or_files(app)


@rule
def check_that_extracted_splunk_app_contains_default_app_conf_file(app):
    if 'default/app.conf' not in app.files:
        yield 'there is no default/app.conf'


@rule
def check_that_extracted_splunk_app_does_not_contain_invalid_directories(app):
    for name, mode in app.folders.items():
        if mode & 0o700 != 0o700 or app.whole and mode != 0o755:
            yield f'{name}/ has the mode {mode:o}'


@rule
def check_that_extracted_splunk_app_does_not_contain_files_with_invalid_permissions(app):
    for name, (_data, mode) in app.files.items():
        wanted = 0o755 if name == PROGRAM else 0o644
        if mode & 0o600 != 0o600 or app.whole and mode != wanted:
            yield f'{name} has the mode {mode:o}, not {wanted:o}'


@rule
def check_filenames_for_spaces(app):
    for name in _every(app):
        if re.search(r'[^A-Za-z0-9_./-]', name):
            yield f'{name!r} has characters that not every system and tool takes in a name'


@rule
def check_symlink_outside_app(app):
    for name in app.links:
        yield f'{name} is a link, and a package has none'


@rule
def check_for_expansive_permissions(app):
    for name, mode in [*app.folders.items(), *((name, mode) for name, (_data, mode) in app.files.items())]:
        if mode & (stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
            yield f'{name} has the mode {mode:o}'


@rule
def check_for_prohibited_files(app):
    for name in app.files:
        if re.search(r'(~|\.(pyc|pyo|pyd|exe|dll|so|o|a|bak|orig|rej|swp|tmp|log|tar|gz|zip|spl))\Z|'
                     r'(\A|/)(core|thumbs\.db)\Z', name, re.IGNORECASE):
            yield name


@rule
def own_only_known_top_folders(app):
    """What does not belong shows here first: sources, tests, build products."""
    known = {'default', 'metadata', 'README', 'static', 'lookups', 'appserver', 'docs', 'bin', 'LICENSES'}
    for name in _every(app):
        if '/' in name and name.split('/')[0] not in known:
            yield name


# ---- Who the app is ----

@rule
def check_version_is_valid_semver(app):
    versions = {'default/app.conf [launcher]': app.setting('app', 'launcher', 'version'),
                'default/app.conf [id]': app.setting('app', 'id', 'version'),
                'app.manifest': app.manifest().get('info', {}).get('id', {}).get('version')}
    with open(os.path.join(TOP, 'VERSION'), encoding='ascii') as file:
        wanted = file.read().strip()
    if not SEMVER.match(wanted):
        yield f'VERSION is {wanted!r}'
    for place, version in versions.items():
        if version != wanted:
            yield f'{place} has version {version!r}, the file VERSION says {wanted!r}'


@rule
def check_for_valid_package_id(app):
    ids = {'folder': app.root, '[package] id': app.setting('app', 'package', 'id'),
           '[id] name': app.setting('app', 'id', 'name'),
           'app.manifest': app.manifest().get('info', {}).get('id', {}).get('name')}
    for place, value in ids.items():
        if value != APP_ID:
            yield f'{place} is {value!r}, not {APP_ID!r}'


@rule
def check_for_default_splunk_app(app):
    if app.root.lower() in {name.lower() for name in SPLUNK_APPS}:
        yield f"{app.root} is an app of Splunk's own"


@rule
def check_that_setup_has_not_been_performed(app):
    if conf.is_true(app.setting('app', 'install', 'is_configured')):
        yield '[install] is_configured is true'


@rule
def check_no_install_source_checksum(app):
    for key in ('install_source_checksum', 'install_source_local_checksum'):
        if app.setting('app', 'install', key) is not None:
            yield f'[install] {key} is set, as in an app copied from a running Splunk'


@rule
def check_for_valid_ui_label(app):
    label = app.setting('app', 'ui', 'label') or ''
    if not 5 <= len(label) <= 80:
        yield f'[ui] label {label!r} is not of 5 to 80 characters'


@rule
def check_for_trigger_stanza(app):
    """Triggers are for an app's own kinds of files; splunkd knows how to reload its own."""
    for key in app.conf('app').get('triggers', {}):
        name = key.partition('.')[2]
        if not key.startswith('reload.') or name in SPLUNK_CONFS - {'passwords'}:
            yield f'[triggers] {key}'


def _custom_confs(app):
    return [name for name in app.confs() if name not in SPLUNK_CONFS | NEVER_SHIPPED]


@rule
def check_reload_trigger_for_all_custom_confs(app):
    for name in _custom_confs(app):
        if app.setting('app', 'triggers', f'reload.{name}') is None:
            yield f'{name}.conf is of our own kind, and [triggers] has no reload.{name}'


@rule
def check_custom_conf_replication(app):
    for name in _custom_confs(app):
        if not conf.is_true(app.setting('server', 'shclustering', f'conf_replication_include.{name}')):
            yield f'{name}.conf is of our own kind, and is not replicated in a search head cluster'


@rule
def check_for_updates_disabled(app):
    if app.setting('app', 'package', 'check_for_updates') not in ('0', 'false', 'False'):
        yield '[package] check_for_updates is not off: splunkd would look for the app of this name on Splunkbase'


@rule
def own_app_conf_is_complete(app):
    for stanza, keys in {'install': ('is_configured', 'state', 'build'), 'ui': ('is_visible', 'label'),
                         'launcher': ('author', 'description', 'version'), 'package': ('id', 'check_for_updates'),
                         'id': ('name', 'version')}.items():
        for key in keys:
            if not app.setting('app', stanza, key):
                yield f'[{stanza}] {key} is missing'
    if len(app.setting('app', 'launcher', 'description') or '') > 200:
        yield '[launcher] description has more than 200 characters'
    if not (app.setting('app', 'install', 'build') or '').isdigit():
        yield '[install] build is no number'


@rule
def own_manifest_is_complete(app):
    manifest = app.manifest()
    info = manifest.get('info') or {}
    if manifest.get('schemaVersion') != '2.0.0':
        yield f'schemaVersion is {manifest.get("schemaVersion")!r}'
    for key in ('title', 'id', 'author', 'description', 'classification', 'license'):
        if not info.get(key):
            yield f'info.{key} is missing'
    for author in info.get('author') or []:
        if not author.get('name'):
            yield 'an author has no name'
    for key, known in (('supportedDeployments', {'_standalone', '_distributed', '_search_head_clustering', '*'}),
                       ('targetWorkloads', {'_search_heads', '_indexers', '_forwarders', '*'})):
        for value in manifest.get(key) or []:
            if value not in known:
                yield f'{key} holds {value!r}'
    for kind in ('license', 'releaseNotes', 'privacyPolicy'):
        text = (info.get(kind) or {}).get('text')
        if text and os.path.normpath(text) not in app.files:
            yield f'info.{kind}.text names {text}, which is not in the app'


# ---- The input ----

@rule
def check_inputs_conf_spec_has_stanzas(app):
    if f'{KIND}://<name>' not in app.spec():
        yield f'README/inputs.conf.spec has no [{KIND}://<name>]; without it splunkd does not know the input'


@rule
def check_inputs_conf_spec_stanzas_have_properties(app):
    for stanza, keys in app.spec().items():
        if not keys:
            yield f'[{stanza}] has no parameter'


@rule
def check_inputs_conf_spec_has_no_duplicate_stanzas(app):
    """Duplicates of both kinds are errors of the reader."""
    for name in app.named(r'README/.*\.spec'):
        try:
            conf.read_spec(app.data(name), name)
        except conf.Malformed as error:
            yield str(error)


@rule
def check_inputs_conf_spec_has_no_duplicate_properties(app):
    yield from check_inputs_conf_spec_has_no_duplicate_stanzas(app)


@rule
def check_modular_inputs_scripts_exist(app):
    for stanza in app.spec():
        kind = stanza.partition('://')[0]
        if app.whole and f'bin/{kind}' not in app.files:
            yield f'bin/{kind} is missing'
    for name in app.named('bin/.*'):
        if app.whole and name != PROGRAM:
            yield f'{name} is not what splunkd would start'


@rule
def own_no_input_is_enabled(app):
    """An input is a customer's, so an app ships none; and each file of settings names its kind only."""
    for stanza, keys in app.conf('inputs').items():
        if stanza != KIND:
            yield f'default/inputs.conf has [{stanza}]; only [{KIND}] belongs there'
        for key in keys:
            if key not in app.spec().get(f'{KIND}://<name>', {}) and key not in INPUT_KEYS:
                yield f'default/inputs.conf sets {key}, which README/inputs.conf.spec does not know'
    # Where /bin/sh is dash, only the shell would get splunkd's SIGTERM.
    if (app.setting('inputs', KIND, 'start_by_shell') or '').lower() not in ('false', '0'):
        yield f'default/inputs.conf does not set start_by_shell = false in [{KIND}]'


@rule
def own_no_declared_parameter_is_splunks(app):
    for key in app.spec().get(f'{KIND}://<name>', {}):
        if key in INPUT_KEYS - {'interval'}:
            yield f'README/inputs.conf.spec declares {key}'


@rule
def own_manager_page_fits_the_spec(app):
    wanted = set(app.spec().get(f'{KIND}://<name>', {}))
    for name, root in app.xml().items():
        if root.tagName != 'endpoint':
            continue
        shown = {element.getAttribute('name') for element in root.getElementsByTagName('element')
                 if element.getAttribute('type') not in ('fieldset', 'header', 'helpstring', 'label')}
        if root.getAttribute('name') != f'data/inputs/{KIND}':
            yield f'{name} is for {root.getAttribute("name")!r}'
        for key in sorted(wanted - shown):
            yield f'{name} has no field for {key}'
        for key in sorted(shown - wanted - INPUT_KEYS - {'name', 'eai:acl.app'}):
            if not key.startswith('spl-ctrl_'):
                yield f'{name} has a field {key} that is no parameter'


# ---- Binaries ----

@rule
def check_for_bin_files(app):
    for name, (_data, mode) in app.files.items():
        if not name.startswith('bin/') and mode & 0o111:
            yield f'{name} can be executed'


@rule
def check_for_executable_flag(app):
    for name, (data, _mode) in app.files.items():
        if not name.startswith('bin/') and data[:4] in (b'\x7fELF', b'MZ\x90\0') or data[:2] == b'#!':
            yield f'{name} is a program'


@rule
def check_for_binary_files_without_source_code(app):
    text = app.data('README.md').decode('utf-8', 'replace')
    section = re.search(r'^#+ *Binary File Declaration *$(.*?)(?=^#|\Z)', text,
                        re.MULTILINE | re.DOTALL | re.IGNORECASE)
    if not section:
        yield 'README.md has no section "Binary File Declaration"'
    elif PROGRAM not in section.group(1):
        yield f'the section "Binary File Declaration" of README.md does not name {PROGRAM}'


@rule
def check_platform_specific_binaries(app):
    text = app.data('README.md').decode('utf-8', 'replace')
    for word in ('Linux', 'x86_64', 'aarch64'):
        if word not in text:
            yield f'README.md does not say for which machines the program is: no {word}'


@rule
def check_aarch64_compatibility(app):
    data = app.data(PROGRAM)
    arch = {b'\x3e\0': 'x86_64', b'\xb7\0': 'aarch64'}.get(data[18:20]) if data[:4] == b'\x7fELF' else None
    if app.archive and f'linux_{arch}.' not in os.path.basename(app.archive[0]):
        yield f'{os.path.basename(app.archive[0])} holds a program for {arch}'


@rule
def check_idx_binary_compatibility(app):
    for workload in app.manifest().get('targetWorkloads') or []:
        if workload in ('_indexers', '*'):
            yield f'targetWorkloads has {workload}, but the program has no work on an indexer'


# ---- Secrets ----

_TEXT = r'.*\.(conf|meta|xml|json|manifest|spec|csv|html|js)|app\.manifest'


@rule
def check_for_secret_disclosure(app):
    for file, stanzas in app.confs().items():
        for stanza, keys in stanzas.items():
            for key, value in keys.items():
                if re.search(r'(password|passwd|secret|token|credential|private_key|api_?key|authorization_code)$', key,
                             re.IGNORECASE) and value:
                    yield f'{file}.conf [{stanza}] {key} has a value'
    for name in app.named(_TEXT + r'|.*\.md'):
        if re.search(rb'-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.',
                     app.data(name)):
            yield f'{name} holds a key or a token'


@rule
def check_for_sensitive_info_in_url(app):
    for name in app.named(_TEXT):
        match = re.search(rb'\w+://[^\s/:@<>"]+:[^\s/@<>"]+@', app.data(name))
        if match:
            yield f'{name}: {match.group().decode(errors="replace")}'


@rule
def check_that_local_does_not_exist(app):
    for name in _every(app):
        if name.split('/')[0] == 'local':
            yield name


@rule
def check_for_local_meta(app):
    if 'metadata/local.meta' in app.files:
        yield 'metadata/local.meta'


@rule
def check_that_local_passwords_conf_does_not_exist(app):
    if 'local/passwords.conf' in app.files:
        yield 'local/passwords.conf'


@rule
def check_passwords_conf_deny_list(app):
    yield from app.named(r'.*/passwords\.conf')


@rule
def check_authorize_conf_admin_all_objects_privileges(app):
    for stanza, keys in app.conf('authorize').items():
        if keys.get('admin_all_objects') in ('enabled', '1', 'true'):
            yield f'authorize.conf [{stanza}] gives admin_all_objects'


# ---- Configuration ----

@rule
def check_config_file_parsing(app):
    """Every file that has a syntax is read by a strict reader of it."""
    for name in app.named(r'.*\.(conf|meta|spec|manifest|json)'):
        try:
            if name.endswith(('.json', '.manifest')):
                conf.read_json(app.data(name), name)
            elif name.endswith('.spec'):
                conf.read_spec(app.data(name), name)
            else:
                conf.read_conf(app.data(name), name, name.endswith('.meta'))
        except conf.Malformed as error:
            yield str(error)


@rule
def check_that_all_xml_files_are_well_formed(app):
    for name in app.named(r'.*\.xml'):
        if b'<!DOCTYPE' in app.data(name):
            yield f'{name} has a DOCTYPE'
        if name not in app.xml():
            yield f'{name} is not well-formed'


@rule
def check_validate_no_duplicate_stanzas_in_conf_files(app):
    for name in app.named(r'.*\.conf'):
        heads = re.findall(rb'^\s*\[(.*)\]\s*$', app.data(name), re.MULTILINE)
        for head in sorted({head for head in heads if heads.count(head) > 1}):
            yield f'{name} has [{head.decode(errors="replace")}] more than once'


@rule
def check_no_default_stanzas(app):
    """[default] would hold for the stanzas of every app."""
    for file, stanzas in app.confs().items():
        for stanza in stanzas:
            if stanza in ('default', 'global'):
                yield f'{file}.conf has [{stanza}]'


@rule
def own_no_forbidden_conf(app):
    for file in app.confs():
        if file in NEVER_SHIPPED:
            yield f'default/{file}.conf is not for an app to ship'


@rule
def check_meta_default_write_access(app):
    meta = app.conf('metadata/default.meta')
    if '' not in meta:
        yield 'metadata/default.meta has no [] stanza'
    for stanza, keys in meta.items():
        access = keys.get('access')
        if access is None:
            continue
        match = re.fullmatch(r'read *: *\[ *([^\]]*?) *\] *, *write *: *\[ *([^\]]*?) *\]', access)
        if not match:
            yield f'metadata/default.meta [{stanza}] has access = {access}'
            continue
        writers = {role.strip() for role in match.group(2).split(',')}
        if not writers <= {'admin', 'sc_admin', 'power'}:
            yield f'metadata/default.meta [{stanza}] lets {match.group(2)} write'
        if stanza == '' and 'admin' not in writers:
            yield 'metadata/default.meta [] does not let admin write'
    if 'access' not in meta.get('', {}):
        yield 'metadata/default.meta [] has no access'


@rule
def check_metadata_allow_list(app):
    for name in app.named('metadata/.*'):
        if name != 'metadata/default.meta':
            yield name


@rule
def check_kos_are_accessible(app):
    """Fields, tags and event types must hold in searches from other apps, and the inputs page outside of this one."""
    meta = app.conf('metadata/default.meta')
    for kind in ('props', 'transforms', 'eventtypes', 'tags', 'lookups', 'manager', 'macros'):
        present = (f'default/{kind}.conf' in app.files or app.named(f'default/data/ui/{kind}/.*') or
                   app.named(f'{kind}/.*'))
        exported = meta.get(kind, {}).get('export', meta.get('', {}).get('export'))
        if present and exported != 'system':
            yield f'{kind} has export = {exported}, not system'


@rule
def check_default_data_ui_file_allow_list(app):
    for name in app.named('default/data/.*'):
        parts = name.split('/')
        if (len(parts) != 5 or parts[2] != 'ui' or parts[3] not in VIEW_FOLDERS or
                not re.search(r'\.(xml|html)\Z', name)):
            yield name


@rule
def check_static_directory_file_allow_list(app):
    for name in app.named('static/.*'):
        if not re.search(r'\.(png|md|txt)\Z', name):
            yield name


@rule
def check_lookups_allow_list(app):
    for name in app.named('lookups/.*'):
        if not name.endswith('.csv'):
            yield name
            continue
        widths = {line.count(b',') for line in app.data(name).splitlines() if b'"' not in line}
        if len(widths) > 1:
            yield f'{name} has lines with different numbers of columns'


@rule
def check_that_no_configurations_of_default_source_type_in_props_conf(app):
    for stanza in app.conf('props'):
        if stanza in SPLUNK_SOURCETYPES or stanza.startswith(('host::', 'source::...')):
            yield f"props.conf has [{stanza}], which is not ours to change"


@rule
def check_props_conf_has_transforms(app):
    for stanza, keys in app.conf('props').items():
        for key, value in keys.items():
            for name in value.split(',') if key.startswith(('TRANSFORMS', 'REPORT')) else ():
                if name.strip() not in app.conf('transforms'):
                    yield f'props.conf [{stanza}] {key} names {name.strip()}, which transforms.conf does not have'


@rule
def own_props_keep_whole_events(app):
    """What splunkd's defaults would do to an alert: cut it at 10,000 bytes, and take a date in it for its time."""
    stanzas = {name: keys for name, keys in app.conf('props').items() if '::' not in name}
    if not stanzas:
        yield 'props.conf names no source type'
    for stanza, keys in stanzas.items():
        if keys.get('TRUNCATE') != '0' and int(keys.get('TRUNCATE') or 10000) < 1000000:
            yield f'props.conf [{stanza}] TRUNCATE is {keys.get("TRUNCATE")}'
        if conf.is_true(keys.get('SHOULD_LINEMERGE', 'true')):
            yield f'props.conf [{stanza}] SHOULD_LINEMERGE is not false'
        if keys.get('DATETIME_CONFIG') != 'NONE':
            yield f'props.conf [{stanza}] DATETIME_CONFIG is not NONE'
        if keys.get('INDEXED_EXTRACTIONS', '').lower() == 'json' and keys.get('KV_MODE', 'auto') != 'none':
            yield f'props.conf [{stanza}] reads the JSON twice'


@rule
def check_for_real_time_saved_searches_for_cloud(app):
    for stanza, keys in app.conf('savedsearches').items():
        if any(keys.get(key, '').startswith('rt') for key in ('dispatch.earliest_time', 'dispatch.latest_time')):
            yield f'savedsearches.conf [{stanza}] runs in real time'


@rule
def own_searches_are_shipped_disabled(app):
    for stanza, keys in app.conf('savedsearches').items():
        scheduled = conf.is_true(keys.get('enableSched')) or 'cron_schedule' in keys
        switched_off = conf.is_true(keys.get('disabled')) or (keys.get('enableSched') or '1') in ('0', 'false')
        if scheduled and not switched_off:
            yield f'savedsearches.conf [{stanza}] is scheduled and not disabled'


@rule
def check_hostnames_and_ips(app):
    """Addresses that belong to somebody's network; loopback and those set aside for examples are nobody's."""
    for name in app.named(_TEXT):
        for match in re.finditer(rb'(?<![\w.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\w.])', app.data(name)):
            address = match.group().decode()
            if not address.startswith(('127.', '0.', '192.0.2.', '198.51.100.', '203.0.113.')):
                yield f'{name} names {address}'


@rule
def check_collections_conf(app):
    for stanza, keys in app.conf('collections').items():
        if not any(key.startswith('field.') for key in keys):
            yield f'collections.conf [{stanza}] has no field'


@rule
def check_for_indexer_synced_configs(app):
    for name in app.confs():
        if name in ('indexes', 'distsearch') or 'server' == name and set(app.conf('server')) - {'shclustering'}:
            yield f'default/{name}.conf'


# ---- Pages and pictures ----

@rule
def own_icons(app):
    for name, size in ICONS.items():
        path = f'static/{name}'
        try:
            found = conf.png_size(app.data(path), path)
            if found != size:
                yield f'{path} is {found[0]} x {found[1]}, not {size[0]} x {size[1]}'
        except conf.Malformed as error:
            yield str(error)


@rule
def own_dashboards_are_readable(app):
    for name, root in app.xml().items():
        if not name.startswith('default/data/ui/views/'):
            continue
        if root.tagName not in ('dashboard', 'form') or root.getAttribute('version') not in ('1.1', '2'):
            yield f'{name} is no dashboard of version 1.1 or 2'
        for definition in root.getElementsByTagName('definition'):
            text = ''.join(node.data for node in definition.childNodes if node.nodeType in (node.TEXT_NODE,
                                                                                          node.CDATA_SECTION_NODE))
            try:
                conf.read_json(text.encode() + b'\n', name)
            except conf.Malformed as error:
                yield str(error)


@rule
def own_navigation_leads_somewhere(app):
    own = {os.path.basename(name)[:-4] for name in app.named(r'default/data/ui/views/.*\.xml')}
    for name, root in app.xml().items():
        if '/nav/' in name:
            for view in root.getElementsByTagName('view'):
                target = view.getAttribute('name')
                if target and target not in own | {'search', 'reports', 'alerts', 'dashboards', 'datasets',
                                                   'analytics_workspace'}:
                    yield f'{name} leads to {target}, which is no view of the app'


@rule
def own_macros_exist(app):
    """Each macro that a search, a view or another macro names."""
    macros = {re.sub(r'\(\d+\)\Z', '', stanza) for stanza in app.conf('macros')}
    texts = [(f'{file}.conf [{stanza}]', value) for file, stanzas in app.confs().items()
             for stanza, keys in stanzas.items()
             for key, value in keys.items() if key in ('search', 'definition')]
    texts += [(name, app.data(name).decode('utf-8', 'replace')) for name in app.named(r'default/data/ui/views/.*\.xml')]
    for place, text in texts:
        for macro in sorted(set(re.findall(r'`(\w+)(?:\([^`]*\))?`', text)) - macros):
            yield f'{place} uses the macro {macro}, which macros.conf does not have'


@rule
def own_tags_have_their_event_types(app):
    for stanza in app.conf('tags'):
        kind, _, value = stanza.partition('=')
        if kind == 'eventtype' and value not in app.conf('eventtypes'):
            yield f'tags.conf has [{stanza}], which eventtypes.conf does not have'


@rule
def own_links_in_the_texts_lead_somewhere(app):
    """Relative links of README.md and docs/, to files that are in the app too."""
    for name in app.named(r'README\.md|CHANGELOG\.md|docs/.*\.md'):
        text = re.sub(r'```.*?```|`[^`\n]*`', '', app.data(name).decode('utf-8', 'replace'), flags=re.DOTALL)
        for target in re.findall(r'\]\(([^)\s#]+)(?:#[^)]*)?\)', text):
            if '://' in target or target.startswith('mailto:'):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(name), target))
            if path not in app.files and path not in app.folders:
                yield f'{name} links to {target}, which is not in the app'


# ---- What only a whole package has ----

def libraries():
    """All that is linked into the program."""
    with open(os.path.join(TOP, 'package/versions'), encoding='ascii') as file:
        return [line.split()[0] for line in file if line.strip() and not line.startswith('#')] + ['libgcc']


@rule
def own_texts_and_notices_are_there(app):
    wanted = ['README.md', 'CHANGELOG.md', 'app.manifest', 'metadata/default.meta', 'default/inputs.conf',
              'default/props.conf', 'README/inputs.conf.spec']
    for name in wanted + (['THIRD-PARTY.md', 'sbom.spdx.json', PROGRAM] if app.whole else []):
        if not app.data(name):
            yield f'{name} is missing'


@rule
def own_changelog_tells_of_this_version(app):
    text = app.data('CHANGELOG.md').decode('utf-8', 'replace')
    with open(os.path.join(TOP, 'VERSION'), encoding='ascii') as file:
        wanted = file.read().strip()
    if not re.search(rf'^## \[?{re.escape(wanted)}\b', text, re.M):
        yield f'CHANGELOG.md has no section for {wanted}, the version in the file VERSION'


@rule
def own_sbom_names_each_library(app):
    if not app.whole:
        return
    try:
        sbom = conf.read_json(app.data('sbom.spdx.json'), 'sbom.spdx.json')
    except conf.Malformed as error:
        yield str(error)
        return
    listed = {package['name']: package for package in sbom.get('packages', [])}
    linked = {each['relatedSpdxElement'] for each in sbom.get('relationships', [])
              if each['relationshipType'] == 'STATIC_LINK'}
    if sbom.get('spdxVersion') != 'SPDX-2.3':
        yield 'the SBOM is not SPDX 2.3'
    for library in libraries():
        package = listed.get(library, {})
        if not package.get('versionInfo') or not package.get('licenseDeclared') or package.get('SPDXID') not in linked:
            yield f'the SBOM lacks {library}, its version, its license or that it is linked in'
        if library != 'libgcc' and len(app.data(f'LICENSES/{library}.txt')) < 300:
            yield f'LICENSES/{library}.txt is missing'
        if library not in app.data('THIRD-PARTY.md').decode('utf-8', 'replace'):
            yield f'THIRD-PARTY.md does not name {library}'


@rule
def own_sbom_holds_together(app):
    """What SPDX 2.3 asks for beyond well-formed JSON; tests/package/sbom asks SPDX's own validator for the rest."""
    if not app.whole:
        return
    try:
        sbom = conf.read_json(app.data('sbom.spdx.json'), 'sbom.spdx.json')
    except conf.Malformed:
        return
    packages = sbom.get('packages', [])
    ids = [each.get('SPDXID', '') for each in packages]
    for name in sorted({name for name in ids
                        if ids.count(name) > 1 or not re.fullmatch(r'SPDXRef-[A-Za-z0-9.-]+', name)}):
        yield f'the SBOM has no SPDXID of its own for a package: {name!r}'
    for each in sbom.get('relationships', []):
        for end in ('spdxElementId', 'relatedSpdxElement'):
            if each.get(end) not in ids + ['SPDXRef-DOCUMENT']:
                yield f'the SBOM relates {each.get(end)}, which it does not describe'
    if sbom.get('files'):
        yield 'the SBOM lists files, but not all of the package'
    found = [check['checksumValue'] for package in packages if package.get('name') == PROGRAM
             for check in package.get('checksums', []) if check['algorithm'] == 'SHA256']
    if found != [hashlib.sha256(app.data(PROGRAM)).hexdigest()]:
        yield f'the SBOM has not the SHA-256 of {PROGRAM}'
