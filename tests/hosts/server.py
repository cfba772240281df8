"""The web server of the controller in tests on real hosts: python3 server.py FOLDER...

Serves the files of the folders, and these:

/status/CODE        that status          /redirect/PATH    a redirection to /PATH
/slow/SECONDS       waits first          /headers          the request's headers, as lines
/secret/PATH        /PATH for user `tester` with the password `s3cret`
/gone-after/N/PATH  /PATH, but the first N requests fail with 503
/pks/lookup         the key server's answer for `search`: the file pks/SEARCH
/PATH/              /PATH/index.html
"""
import base64
import http.server
import os
import sys
import time
import urllib.parse

FOLDERS = sys.argv[1:]
SEEN = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass  # a client that did not wait

    def do_GET(self):
        self.answer(urllib.parse.unquote(urllib.parse.urlsplit(self.path).path))

    do_HEAD = do_GET

    def answer(self, path):
        first, _, rest = path.lstrip("/").partition("/")
        if first == "status":
            return self.say(int(rest), b"as asked\n")
        if first == "redirect":
            return self.say(302, b"", Location="/" + rest)
        if first == "slow":
            time.sleep(float(rest))
            return self.say(200, b"at last\n")
        if first == "headers":
            lines = [f"{k}: {v}\n" for k, v in sorted(self.headers.items()) if k.startswith("X-")]
            return self.say(200, "".join(lines).encode())
        if first == "secret":
            if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"tester:s3cret").decode():
                return self.say(401, b"", **{"WWW-Authenticate": 'Basic realm="tests"'})
            return self.answer(rest)
        if first == "gone-after":
            count, _, rest = rest.partition("/")
            SEEN[path] = SEEN.get(path, 0) + 1
            return self.say(503, b"later\n") if SEEN[path] <= int(count) else self.answer(rest)
        if path == "/pks/lookup":
            # a key server: each key is a file of its name
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            return self.file("pks/" + query.get("search", [""])[0])
        return self.file(path.lstrip("/"))

    def file(self, name):
        if name.endswith("/"):
            return self.file(name + "index.html")
        for folder in FOLDERS:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.path.realpath(path).startswith(os.path.realpath(folder) + "/"):
                with open(path, "rb") as file:
                    content = file.read()
                # the time of all files: `If-Modified-Since` has something to compare with
                modified = "Mon, 01 Jan 2024 00:00:00 GMT"
                if self.headers.get("If-Modified-Since") == modified:
                    return self.say(304, None)
                kind = "text/html" if name.endswith(".html") else "application/octet-stream"
                return self.say(200, content, **{"Last-Modified": modified, "Content-Type": kind})
        self.say(404, b"not here\n")

    def say(self, status, body, **headers):
        self.send_response_only(status)
        self.send_header("Server", "tests")
        self.send_header("Date", "Mon, 01 Jan 2024 00:00:00 GMT")
        if body is not None:
            headers.setdefault("Content-Type", "application/octet-stream")
        for name, value in headers.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("", 8000), Handler)
sys.stdout.write("!")
sys.stdout.flush()
server.serve_forever()
