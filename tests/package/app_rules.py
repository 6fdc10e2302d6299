"""Our rules for the package: what the tools of judges.py do not look at, and what this app promises beyond that.

A rule is a generator: it yields one sentence for each thing that breaks it. `RULES` holds them all by name.
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

ICONS = {'appIcon.png': (36, 36), 'appIcon_2x.png': (72, 72), 'appIconAlt.png': (36, 36), 'appIconAlt_2x.png': (72, 72),
         'appLogo.png': (160, 40), 'appLogo_2x.png': (320, 80)}

# Keys that any input may have and a scheme must not declare.
INPUT_KEYS = set('''disabled host index interval persistentQueue persistentQueueSize queueSize run_introspection source
    sourcetype start_by_shell'''.split())

RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


def counts(name, only):
    """Is the file, or the folder (ending in /), one of `only`, below one of its folders, or above one of its names?"""
    return only is None or any(name == each or each.endswith('/') and name.startswith(each) or
                               name.endswith('/') and each.startswith(name) for each in only)


def part_of(path):
    """Which of make-package's packages it is by its name: release, plain or search-head."""
    return next((part for part in ('plain', 'search-head') if path.endswith(f'-{part}.spl')), 'release')


class App:
    """An app as files: name -> (bytes, mode). From an unpacked folder, a package, or the repository itself."""

    def __init__(self, files, folders, links, whole, root=APP_ID, archive=None):
        self.files, self.folders, self.links = files, folders, links
        self.whole, self.root, self.archive = whole, root, archive
        self.part = part_of(archive[0]) if archive else 'release' if whole else 'repository'
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
        is files_are_well_formed's to say."""
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
def archive_is_the_same_for_the_same_content(app):
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
def modes_of_folders(app):
    for name, mode in app.folders.items():
        if mode & 0o700 != 0o700 or app.whole and mode != 0o755:
            yield f'{name}/ has the mode {mode:o}'


@rule
def modes_of_files(app):
    for name, (_data, mode) in app.files.items():
        wanted = 0o755 if name == PROGRAM else 0o644
        if mode & 0o600 != 0o600 or app.whole and mode != wanted:
            yield f'{name} has the mode {mode:o}, not {wanted:o}'


@rule
def names_are_plain(app):
    for name in _every(app):
        if re.search(r'[^A-Za-z0-9_./-]', name):
            yield f'{name!r} has characters that not every system and tool takes in a name'


@rule
def nothing_left_over(app):
    for name in app.files:
        if re.search(r'(~|\.(exe|dll|so|o|a|bak|orig|rej|swp|tmp|log|tar|gz|zip|spl))\Z|'
                     r'(\A|/)(core|thumbs\.db)\Z', name, re.IGNORECASE):
            yield name


@rule
def only_known_top_folders(app):
    """What does not belong shows here first: sources, tests, build products."""
    known = {'default', 'metadata', 'README', 'static', 'lookups', 'appserver', 'docs', 'bin', 'LICENSES'}
    for name in _every(app):
        if '/' in name and name.split('/')[0] not in known:
            yield name


# ---- Who the app is ----

@rule
def version_is_that_of_the_file(app):
    versions = {'default/app.conf [launcher]': app.setting('app', 'launcher', 'version'),
                'default/app.conf [id]': app.setting('app', 'id', 'version'),
                'app.manifest': app.manifest().get('info', {}).get('id', {}).get('version')}
    with open(os.path.join(TOP, 'VERSION'), encoding='ascii') as file:
        wanted = file.read().strip()
    for place, version in versions.items():
        if version != wanted:
            yield f'{place} has version {version!r}, the file VERSION says {wanted!r}'


@rule
def app_conf_is_complete(app):
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


# ---- The input ----

@rule
def no_input_is_enabled(app):
    """An input is a customer's, so an app ships none; and each file of settings names its kind only."""
    for stanza, keys in app.conf('inputs').items():
        if stanza != KIND:
            yield f'default/inputs.conf has [{stanza}]; only [{KIND}] belongs there'
        for key in keys:
            if key not in app.spec().get(f'{KIND}://<name>', {}) and key not in INPUT_KEYS:
                yield f'default/inputs.conf sets {key}, which README/inputs.conf.spec does not know'
    if app.part == 'search-head':
        return
    # Where /bin/sh is dash, only the shell would get splunkd's SIGTERM.
    if (app.setting('inputs', KIND, 'start_by_shell') or '').lower() not in ('false', '0'):
        yield f'default/inputs.conf does not set start_by_shell = false in [{KIND}]'


@rule
def no_declared_parameter_is_splunks(app):
    for key in app.spec().get(f'{KIND}://<name>', {}):
        if key in INPUT_KEYS - {'interval'}:
            yield f'README/inputs.conf.spec declares {key}'


