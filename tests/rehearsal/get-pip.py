#!/usr/bin/env python
"""A stand-in for the script of this name: installs pip from the index, without the wheel that the real one carries."""

import os
import re
import subprocess
import sys
import tempfile
import urllib.request

INDEX = "https://pypi.org/simple/pip/"

page = urllib.request.urlopen(INDEX).read().decode()
name = re.search(r'href="([^"#]+\.whl)', page)[1]
with tempfile.TemporaryDirectory() as folder:
    wheel = os.path.join(folder, name)
    urllib.request.urlretrieve(INDEX + name, wheel)
    # a wheel of pip can run itself
    sys.exit(subprocess.call([sys.executable, wheel + "/pip", "install", "--no-index", "--no-compile", wheel]))
