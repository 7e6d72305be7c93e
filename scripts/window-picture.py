#!/usr/bin/env python3
"""Opens the window on a display that nobody sees, and keeps a picture of it.

    scripts/window-picture.py PROGRAM PICTURE.png

PROGRAM is hirag-studio; its memory is the one that $HIRAG_DATA_DIR names. Needs Xvfb and
WebKitWebDriver, which make setup installs.
"""

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PATIENCE = 60  # seconds, for the whole of it
READY = "return document.querySelector('main h1') !== null && !document.body.innerText.includes('Opening the database')"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(*command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def display():
    reader, writer = os.pipe()
    server = ("Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x820x24", "-nolisten", "tcp")
    with running(*server, pass_fds=[writer], stderr=subprocess.DEVNULL):
        os.close(writer)
        number = os.read(reader, 16).decode().strip()
        if not number:
            sys.exit("window-picture: Xvfb does not start")
        yield f":{number}"


class Driver:
    def __init__(self, port):
        self.root = f"http://127.0.0.1:{port}"
        self.until = time.monotonic() + PATIENCE

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def wait(self, what, ready):
        while True:
            with contextlib.suppress(OSError):
                if ready():
                    return
            if time.monotonic() > self.until:
                sys.exit(f"window-picture: {what} within {PATIENCE} seconds")
            time.sleep(0.1)


def main(program, picture):
    port = free_port()
    with display() as name:
        environment = os.environ | {"DISPLAY": name, "TAURI_AUTOMATION": "true", "TAURI_WEBVIEW_AUTOMATION": "true"}
        with running("WebKitWebDriver", f"--port={port}", env=environment, stderr=subprocess.DEVNULL):
            driver = Driver(port)
            driver.wait("WebKitWebDriver does not answer", lambda: driver.ask("GET", "/status")["ready"])
            options = {"webkitgtk:browserOptions": {"binary": os.path.abspath(program)}}
            session = driver.ask("POST", "/session", {"capabilities": {"alwaysMatch": options}})
            path = f"/session/{session['sessionId']}"
            script = {"script": READY, "args": []}
            driver.wait("the window shows nothing", lambda: driver.ask("POST", f"{path}/execute/sync", script))
            with open(picture, "wb") as file:
                file.write(base64.b64decode(driver.ask("GET", f"{path}/screenshot")))
            driver.ask("DELETE", path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