@rule
def manager_page_fits_the_spec(app):
    """What forwarders share by is not a customer's, and belongs into the stanza of all inputs."""
    wanted = {key for key in app.spec().get(f'{KIND}://<name>', {}) if not key.startswith('share_')}
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
def one_program_only(app):
    for name, (data, _mode) in app.files.items():
        if not name.startswith('bin/') and data[:4] in (b'\x7fELF', b'MZ\x90\0') or data[:2] == b'#!':
            yield f'{name} is a program'


@rule
def program_is_declared(app):
    text = app.data('README.md').decode('utf-8', 'replace')
    section = re.search(r'^#+ *Binary File Declaration *$(.*?)(?=^#|\Z)', text,
                        re.MULTILINE | re.DOTALL | re.IGNORECASE)
    if not section:
        yield 'README.md has no section "Binary File Declaration"'
    elif PROGRAM not in section.group(1):
        yield f'the section "Binary File Declaration" of README.md does not name {PROGRAM}'


@rule
def machines_are_named(app):
    text = app.data('README.md').decode('utf-8', 'replace')
    for word in ('Linux', 'x86_64', 'aarch64'):
        if word not in text:
            yield f'README.md does not say for which machines the program is: no {word}'


def machine_of(app):
    """The kind of machine that the program is for."""
    data = app.data(PROGRAM)
    return {b'\x3e\0': 'x86_64', b'\xb7\0': 'aarch64'}.get(data[18:20]) if data[:4] == b'\x7fELF' else None


@rule
def program_fits_the_package(app):
    arch = machine_of(app)
    if app.archive and app.part == 'release' and f'linux_{arch}.' not in os.path.basename(app.archive[0]):
        yield f'{os.path.basename(app.archive[0])} holds a program for {arch}'


@rule
def not_for_indexers(app):
    for workload in app.manifest().get('targetWorkloads') or []:
        if workload in ('_indexers', '*'):
            yield f'targetWorkloads has {workload}, but the program has no work on an indexer'


# ---- Secrets ----

_TEXT = r'.*\.(conf|meta|xml|json|manifest|spec|csv|html|js)|app\.manifest'


@rule
def no_secrets(app):
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


# ---- Configuration ----

@rule
def files_are_well_formed(app):
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
    yield from (f'README/inputs.conf.spec: [{stanza}] has no parameter'
                for stanza, keys in app.spec().items() if not keys)


@rule
def objects_are_exported(app):
    """Fields, tags and event types must hold in searches from other apps, and the inputs page outside of this one."""
    meta = app.conf('metadata/default.meta')
    for kind in ('props', 'transforms', 'eventtypes', 'tags', 'lookups', 'manager', 'macros'):
        present = (f'default/{kind}.conf' in app.files or app.named(f'default/data/ui/{kind}/.*') or
                   app.named(f'{kind}/.*'))
        exported = meta.get(kind, {}).get('export', meta.get('', {}).get('export'))
        if present and exported != 'system':
            yield f'{kind} has export = {exported}, not system'


@rule
def lookups_are_tables(app):
    for name in app.named('lookups/.*'):
        if not name.endswith('.csv'):
            yield name
            continue
        widths = {line.count(b',') for line in app.data(name).splitlines() if b'"' not in line}
        if len(widths) > 1:
            yield f'{name} has lines with different numbers of columns'


@rule
def transforms_exist(app):
    for stanza, keys in app.conf('props').items():
        for key, value in keys.items():
            for name in value.split(',') if key.startswith(('TRANSFORMS', 'REPORT')) else ():
                if name.strip() not in app.conf('transforms'):
                    yield f'props.conf [{stanza}] {key} names {name.strip()}, which transforms.conf does not have'


@rule
def props_keep_whole_events(app):
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
def searches_are_shipped_disabled(app):
    for stanza, keys in app.conf('savedsearches').items():
        scheduled = conf.is_true(keys.get('enableSched')) or 'cron_schedule' in keys
        switched_off = conf.is_true(keys.get('disabled')) or (keys.get('enableSched') or '1') in ('0', 'false')
        if scheduled and not switched_off:
            yield f'savedsearches.conf [{stanza}] is scheduled and not disabled'


# ---- Pages and pictures ----

@rule
def icons(app):
    for name, size in ICONS.items():
        path = f'static/{name}'
        try:
            found = conf.png_size(app.data(path), path)
            if found != size:
                yield f'{path} is {found[0]} x {found[1]}, not {size[0]} x {size[1]}'
        except conf.Malformed as error:
            yield str(error)


