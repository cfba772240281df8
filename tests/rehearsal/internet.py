"""internet.py SITE ADDRESS NAMES: the internet, as far as a rehearsal needs it: files of SITE (see site.sh), by host name.

HTTP on port 80, HTTPS on 443, a keyserver (HKP) on 11371, and DNS on 53, which knows the names of SITE, at ADDRESS, and
those of the file NAMES, which is as /etc/hosts. Each request is logged on standard error.
"""

import hashlib
import http.server
import pathlib
import socketserver
import ssl
import sys
import threading
import urllib.parse

SITE = pathlib.Path(sys.argv[1]).resolve()
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Names(http.server.SimpleHTTPRequestHandler):
    """Each host name has a folder of its own."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path):
        host = self.headers.get("Host", "").split(":")[0]
        if host not in (SITE / "names").read_text().split():
            return str(SITE / "nothing")
        self.directory = str(SITE / host)
        return super().translate_path(path)

    def end_headers(self):
        if "/v2/" in self.path:
            self.send_header("Docker-Distribution-API-Version", "registry/2.0")
            if "/manifests/" in self.path and pathlib.Path(self.translate_path(self.path)).is_file():
                content = pathlib.Path(self.translate_path(self.path)).read_bytes()
                self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(content).hexdigest())
        super().end_headers()

    def guess_type(self, path):
        return MANIFEST if "/manifests/" in path else super().guess_type(path)

    def list_directory(self, path):
        # the registry is asked for /v2/ to see what it speaks
        self.send_response(200 if self.path == "/v2/" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Keys(http.server.BaseHTTPRequestHandler):
    """What gpg asks a keyserver for: GET /pks/lookup?op=get&search=0xFINGERPRINT"""

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        wanted = query.get("search", [""])[0].lower().removeprefix("0x")
        found = [f for f in (SITE / "keyserver").iterdir() if wanted and f.name.lower().endswith(wanted)]
        content = found[0].read_bytes() if found else b"No results found\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/pgp-keys" if found else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Resolver(socketserver.BaseRequestHandler):
    """Answers questions for addresses (A); other records a name does not have, and other names there are none."""

    names = {}

    def handle(self):
        query, socket = self.request
        # the question follows the header of 12 bytes: labels, each behind its length, then type and class
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
            at += query[at] + 1
        kind, question = query[at + 1 : at + 3], query[12 : at + 5]
        address = self.names.get(".".join(labels))
        found = address is not None and kind == b"\0\1"
        header = query[:2] + (b"\x85\x80" if address else b"\x85\x83") + b"\0\1" + bytes([0, found]) + b"\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes(map(int, address.split("."))) if found else b""
        socket.sendto(header + question + record, self.client_address)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Secure(Server):
    """The handshake is the connection's thread's business, lest one that says nothing hold up the others."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(SITE / "server.pem")

    def finish_request(self, request, address):
        try:
            super().finish_request(self.context.wrap_socket(request, server_side=True), address)
        except (ssl.SSLError, ConnectionError) as error:
            print(f"{address[0]}: {error}", file=sys.stderr)


for line in pathlib.Path(sys.argv[3]).read_text().splitlines():
    address, *names = line.split()
    Resolver.names.update(dict.fromkeys(names, address))
Resolver.names.update(dict.fromkeys((SITE / "names").read_text().split(), sys.argv[2]))
resolver = socketserver.ThreadingUDPServer((sys.argv[2], 53), Resolver)
resolver.daemon_threads = True
servers = [resolver, Server((sys.argv[2], 80), Names), Secure((sys.argv[2], 443), Names), Server((sys.argv[2], 11371), Keys)]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
resolver.serve_forever()
