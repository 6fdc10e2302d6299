#!/usr/bin/env python3
"""Writes into the app folder what is inside the release program: license texts, THIRD-PARTY.md, an SBOM in SPDX 2.3.

    package/notices.py STAGE APP VERSION ARCH COMPILER_VERSION PAGE_PACKAGES

Reads package/versions, what build-libs recorded under STAGE/built and STAGE/accepted, and what ui/build.mjs recorded of
the customers page (PAGE_PACKAGES; its license texts are page_notices.py's). The result depends on nothing
else but SOURCE_DATE_EPOCH.
"""
import datetime
import hashlib
import json
import os
import shutil
import sys

APP_ID = 'TA-defender-mssp'
PROGRAM = 'bin/defender_alerts'
PAGE = 'appserver/static/pages/defender_mssp_manage_app.js'
OWN_LICENSE = 'Apache-2.0'
# What the build changes in a library beside Debian's patches: package/build-libs.
CHANGED = {'musl': 'libc.a also holds the checking functions of package/fortify'}
HERE = os.path.dirname(os.path.abspath(__file__))


class Part:
    """One library that is linked in. digest: of the .dsc that names and checks its source files. outdated: why it is
    not the newest version; empty if it is."""

    def __init__(self, name, version, suite, license, home, digest, outdated):
        self.name, self.version, self.suite, self.license, self.home = name, version, suite, license, home
        self.digest, self.outdated = digest, outdated

    @property
    def upstream(self):
        """The version as its authors call it: without Debian's epoch, revision and marks for repacked sources."""
        version = self.version.split(':')[-1].rsplit('-', 1)[0]
        return version.split('really')[-1].split('+')[0].split('.dfsg')[0]

    @property
    def spdx(self):
        return f'SPDXRef-{self.name}'


def parts(stage):
    found = []
    with open(os.path.join(HERE, 'versions'), encoding='ascii') as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith('#')]
    with open(os.path.join(stage, 'accepted'), encoding='utf-8') as file:
        accepted = json.load(file)
    for name, suite, _pinned, license, home in rows:
        if not os.path.exists(os.path.join(stage, 'built', name)):      # not linked on this machine
            continue
        with open(os.path.join(stage, 'built', name), encoding='ascii') as file:
            _recipe, version, digest = file.read().split()
        found.append(Part(name, version, suite, license, home, digest, accepted.get(name, '')))
    return found


def page_packages(path):
    """What is inside the bundle of the customers page: dictionaries with name, version, license, home."""
    with open(path, encoding='utf-8') as file:
        return json.load(file)['packages']


def third_party(libraries, compiler, inside):
    changed = '; '.join(f'{name}: {what}' for name, what in CHANGED.items())
    outdated = ''.join(f'Outdated: {part.name}, {part.outdated}.\n\n' for part in libraries if part.outdated)
    rows = '\n'.join(f'| {part.name} | {part.upstream} | {part.version} | {part.license} | LICENSES/{part.name}.txt |'
                     f' {part.home} |' for part in libraries)
    scripts = '\n'.join(f'| {one["name"]} | {one["version"]} | {one["license"]} |' for one in inside)
    return f"""# Third-party software

`bin/defender_alerts` is linked from these libraries and nothing of the host. They were built from Debian's source
packages in the versions named here, with Debian's patches and nothing else changed but: {changed}.

| library | version | Debian source version | license | text | home |
|---|---|---|---|---|---|
{rows}

Parts of GCC's run-time library (libgcc {compiler}) are linked in under the GCC Runtime Library Exception, which asks
for nothing further of programs that are compiled with GCC.

{outdated}The customers page (`{PAGE}`) has these packages from npm inside, minified and otherwise unchanged. Their
texts are in `LICENSES/customers-page.txt`.

| package | version | license |
|---|---|---|
{scripts}

The same list for machines, in SPDX 2.3: `sbom.spdx.json`.
"""


