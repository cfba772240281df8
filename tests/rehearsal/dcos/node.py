#!/usr/bin/env python3
"""A stand-in for what DC/OS runs on a node: Marathon's API on masters; on agents, tasks and Marathon's load balancer.

The first master of the configuration leads; the others hand on what they are asked. An agent tells the leader that it
is there. A task is a small web server that says on which host it runs, so that scaling and balancing can be seen; a task
whose image is marathon-lb balances, by the labels that marathon-lb knows, what arrives at port 80 and at service ports.
"""

import http.server
import itertools
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

HOME = pathlib.Path(__file__).parent
ROLES = {path.name for path in pathlib.Path("/etc/mesosphere/roles").iterdir()}
STATE = pathlib.Path("/var/lib/dcos/marathon.json")
API, AGENT, FIRST_TASK = 8080, 5051, 31000


def masters():
    text = (HOME / "config.yaml").read_text()
    return re.search(r"^master_list:\n((?: *- .*\n)+)", text, re.M)[1].replace("-", " ").split()


LEADER = masters()[0]
IP = subprocess.check_output(["bash", str(HOME / "ip-detect")], text=True).strip()


def ask(url, data=None, method=None, timeout=2):
    """The JSON answer of a server."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read() or b"null")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands each request to `answer(method, path, data)`, which gives a status and what is sent as JSON."""

    protocol_version = "HTTP/1.1"

    def handle_any(self):
        length = int(self.headers.get("Content-Length", 0))
        data = json.loads(self.rfile.read(length)) if length else None
        try:
            status, content = self.server.answer(self.command, self.path.split("?")[0], data)
        except Exception as error:  # a bug of the stand-in must be seen, not hang the client
            status, content = 500, {"message": repr(error)}
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def log_message(self, *_):
        pass


def serve(port, answer):
    """Serves in a thread of its own; `shutdown` and `server_close` of the result end it."""
    server = Server(("", port), Handler)
    server.answer = answer
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Marathon:
    """Applications, and where their tasks run."""

    def __init__(self):
        self.lock = threading.RLock()
        self.apps = json.loads(STATE.read_text()) if STATE.exists() else {}
        self.agents = {}  # address: its roles
        self.tasks = {}  # address: tasks that run there
        self.count = itertools.count(int(time.time()))

    def save(self):
        STATE.write_text(json.dumps(self.apps))

    def shown(self, name):
        tasks = [t for of in self.tasks.values() for t in of if t["appId"] == name]
        return {**self.apps[name], "tasksRunning": len(tasks), "tasksHealthy": len(tasks), "tasks": tasks}

    def answer(self, method, path, data):
        if IP != LEADER:
            return self.hand_on(method, path, data)
        path = path.removeprefix("/marathon").removeprefix("/service")
        with self.lock:
            if path == "/ping":
                return 200, "pong"
            if path == "/agents" and method == "POST":
                self.agents[data["address"]] = data["roles"]
                return 200, {}
            if path == "/package/install":
                options = data.get("options", {}).get(data["packageName"], {})
                app = {"container": {"docker": {"image": f"mesosphere/{data['packageName']}"}}, "instances": 1}
                return self.create({**app, "id": options.get("name", data["packageName"]), "labels": options})
            if path == "/v2/deployments":
                apps = (self.shown(name) for name in self.apps)
                return 200, [{"affectedApps": [a["id"]]} for a in apps if a["tasksRunning"] != a["instances"]]
            if path == "/v2/apps":
                if method == "POST":
                    return self.create(data)
                return 200, {"apps": [self.shown(name) for name in self.apps]}
            if path.startswith("/v2/apps/"):
                return self.one(method, "/" + path.removeprefix("/v2/apps/").strip("/"), data)
        return 404, {"message": f"nothing is at {path}"}

    def hand_on(self, method, path, data):
        try:
            return 200, ask(f"http://{LEADER}:{API}{path}", data, method)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        except OSError as error:
            return 503, {"message": f"the leader does not answer: {error}"}

    def create(self, app):
        name = "/" + app["id"].strip("/")
        if name in self.apps:
            return 409, {"message": f"An app with id [{name}] already exists."}
        self.apps[name] = {"instances": 1, **app, "id": name}
        self.save()
        return 201, self.deployment(name)

    def one(self, method, name, data):
        if name not in self.apps:
            return 404, {"message": f"App '{name}' does not exist"}
        if method == "GET":
            return 200, {"app": self.shown(name)}
        if method == "DELETE":
            del self.apps[name]
        else:
            self.apps[name] |= data
        self.save()
        return 200, self.deployment(name)

    def deployment(self, name):
        return {"id": name, "deploymentId": f"{next(self.count):x}", "deployments": [{"id": f"{next(self.count):x}"}]}

    def reconcile(self):
        """Starts tasks that are missing and ends those that are too many."""
        for address in list(self.agents):
            try:
                self.tasks[address] = ask(f"http://{address}:{AGENT}/tasks")
            except OSError:
                self.tasks[address] = []
                del self.agents[address]
        with self.lock:
            wanted = {name: dict(app) for name, app in self.apps.items()}
        for address, tasks in self.tasks.items():
            for task in tasks:
                if task["appId"] not in wanted:
                    ask(f"http://{address}:{AGENT}/tasks/{task['id']}", method="DELETE")
        for name, app in wanted.items():
            # only these may run on a public agent
            public = "slave_public" in (app.get("acceptedResourceRoles") or [])
            places = sorted(a for a, roles in self.agents.items() if ("slave_public" in roles) == public)
            running = {a: [t for t in self.tasks[a] if t["appId"] == name] for a in places}
            missing = app["instances"] - sum(map(len, running.values()))
            unique = any(c[:2] == ["hostname", "UNIQUE"] for c in app.get("constraints") or [])
            by_load = sorted(places, key=lambda a: len(running[a]))
            if missing > 0 and by_load and not (unique and running[by_load[0]]):
                task = {"id": f"{name.strip('/')}.{next(self.count):x}", "appId": name, "app": app}
                ask(f"http://{by_load[0]}:{AGENT}/tasks", task)
            elif missing < 0:
                last = running[by_load[-1]][-1]
                ask(f"http://{by_load[-1]}:{AGENT}/tasks/{last['id']}", method="DELETE")

    def run(self):
        for port in (80, API):
            serve(port, self.answer)
        while True:
            if IP == LEADER:
                try:
                    self.reconcile()
                except OSError as error:
                    print(f"reconcile: {error}", file=sys.stderr, flush=True)
            time.sleep(0.5)