@rule
def navigation_leads_somewhere(app):
    own = {os.path.basename(name)[:-4] for name in app.named(r'default/data/ui/views/.*\.xml')}
    for name, root in app.xml().items():
        if '/nav/' in name:
            for view in root.getElementsByTagName('view'):
                target = view.getAttribute('name')
                if target and target not in own | {'search', 'reports', 'alerts', 'dashboards', 'datasets',
                                                   'analytics_workspace'}:
                    yield f'{name} leads to {target}, which is no view of the app'


@rule
def customers_page_is_whole_or_absent(app):
    """A view of the page without its scripts would be a dead entry of the navigation."""
    views = app.named(r'default/data/ui/views/defender_mssp_manage\w*\.xml')
    scripts = app.named(r'appserver/static/(pages/)?\w+\.js')
    if app.part == 'repository':
        return                          # the scripts are built, not committed
    if (len(views), len(scripts)) not in ((0, 0), (2, 3)) or app.part == 'release' and not views:
        yield f'the customers page has the views {views} and the scripts {scripts}'
    if bool(views) != bool(app.data('LICENSES/customers-page.txt')):
        yield 'LICENSES/customers-page.txt does not go with the customers page'
    if bool(views) != (b'defender_mssp_manage' in app.data('default/data/ui/nav/default.xml')):
        yield 'the navigation does not fit the views of the customers page'
    if app.part == 'release' and b'SPDXRef-page' not in app.data('sbom.spdx.json'):
        yield 'the SBOM does not know the customers page'
    if not views and b'defender_mssp_manage' in app.data('metadata/default.meta'):
        yield 'metadata/default.meta names the customers page, which is not there'


@rule
def macros_exist(app):
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
def tags_have_their_event_types(app):
    for stanza in app.conf('tags'):
        kind, _, value = stanza.partition('=')
        if kind == 'eventtype' and value not in app.conf('eventtypes'):
            yield f'tags.conf has [{stanza}], which eventtypes.conf does not have'


@rule
def links_in_the_texts_lead_somewhere(app):
    """Relative links of the texts, to files that are in the app too."""
    for name in app.named(r'(README|CHANGELOG|SECURITY)\.md|docs/.*\.md'):
        text = re.sub(r'```.*?```|`[^`\n]*`', '', app.data(name).decode('utf-8', 'replace'), flags=re.DOTALL)
        for target in re.findall(r'\]\(([^)\s#]+)(?:#[^)]*)?\)', text):
            if '://' in target or target.startswith('mailto:'):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(name), target))
            if app.part == 'search-head' and path.startswith('README/'):
                continue            # about the input, which is not there
            if path not in app.files and path not in app.folders:
                yield f'{name} links to {target}, which is not in the app'


# ---- Texts and notices ----

def libraries(arch='x86_64'):
    """All that is linked into the program; on Arm, zlib does the work of ISA-L."""
    with open(os.path.join(TOP, 'package/versions'), encoding='ascii') as file:
        found = [line.split()[0] for line in file if line.strip() and not line.startswith('#')] + ['libgcc']
    return [name for name in found if arch != 'aarch64' or name != 'libisal']


@rule
def texts_and_notices_are_there(app):
    wanted = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'app.manifest', 'metadata/default.meta',
              'default/props.conf']
    wanted += ['default/inputs.conf', 'README/inputs.conf.spec'] if app.part != 'search-head' else []
    wanted += {'release': ['THIRD-PARTY.md', 'sbom.spdx.json', PROGRAM], 'plain': [PROGRAM]}.get(app.part, [])
    for name in wanted:
        if not app.data(name):
            yield f'{name} is missing'


@rule
def changelog_tells_of_this_version(app):
    text = app.data('CHANGELOG.md').decode('utf-8', 'replace')
    with open(os.path.join(TOP, 'VERSION'), encoding='ascii') as file:
        wanted = file.read().strip()
    if not re.search(rf'^## \[?{re.escape(wanted)}\b', text, re.M):
        yield f'CHANGELOG.md has no section for {wanted}, the version in the file VERSION'


@rule
def sbom_names_each_library(app):
    if app.part != 'release':
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
    for library in libraries(machine_of(app)):
        package = listed.get(library, {})
        if not package.get('versionInfo') or not package.get('licenseDeclared') or package.get('SPDXID') not in linked:
            yield f'the SBOM lacks {library}, its version, its license or that it is linked in'
        if library != 'libgcc' and len(app.data(f'LICENSES/{library}.txt')) < 300:
            yield f'LICENSES/{library}.txt is missing'
        if library not in app.data('THIRD-PARTY.md').decode('utf-8', 'replace'):
            yield f'THIRD-PARTY.md does not name {library}'


@rule
def sbom_holds_together(app):
    """What SPDX 2.3 asks for beyond well-formed JSON; tests/package/sbom asks SPDX's own validator for the rest."""
    if app.part != 'release':
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
