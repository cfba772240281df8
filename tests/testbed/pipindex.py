"""Makes a package index of small test packages in FOLDER: python3 pipindex.py FOLDER

FOLDER/simple   pip install -i http://.../simple/
FOLDER/wheels   the same packages as files

rp-pip-hello 1.0 1.1 2.0    versions; it has a module and a program
rp-pip-dep 1.0              requires rp-pip-hello
rp-pip-needs 1.0            requires what is not there
RP.Pip_Name 1.0             a name that is written in several ways
"""
import hashlib
import os
import sys
import zipfile

PACKAGES = [
    ("rp-pip-hello", "1.0", []),
    ("rp-pip-hello", "1.1", []),
    ("rp-pip-hello", "2.0", []),
    ("rp-pip-dep", "1.0", ["rp-pip-hello"]),
    ("rp-pip-needs", "1.0", ["rp-pip-missing"]),
    ("RP.Pip_Name", "1.0", []),
]


def escaped(name):
    return name.replace("-", "_").replace(".", "_")


def wheel(folder, name, version, requires):
    module = escaped(name).lower()
    info = f"{escaped(name)}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {r}\n" for r in requires)
    files = {
        f"{module}.py": f"version = {version!r}\n\n\ndef main():\n    print(version)\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{module} = {module}:main\n",
    }
    record = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    path = os.path.join(folder, f"{escaped(name)}-{version}-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in [*files.items(), (f"{info}/RECORD", record)]:
            # the same bytes whenever it is made
            entry = zipfile.ZipInfo(file, (2024, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    return path


def main(folder):
    wheels = os.path.join(folder, "wheels")
    os.makedirs(wheels, exist_ok=True)
    links = {}
    for name, version, requires in PACKAGES:
        path = wheel(wheels, name, version, requires)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        file = os.path.basename(path)
        link = f'<a href="/wheels/{file}#sha256={digest}">{file}</a><br>\n'
        links.setdefault(escaped(name).lower().replace("_", "-"), []).append(link)
    for name, lines in links.items():
        page = os.path.join(folder, "simple", name)
        os.makedirs(page, exist_ok=True)
        with open(os.path.join(page, "index.html"), "w") as file:
            file.write("<!DOCTYPE html><html><body>\n" + "".join(lines) + "</body></html>\n")


main(sys.argv[1])
