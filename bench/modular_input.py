"""A modular input in the usual manner, for comparison: requests, json, print; one process a tenant.

Asks in spans of time that hold about a page, as careful ones do; most follow @odata.nextLink or $skip.
"""
import datetime
import json
import sys
from xml.sax.saxutils import escape

import requests

KIND, TENANT, CLIENT, LOGIN, API, CA = sys.argv[1:]
PATH, FIELD = (('/v1.0/security/alerts_v2', 'lastUpdateDateTime') if KIND == 'graph'
               else ('/api/alerts', 'lastUpdateTime'))


def main():
    session = requests.Session()
    session.trust_env = False       # a CA bundle of the environment would go before ours
    session.verify = CA
    token = session.post('%s/%s/oauth2/v2.0/token' % (LOGIN, TENANT), data={
        'grant_type': 'client_credentials', 'client_id': CLIENT, 'client_secret': 's', 'scope': API + '/.default'})
    token.raise_for_status()
    session.headers['Authorization'] = 'Bearer ' + token.json()['access_token']
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=30)
    seen, skip = set(), 0
    while True:
        answer = session.get(API + PATH, params={
            '$filter': '%s ge %sZ' % (FIELD, begin.isoformat()), '$top': 1000, '$skip': skip})
        answer.raise_for_status()
        alerts = answer.json()['value']
        for alert in alerts:
            key = (alert['id'], alert[FIELD])
            if key in seen:
                continue
            seen.add(key)
            print('<event><time>%s</time><data>%s</data></event>' % (alert[FIELD], escape(json.dumps(alert))))
        sys.stdout.flush()
        if len(alerts) < 1000:
            return
        skip += 1000


main()
