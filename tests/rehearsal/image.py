"""image.py BUSYBOX FOLDER: writes the files of a registry (API version 2) that holds the image nginx, a stand-in.

Its web server is busybox's httpd; the folder it serves is nginx's.
"""

import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile

busybox, folder = sys.argv[1], pathlib.Path(sys.argv[2])
repository = folder / "v2/library/nginx"
(repository / "blobs").mkdir(parents=True)
(repository / "manifests").mkdir()


def add(tar, name, content=None, link=None, mode=0o755):
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if link:
        entry.type, entry.linkname = tarfile.SYMTYPE, link
    elif content is None:
        entry.type = tarfile.DIRTYPE
    else:
        entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content or b""))


def layer():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "dev", "etc", "proc", "root", "sys", "usr", "usr/share", "usr/share/nginx", "usr/share/nginx/html"):
            add(tar, name)
        add(tar, "tmp", mode=0o1777)
        add(tar, "bin/busybox", pathlib.Path(busybox).read_bytes())
        for command in subprocess.check_output([busybox, "--list"], text=True).split():
            if command != "busybox":
                add(tar, f"bin/{command}", link="busybox")
        add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", mode=0o644)
        add(tar, "usr/share/nginx/html/index.html", b"<h1>A stand-in for nginx</h1>\n", mode=0o644)
    return out.getvalue()


def blob(content):
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    (repository / "blobs" / digest).write_bytes(content)
    return digest, len(content)


files = layer()
digest, size = blob(files)
config = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2017-03-18T00:00:00Z",
    "config": {
        "Cmd": ["httpd", "-f", "-p", "80", "-h", "/usr/share/nginx/html"],
        "Env": ["PATH=/bin"],
        "ExposedPorts": {"80/tcp": {}},
    },
    "rootfs": {"type": "layers", "diff_ids": [digest]},
    "history": [{"created": "2017-03-18T00:00:00Z", "created_by": "rehearsal"}],
}
config_digest, config_size = blob(json.dumps(config).encode())
docker = "application/vnd.docker"
manifest = json.dumps({
    "schemaVersion": 2,
    "mediaType": f"{docker}.distribution.manifest.v2+json",
    "config": {"mediaType": f"{docker}.container.image.v1+json", "size": config_size, "digest": config_digest},
    "layers": [{"mediaType": f"{docker}.image.rootfs.diff.tar", "size": size, "digest": digest}],
}).encode()
for name in ("latest", "sha256:" + hashlib.sha256(manifest).hexdigest()):
    (repository / "manifests" / name).write_bytes(manifest)
