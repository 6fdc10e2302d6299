#!/usr/bin/env python3
"""Writes into the app folder the license texts of what is inside the customers page.

    package/page_notices.py PACKAGES APP PAGE

PACKAGES is build/page/packages.json, which ui/build.mjs wrote from the bundler's own list of inputs. Refuses a bundle
that is not the one of that list, and a license that nobody has looked at. notices.py adds the packages to the SBOM.
"""
import hashlib
import json
import os
import sys

# All of them allow what is done here: bundling, minified, with their texts beside it.
ACCEPTED = {'0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'}
TEXTS = 'LICENSES/customers-page.txt'


def read(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def texts(packages):
    """One file with all texts, each below the name of its package."""
    parts = [f'{one["name"]} {one["version"]}, {one["license"]}\n{"=" * 70}\n\n{one["text"]}\n' for one in packages]
    return 'The customers page (appserver/static) has these packages from npm inside.\n\n' + '\n\n'.join(parts)


def main():
    packages, app, page = sys.argv[1:]
    found = read(packages)
    with open(os.path.join(app, page), 'rb') as file:
        if hashlib.sha256(file.read()).hexdigest() != found['sha256']:
            sys.exit(f'{page} is not what {packages} describes; remove appserver/ and run make page')
    strange = [f'{one["name"]} ({one["license"]})' for one in found['packages'] if one['license'] not in ACCEPTED]
    if strange:
        sys.exit(f'licenses that package/page_notices.py does not know: {", ".join(strange)}')
    target = os.path.join(app, TEXTS)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, 'w', encoding='utf-8') as file:
        file.write(texts(found['packages']))


if __name__ == '__main__':
    main()
