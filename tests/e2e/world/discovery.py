"""What Entra tells a client before and after a sign-in: the discovery documents, and who the user is."""
import base64
import json
import secrets
import urllib.parse
import uuid

from .httpd import Response
from .login_errors import Refused

ISSUER = 'https://login.microsoftonline.com'
CLOUDS = (('login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'),
          ('login.microsoftonline.us', 'login.usgovcloudapi.net'),
          ('login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'))
ALIASES = ('common', 'organizations', 'consumers')


def instance(request):
    """The answer to the question whether a host is one of Entra's: its clouds, and where the tenant's document is."""
    asked = urllib.parse.urlsplit(request.args.get('authorization_endpoint', ''))
    ours = urllib.parse.urlsplit(request.base).hostname
    if asked.hostname not in {ours}.union(*CLOUDS):
        raise Refused(50049)
    tenant = asked.path.strip('/').partition('/')[0] or 'common'
    body = {'tenant_discovery_endpoint': f'{request.base}/{tenant}/v2.0/.well-known/openid-configuration',
            'api-version': request.args.get('api-version', '1.0'),
            'metadata': [{'preferred_network': names[0], 'preferred_cache': names[-1] if len(names) > 2 else names[0],
                          'aliases': list(names)} for names in CLOUDS]}
    return Response(200, json.dumps(body).encode(), kind='application/json; charset=utf-8')


def tenant(request, found, alias, version):
    """The endpoints of a tenant (found), or of one of the aliases, which are nobody's tenant."""
    if not found and alias not in ALIASES:
        raise Refused(90002, error='invalid_tenant')
    who = found.id if found else alias
    middle = '/v2.0' if version == 2 else ''
    ends = {f'{name}_endpoint': f'{request.base}/{who}/oauth2{middle}/{last}' for name, last in (
        ('token', 'token'), ('authorization', 'authorize'), ('device_authorization', 'devicecode'))}
    body = {**ends, 'issuer': f'{ISSUER}/{found.id if found else "{tenantid}"}{middle}',
            'token_endpoint_auth_methods_supported': ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
            'response_modes_supported': ['query', 'fragment', 'form_post'], 'subject_types_supported': ['pairwise'],
            'id_token_signing_alg_values_supported': ['RS256'], 'response_types_supported': ['code', 'id_token'],
            'scopes_supported': ['openid', 'profile', 'email', 'offline_access'],
            'cloud_instance_name': 'microsoftonline.com', 'cloud_graph_host_name': 'graph.windows.net',
            'msgraph_host': 'graph.microsoft.com'}
    return Response(200, json.dumps(body).encode(), kind='application/json; charset=utf-8')


def pack(part):
    """A part of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b'=').decode()


def user(tenant, app, now, scopes, nonce=None, client_info=False):
    """What a token response says of the user: an ID token if openid was asked for, and client_info if that was.
    The signature is noise. Each tenant has one user."""
    who, body = str(uuid.uuid5(uuid.UUID(tenant.id), 'user')), {}
    if 'openid' in scopes:
        claims = {'ver': '2.0', 'iss': f'{ISSUER}/{tenant.id}/v2.0', 'aud': app.client_id, 'tid': tenant.id, 'oid': who,
                  'sub': f'{who[:8]}.{app.client_id[:8]}', 'preferred_username': f'reader@{tenant.domain}',
                  'name': 'Reader', 'iat': int(now), 'nbf': int(now), 'exp': int(now) + 3900,
                  **({'nonce': nonce} if nonce else {})}
        body['id_token'] = '.'.join((pack({'typ': 'JWT', 'alg': 'RS256'}), pack(claims), secrets.token_urlsafe(256)))
    if client_info:
        body['client_info'] = pack({'uid': who, 'utid': tenant.id})
    return body
