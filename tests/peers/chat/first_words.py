"""How long the first words take through the memory, beyond what the chat server takes for them.

`first_words.py prompts URL FILE` has the memory ask, answers nothing, and writes into FILE what was
asked; `first_words.py figures URL FILE` asks the same of both, one after the other.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median, quantiles

from provider import PORT, Provider, ask, directly, events

moment, url, file = sys.argv[1:]
ROUNDS = 20
NOTES = Path(__file__).parents[3] / "docs" / "notes"
titles = [path.stem.replace("-", " ") for path in sorted(NOTES.glob("*.md"))]
questions = [f"What is there to know about {title}?" for title in titles[: ROUNDS + 1]]


def through_the_memory(question):
    return ask(url, question, fresh=True, keep=False)


def prompts():
    asked = []

    class Recorder(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_error(400)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", int(PORT)), Recorder) as recorder:
        for question in questions:
            response = through_the_memory(question)
            recorder.handle_request()
            response.read()
    assert len(asked) == len(questions), asked
    Path(file).write_text(json.dumps(asked))


def timed(provider, begin, says):
    """Milliseconds until it says something, and all that follows. The chat server is idle then."""
    began = time.perf_counter()
    with begin() as response:
        stream = events(response)
        assert any(says(event) for event in stream), "nothing was said"
        took = (time.perf_counter() - began) * 1_000
        told = list(stream)
    provider.until("stop processing")
    return took, told


def figures():
    rows = []
    with Provider(16_384) as provider:
        asked = json.loads(Path(file).read_text())
        read = json.load(directly(asked[-1] | {"stream": False, "max_tokens": 1}))["usage"]
        provider.until("stop processing")
        for question, prompt in zip(questions, asked):
            alone, _ = timed(
                provider,
                lambda: directly(prompt),
                lambda event: event[1]["choices"][0]["delta"].get("content"),
            )
            through, told = timed(
                provider,
                lambda: through_the_memory(question),
                lambda event: event[0] == "text",
            )
            answer = told[-1][1]
            assert answer["kind"] == "worded", answer
            times = answer["times"]
            beyond, own = through - alone, times["first"] - times["waited"]
            rows.append((alone, through, beyond, beyond - times["found"], own, own - times["found"]))
    tokens = read["prompt_tokens"]
    print(f"milliseconds to the first words, {ROUNDS} rounds of {tokens} tokens, median and p95:")
    # The first round loads the model that finds the sources.
    names = (
        "chat server alone",
        "through the memory",
        "beyond it",
        "  without finding sources",
        "the memory's own account",
        "  without finding sources",
    )
    for name, column in zip(names, zip(*rows[1:])):
        print(f"  {name:27}{median(column):8.1f}{quantiles(column, n=20)[-1]:8.1f}")


{"prompts": prompts, "figures": figures}[moment]()
