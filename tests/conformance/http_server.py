#!/usr/bin/env python3
"""The web server that the suites of HTTP expect beside them: httpbin behind TLS on loopback, with an authority of its own, a client's
certificate, two names served by SNI and one that no certificate has. `start` returns when it listens.

Runs inside a test host, by the Python environment that has httpbin.
"""

import os
import socket
import ssl
import subprocess
import sys
import threading
import time

CERTS = "/opt/httpbin/certs"
NAME = "ansible.http.tests"
NAMES = " ".join([NAME] + [f"{first}.{NAME}" for first in ("sni1", "sni2", "fail", "self-signed")])


def make_certificates():
    if os.path.exists(CERTS + "/client.pem"):
        return
    os.makedirs(CERTS, exist_ok=True)

    def openssl(arguments):
        subprocess.run("openssl " + arguments, shell=True, cwd=CERTS, check=True, stderr=subprocess.DEVNULL)

    for authority in ("cacert", "ca2cert"):
        openssl(f"req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=tests-{authority} -keyout {authority}.key -out {authority}.pem "
                "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign")
    signed = (("server", "cacert", NAME), ("sni", "cacert", "sni1." + NAME), ("self", "ca2cert", "self-signed." + NAME), ("client", "cacert", "client." + NAME))
    for name, authority, host in signed:
        with open(f"{CERTS}/{name}.ext", "w") as file:
            file.write(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\n")
        openssl(f"req -newkey rsa:2048 -nodes -subj /CN={host} -keyout {name}.key -out {name}.csr")
        openssl(f"x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -days 3650 -extfile {name}.ext -out {name}.pem")


def application(httpbin):
    def answer(env, start):
        path, host = env["PATH_INFO"], env.get("HTTP_HOST", "").split(":")[0]
        if path in ("/cacert.pem", "/ca2cert.pem", "/client.pem", "/client.key"):
            with open(CERTS + path, "rb") as file:
                body = file.read()
        elif path == "/ssl_client_verify":
            body = f"{NAME}:{'SUCCESS' if env.get('SSL_CLIENT_CERT') else 'NONE'}".encode()
        elif path == "/" and host.startswith(("sni1.", "sni2.", "self-signed.")):
            body = host.encode()
        elif host.startswith("fail.") and env["wsgi.url_scheme"] == "http":
            start("301 Moved", [("Location", f"https://{host}{path}"), ("Content-Length", "0")])
            return [b""]
        else:
            return httpbin(env, start)
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def tls(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(f"{CERTS}/{name}.pem", f"{CERTS}/{name}.key")
    context.load_verify_locations(CERTS + "/cacert.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def serve():
    from httpbin import app as httpbin
    from werkzeug.serving import WSGIRequestHandler, make_server

    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    main, sni = tls("server"), tls("sni")

    def choose(connection, name, _):
        if name and name.startswith("sni"):
            connection.context = sni

    main.sni_callback = choose
    for port, context in ((80, None), (443, main), (444, tls("self"))):
        server = make_server("127.0.0.1", port, application(httpbin), threaded=True, ssl_context=context)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()


def start():
    make_certificates()
    with open("/etc/hosts", "a") as file:
        file.write(f"127.0.0.1 {NAMES}\n")
    with open("/out/http_server.log", "w") as log:
        subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", 444), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    sys.exit("the web server did not start")


start() if sys.argv[1:] == ["start"] else serve()