def sbom(libraries, program, version, arch, compiler, inside):
    created = datetime.datetime.fromtimestamp(int(os.environ['SOURCE_DATE_EPOCH']), datetime.timezone.utc)
    with open(program, 'rb') as file:
        sha256 = hashlib.sha256(file.read()).hexdigest()

    def package(spdx, name, number, license, home, supplier, **more):
        return {'SPDXID': spdx, 'name': name, 'versionInfo': number, 'supplier': supplier,
                'downloadLocation': 'NOASSERTION', 'filesAnalyzed': False, 'homepage': home,
                'licenseConcluded': license, 'licenseDeclared': license, 'copyrightText': 'NOASSERTION', **more}

    def debian(part):
        locator = f'pkg:deb/debian/{part.name}@{quote(part.version)}?arch=source&distro={part.suite}'
        more = {'comment': f'Outdated: {part.outdated}'} if part.outdated else {}
        return package(part.spdx, part.name, part.upstream, part.license, part.home, 'Organization: Debian',
                       sourceInfo=f'Debian source package {part.name} {part.version}, .dsc with SHA-256 {part.digest}' +
                       (f'; changed here: {CHANGED[part.name]}' if part.name in CHANGED else ''),
                       externalRefs=[{'referenceCategory': 'PACKAGE-MANAGER', 'referenceType': 'purl',
                                      'referenceLocator': locator}], **more)

    app = package('SPDXRef-app', APP_ID, version, OWN_LICENSE, 'NOASSERTION', 'NOASSERTION',
                  primaryPackagePurpose='APPLICATION')
    # A package of one file, not a file: SPDX lets a package hold files only when all of them are listed.
    ours = package('SPDXRef-program', PROGRAM, version, OWN_LICENSE, 'NOASSERTION', 'NOASSERTION',
                   packageFileName=f'./{PROGRAM}', primaryPackagePurpose='APPLICATION',
                   checksums=[{'algorithm': 'SHA256', 'checksumValue': sha256}])
    libgcc = package('SPDXRef-libgcc', 'libgcc', compiler, 'GPL-3.0-or-later WITH GCC-exception-3.1',
                     'https://gcc.gnu.org', 'Organization: Debian')
    def npm(one):
        name = one['name'].replace('@', '').replace('/', '-')
        locator = f'pkg:npm/{one["name"].replace("@", "%40")}@{one["version"]}'
        return package(f'SPDXRef-npm-{name}-{one["version"]}', one['name'], one['version'], one['license'], one['home'],
                       'NOASSERTION', externalRefs=[{'referenceCategory': 'PACKAGE-MANAGER', 'referenceType': 'purl',
                                                     'referenceLocator': locator}])

    page = package('SPDXRef-page', PAGE, version, OWN_LICENSE, 'NOASSERTION', 'NOASSERTION',
                   packageFileName=f'./{PAGE}', primaryPackagePurpose='APPLICATION')
    bundled = [npm(one) for one in inside]
    linked = [*(part.spdx for part in libraries), libgcc['SPDXID']]
    return {
        'spdxVersion': 'SPDX-2.3', 'dataLicense': 'CC0-1.0', 'SPDXID': 'SPDXRef-DOCUMENT',
        'name': f'{APP_ID}-{version}-linux_{arch}',
        'documentNamespace': f'https://spdx.org/spdxdocs/{APP_ID}-{version}-linux_{arch}-{sha256[:32]}',
        'creationInfo': {'created': created.strftime('%Y-%m-%dT%H:%M:%SZ'), 'creators': ['Tool: package/notices.py']},
        'packages': [app, ours, *map(debian, libraries), libgcc, page, *bundled],
        'relationships': [relation('SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-app'),
                          relation('SPDXRef-app', 'CONTAINS', 'SPDXRef-program'),
                          *(relation('SPDXRef-program', 'STATIC_LINK', each) for each in linked),
                          relation('SPDXRef-app', 'CONTAINS', 'SPDXRef-page'),
                          *(relation('SPDXRef-page', 'CONTAINS', each['SPDXID']) for each in bundled)],
    }


def relation(one, kind, other):
    return {'spdxElementId': one, 'relationshipType': kind, 'relatedSpdxElement': other}


def quote(version):
    """Characters that a package URL keeps for itself."""
    return version.replace('%', '%25').replace('+', '%2B').replace(':', '%3A')


def main():
    stage, app, version, arch, compiler, packages = sys.argv[1:]
    libraries, inside = parts(stage), page_packages(packages)
    os.makedirs(os.path.join(app, 'LICENSES'), exist_ok=True)
    for part in libraries:
        shutil.copyfile(os.path.join(stage, 'licenses', f'{part.name}.txt'),
                        os.path.join(app, 'LICENSES', f'{part.name}.txt'))
    with open(os.path.join(app, 'THIRD-PARTY.md'), 'w', encoding='utf-8') as file:
        file.write(third_party(libraries, compiler, inside))
    with open(os.path.join(app, 'sbom.spdx.json'), 'w', encoding='utf-8') as file:
        json.dump(sbom(libraries, os.path.join(app, PROGRAM), version, arch, compiler, inside), file,
                  indent=1)
        file.write('\n')


if __name__ == '__main__':
    main()