class Balancer:
    """Marathon's load balancer: port 80 by path and virtual host, service ports by number."""

    def __init__(self):
        self.turn = itertools.count()
        self.servers = [serve(80, self.by_path), serve(9090, lambda *_: (200, "OK"))]
        self.ports = {}

    def close(self):
        for server in [*self.servers, *self.ports.values()]:
            server.shutdown()
            server.server_close()

    def external(self):
        apps = ask(f"http://{LEADER}:{API}/v2/apps")["apps"]
        return [a for a in apps if "external" in (a.get("labels") or {}).get("HAPROXY_GROUP", "")]

    def refresh(self):
        for app in self.external():
            for mapping in app["container"]["docker"].get("portMappings", []):
                port = mapping["servicePort"]
                if port not in self.ports:
                    self.ports[port] = serve(port, lambda *_, name=app["id"]: self.to(name))

    def by_path(self, _method, path, _data):
        for app in self.external():
            prefix = app["labels"].get("HAPROXY_0_PATH")
            if prefix and (path + "/").startswith(prefix):
                return self.to(app["id"])
        return 503, "No server is available to handle this request.\n"

    def to(self, name):
        tasks = ask(f"http://{LEADER}:{API}/v2/apps{name}")["app"]["tasks"]
        if not tasks:
            return 503, "No server is available to handle this request.\n"
        task = tasks[next(self.turn) % len(tasks)]
        with urllib.request.urlopen(f"http://{task['host']}:{task['ports'][0]}/", timeout=2) as answer:
            return answer.status, answer.read().decode()


class Agent:
    """The tasks of this host."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tasks = {}
        self.balancer = None
        self.port = itertools.count(FIRST_TASK)

    def answer(self, method, path, data):
        with self.lock:
            if method == "POST":
                self.start(data)
            elif method == "DELETE":
                self.stop(path.rpartition("/")[2])
            return 200, [task for task, _ in self.tasks.values()]

    def start(self, task):
        port = next(self.port)
        name = task["id"]
        if "marathon-lb" in task["app"].get("container", {}).get("docker", {}).get("image", ""):
            running = self.balancer = Balancer()
        else:
            running = serve(port, lambda *_: (200, f"Hello from {socket.gethostname()}, task {name}\n"))
        self.tasks[name] = ({"id": name, "appId": task["appId"], "host": IP, "ports": [port]}, running)

    def stop(self, name):
        _, running = self.tasks.pop(name, (None, None))
        if isinstance(running, Balancer):
            running.close()
            self.balancer = None
        elif running:
            running.shutdown()
            running.server_close()

    def run(self):
        serve(AGENT, self.answer)
        while True:
            try:
                ask(f"http://{LEADER}:{API}/agents", {"address": IP, "roles": sorted(ROLES)})
                if self.balancer:
                    self.balancer.refresh()
            except OSError as error:
                print(f"the leader does not answer: {error}", file=sys.stderr, flush=True)
            time.sleep(0.5)


os.chdir("/")
(Marathon() if "master" in ROLES else Agent()).run()
