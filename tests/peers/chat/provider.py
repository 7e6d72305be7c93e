"""The chat server, asked without the memory in between, and how streams are read."""

import json
import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).parent
KEY, PORT, MODEL = (os.environ[name] for name in ("HIRAG_CHAT_TOKEN", "CHAT_PORT", "CHAT_MODEL"))


class Provider:
    """llama.cpp's server with room for so many tokens, from when it listens until it is killed."""

    def __init__(self, tokens, *endless):
        command = [sys.executable, HERE / "server.py", MODEL, PORT, str(tokens), *endless]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.said = []
        self.until("listening on")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def until(self, words):
        """Reads on in what it writes, until these words stand there."""
        for line in self.process.stderr:
            self.said.append(line)
            if words in line:
                return
        raise SystemExit(f"the chat server ended without {words!r}:\n{''.join(self.said[-30:])}")

    def kill(self):
        """It gets no time to say goodbye."""
        self.process.kill()
        self.process.wait()


def post(port, path, body, token, **headers):
    """The response to a request, its head only. Closing it goes away."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers |= {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Connection": "close",
    }
    connection.request("POST", path, json.dumps(body), headers)
    response = connection.getresponse()
    assert response.status == 200, (response.status, response.read())
    return response


def directly(body):
    """The response of the chat server itself."""
    return post(PORT, "/v1/chat/completions", body, KEY)


def ask(url, question, **request):
    """The response of the memory, which comes as a stream."""
    port, token = url.rpartition(":")[2], os.environ["HIRAG_SERVER_TOKEN"]
    body = {"question": question, **request}
    return post(port, "/api/v1/ask", body, token, Accept="text/event-stream")


def events(response):
    """The events of a stream as they come, each with its name, if it has one, and its data."""
    name = None
    for line in response:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data" and value != "[DONE]":
            yield name, json.loads(value)
