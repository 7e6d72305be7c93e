"""What holds while the other server is there, gone and back: `course.py there|gone|back URL`."""

import json
import os
import sys
import time
from urllib.request import Request, urlopen

moment, url = sys.argv[1:]

# No word is the same as in the text that it is looked for by: only vectors can find it.
QUESTIONS = {
    "Wo schläft die Katze?": "cat sleeps",
    "Wann beginnt der Bäcker?": "baker lights",
    "Welche Farbe hat der Leuchtturm?": "lighthouse was painted",
}
MEANWHILE = "The ferry to the island leaves from pier nine."
QUESTION_OF_MEANWHILE = "Wo fährt das Schiff zur Insel ab?"


def ask(path, body=None, as_json=True):
    """The answer of the memory, which must be a good one."""
    data = None if body is None else json.dumps(body).encode()
    token = os.environ["HIRAG_SERVER_TOKEN"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(url + path, data, headers), timeout=60) as answer:
        text = answer.read().decode()
    return json.loads(text) if as_json else text


def search(query):
    return ask("/api/v1/contexts/search", {"query": query, "limit": 3})


def found_by_vector(query, part):
    answer = search(query)
    assert answer["metadata"]["degraded"] == [], answer["metadata"]
    best = answer["contexts"][0]
    assert part in best["text"], answer["contexts"]
    assert best["parts"]["vector"] > 0.5 and best["parts"]["text"] == 0, best["parts"]


def breaker():
    return ask("/api/v1/stats")["circuit_breaker"]


def until(what, holds):
    """Waits for it, a minute at most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, f"{what}: not within a minute; {breaker()}"
        time.sleep(0.1)


def shown(line):
    return line in ask("/metrics", as_json=False).splitlines()


def embedding_is(state):
    components = ask("/health")["components"]
    return [one["state"] for one in components if one["name"] == "embedding"] == [state]


def there():
    stats = ask("/api/v1/stats")
    assert (stats["total_contexts"], stats["pending"]) == (5, 0), stats
    assert stats["model"] == {"model": "http:multilingual-e5-small", "dimension": 384}, stats
    for question, part in QUESTIONS.items():
        found_by_vector(question, part)
    until("it is well", lambda: embedding_is("healthy"))


def gone():
    # Each query is a new one: the vectors of those before are kept.
    for number in range(4):
        answer = search(f"who lights the oven? {number}")
        assert answer["metadata"]["degraded"] == ["embedding"], answer["metadata"]
        assert "baker lights" in answer["contexts"][0]["text"], answer["contexts"]
    state = breaker()
    assert [one["to"] for one in state["history"]][:1] == ["open"], state
    stored = ask("/api/v1/contexts", {"text": MEANWHILE, "level": "LongTerm"})
    assert stored["embedding"] == "pending" and stored["pending_because"], stored
    assert shown("hirag_queue_pending 1.0")
    until("the breaker is shown", lambda: shown('hirag_breaker_state{state="open"} 1.0'))
    until("it is missed", lambda: not embedding_is("healthy"))
    # By its words the text is there already.
    assert MEANWHILE == search("ferry to the island")["contexts"][0]["text"]


def back():
    until("the queue is empty", lambda: ask("/api/v1/stats")["pending"] == 0)
    state = breaker()
    assert state["state"] == "closed", state
    changes = [one["to"] for one in state["history"]]
    assert changes[0] == "open" and changes[-2:] == ["half_open", "closed"], state
    assert shown('hirag_breaker_state{state="closed"} 1.0') and shown("hirag_queue_pending 0.0")
    found_by_vector(QUESTION_OF_MEANWHILE, MEANWHILE)
    until("it is well again", lambda: embedding_is("healthy"))


{"there": there, "gone": gone, "back": back}[moment]()
print(f"the other server is {moment}: as it should be")
