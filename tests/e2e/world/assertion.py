"""Checks a client assertion (RFC 7523) as Entra does; the signature by way of the openssl command."""
import base64
import hashlib
import json
import os
import tempfile

from .certs import openssl
from .login_errors import Refused


def _decode(part):
    return base64.urlsafe_b64decode(part + '=' * (-len(part) % 4))


def _thumbprint(cert, algorithm):
    der = openssl('x509', '-in', cert, '-outform', 'DER')
    return base64.urlsafe_b64encode(hashlib.new(algorithm, der).digest()).rstrip(b'=').decode()


def _signed_by(cert, algorithm, signed, signature):
    with tempfile.TemporaryDirectory(prefix='world-assertion-') as folder:
        names = [os.path.join(folder, name) for name in ('key', 'signature')]
        for name, data in zip(names, (openssl('x509', '-in', cert, '-noout', '-pubkey'), signature)):
            with open(name, 'wb') as file:
                file.write(data)
        padding = ('-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32') if algorithm == 'PS256' else ()
        try:
            openssl('dgst', '-sha256', '-verify', names[0], '-signature', names[1], *padding, data=signed)
        except RuntimeError:
            return False
    return True


def check(token, client_id, certificates, audiences, now):
    """Raise Refused unless the assertion holds. certificates: PEM files registered for the app."""
    try:
        head, claims, signature = token.split('.')
        header, body = json.loads(_decode(head)), json.loads(_decode(claims))
        signature = _decode(signature)
    except ValueError as problem:
        raise Refused(50012) from problem
    algorithm = header.get('alg')
    name, digest = {'PS256': ('x5t#S256', 'sha256'), 'RS256': ('x5t', 'sha1')}.get(algorithm, (None, None))
    if not name:
        raise Refused(50012)
    # A SHA-256 thumbprint put into x5t is a known mistake and must be refused like an unknown certificate.
    # Microsoft's own client pads the thumbprint, so that is taken, too.
    named = [cert for cert in certificates if _thumbprint(cert, digest) == str(header.get(name)).rstrip('=')]
    if not named:
        raise Refused(700027)
    if not _signed_by(named[0], algorithm, f'{head}.{claims}'.encode(), signature):
        raise Refused(50012)
    if body.get('aud') not in audiences or body.get('iss') != client_id or body.get('sub') != client_id:
        raise Refused(50012)
    if not body.get('jti') or not body.get('nbf', now) - 300 <= now <= body.get('exp', 0) + 300:
        raise Refused(700024)


def is_federated(token):
    """Is it somebody else's token? Those of a certificate name it in the header."""
    try:
        header = json.loads(_decode(token.split('.')[0]))
    except ValueError:
        return False
    return not {'x5t', 'x5t#S256'} & set(header)


def check_federated(token, credentials, now):
    """Raise Refused unless a federated credential of the app fits. credentials: {issuer, subject, audience, cert}."""
    try:
        head, claims, signature = token.split('.')
        body, signature = json.loads(_decode(claims)), _decode(signature)
    except ValueError as problem:
        raise Refused(50012) from problem
    for name, claim, code in (('issuer', 'iss', 700211), ('audience', 'aud', 700212), ('subject', 'sub', 700213)):
        credentials = [each for each in credentials if each[name] == body.get(claim)]
        if not credentials:
            raise Refused(code)
    if not _signed_by(credentials[0]['cert'], 'RS256', f'{head}.{claims}'.encode(), signature):
        raise Refused(50012)
    if not body.get('nbf', now) - 300 <= now <= body.get('exp', 0) + 300:
        raise Refused(700024)
