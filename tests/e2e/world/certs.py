"""A certificate authority that exists for one run, made with the openssl command."""
import os
import ssl
import subprocess
import tempfile

_CONFIG = """[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
subjectAltName = {names}
extendedKeyUsage = serverAuth
[authority]
database = {folder}/index.txt
new_certs_dir = {folder}
default_md = sha256
rand_serial = yes
unique_subject = no
policy = any
[any]
commonName = supplied
"""


def openssl(*arguments, data=None):
    """Run openssl and return what it printed; its complaint becomes the exception."""
    done = subprocess.run(['openssl', *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(f'openssl {arguments[0]}: {done.stderr.decode(errors="replace").strip()}')
    return done.stdout


class Pair:
    """A certificate and its key, each in a PEM file."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key

    def server_context(self):
        """A fresh context each time: its session tickets are its own, so a swapped certificate is really seen."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.cert, self.key)
        return context


class Authority:
    """Signs server certificates. Elliptic keys, because they are made in milliseconds."""

    def __init__(self, folder=None, name='Test authority of this run'):
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix='world-ca-')
        self.folder = folder or self._temporary.name
        self._count = 0
        self.cert = os.path.join(self.folder, 'ca.pem')
        self._key = os.path.join(self.folder, 'ca.key')
        self._make_key(self._key)
        with open(os.path.join(self.folder, 'index.txt'), 'w', encoding='utf-8'):
            pass
        openssl('req', '-x509', '-new', '-key', self._key, '-days', '30', '-out', self.cert,
                '-config', self._config(name, 'DNS:ca.invalid'), '-extensions', 'ca')

    def _make_key(self, path):
        openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path)

    def _config(self, name, names):
        path = os.path.join(self.folder, 'openssl.cnf')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(_CONFIG.format(name=name, names=names, folder=self.folder))
        return path

    def server(self, *names, expired=False):
        """A server certificate for these names (addresses and host names); preset: the loopback ones."""
        names = names or ('127.0.0.1', '::1', 'localhost', 'far.localhost')
        kinds = ','.join(('IP:' if n.replace('.', '').isdigit() or ':' in n else 'DNS:') + n for n in names)
        self._count += 1
        stem = os.path.join(self.folder, f'server{self._count}')
        pair, request = Pair(stem + '.pem', stem + '.key'), stem + '.csr'
        self._make_key(pair.key)
        config = self._config(names[0], kinds)
        openssl('req', '-new', '-key', pair.key, '-out', request, '-config', config)
        # "openssl ca" and not "x509", because only it can set both dates in the past.
        validity = ('-startdate', '20200101000000Z', '-enddate', '20200201000000Z') if expired else ('-days', '30')
        openssl('ca', '-batch', '-notext', '-config', config, '-name', 'authority', '-extensions', 'leaf',
                '-cert', self.cert, '-keyfile', self._key, '-in', request, '-out', pair.cert, *validity)
        return pair

    def client_context(self):
        """What a client that trusts only this authority uses."""
        return ssl.create_default_context(cafile=self.cert)

    def close(self):
        """Remove the files, if the folder was made here."""
        if self._temporary:
            self._temporary.cleanup()


def signing_pair(folder, name='client', bits=2048):
    """A self-signed RSA certificate and key in one PEM file each, as an app registration takes them."""
    pair = Pair(os.path.join(folder, name + '.pem'), os.path.join(folder, name + '.key'))
    openssl('req', '-x509', '-newkey', f'rsa:{bits}', '-nodes', '-keyout', pair.key, '-out', pair.cert,
            '-days', '30', '-subj', f'/CN={name}')
    return pair
