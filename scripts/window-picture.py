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
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 60  # seconds, for the whole of it
ENDING = 5  # seconds for a process that was asked to end
# When the view has what it shows, and that is on the display.
READY = """
const shown = arguments[0];
const ready = document.querySelector("main h1") && !document.querySelector("main :is(.loading, .opening)");
if (ready) requestAnimationFrame(() => requestAnimationFrame(() => shown(true)));
else shown(false);
"""


class Failed(Exception):
    pass


class Limit:
    """Breaks off whatever is waited for, and says what that was."""

    def __init__(self, seconds):
        self.doing = "nothing"
        signal.signal(signal.SIGALRM, self.over)
        signal.alarm(seconds)

    def over(self, *_):
        raise Failed(f"gave up after {PATIENCE} seconds while {self.doing}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(*command, **options):
    """A process that ends with the block, and all that it started with it."""
    try:
        process = subprocess.Popen(command, start_new_session=True, **options)
    except OSError as error:
        raise Failed(f"{command[0]} does not start: {error}") from error
    try:
        yield process
    finally:
        end(process)


def end(process):
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDING)


@contextlib.contextmanager
def display(output):
    reader, writer = os.pipe()
    server = ("Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x820x24", "-nolisten", "tcp")
    with running(*server, pass_fds=[writer], stdout=output, stderr=output):
        os.close(writer)
        with os.fdopen(reader) as number:
            name = number.readline().strip()
        if not name:
            raise Failed("Xvfb does not start")
        yield f":{name}"


def ask(method, address, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise Failed(f"WebKitWebDriver says: {json.load(error)['value']['message']}") from error


def wait(ready):
    while True:
        # It does not listen yet.
        with contextlib.suppress(OSError):
            if ready():
                return
        time.sleep(0.1)


def take(program, picture, limit, output):
    limit.doing = "starting Xvfb"
    with display(output) as name:
        limit.doing = "starting WebKitWebDriver"
        port = free_port()
        driver = f"http://127.0.0.1:{port}"
        automation = {"DISPLAY": name, "TAURI_AUTOMATION": "true", "TAURI_WEBVIEW_AUTOMATION": "true"}
        command = ("WebKitWebDriver", f"--port={port}")
        with running(*command, env=os.environ | automation, stdout=output, stderr=output):
            wait(lambda: ask("GET", f"{driver}/status")["ready"])
            limit.doing = f"opening the window of {program}"
            options = {"webkitgtk:browserOptions": {"binary": os.path.abspath(program)}}
            session = ask("POST", f"{driver}/session", {"capabilities": {"alwaysMatch": options}})
            window = f"{driver}/session/{session['sessionId']}"
            limit.doing = "waiting for something in the window"
            script = {"script": READY, "args": []}
            wait(lambda: ask("POST", f"{window}/execute/async", script))
            limit.doing = "taking the picture"
            with open(picture, "wb") as file:
                file.write(base64.b64decode(ask("GET", f"{window}/screenshot")))
            limit.doing = "closing the window"
            ask("DELETE", window)


def main(program, picture):
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            take(program, picture, Limit(PATIENCE), output)
        except Failed as failure:
            output.seek(0)
            said = "".join(output.readlines()[-20:])
            sys.exit(f"{said}window-picture: {failure}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
