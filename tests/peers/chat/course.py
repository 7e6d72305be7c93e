"""What holds with a real chat server: `course.py PROGRAM`, and with its server `… PROGRAM URL`."""

import json
import os
import re
import signal
import subprocess
import sys
from itertools import islice
from urllib.request import Request, urlopen

from provider import KEY, PORT, Provider, ask, directly, events

program, *served = sys.argv[1:]
QUESTION = "Where is the token of the chat endpoint kept?"
# The sources and all that goes with them have room.
ROOM = 16_384
# Nobody sees the end of an endless answer.
ENDLESS = 131_072, "endless"


def said_directly():
    """What the chat server says whatever it is asked."""
    body = {"messages": [{"role": "user", "content": QUESTION}], "temperature": 1}
    with directly(body) as response:
        answer = json.load(response)
    assert answer["usage"]["completion_tokens"] > 3, answer["usage"]
    text = answer["choices"][0]["message"]["content"]
    assert "99" in text, text
    return text


def of_sources(said):
    """The same with a mark for the number of the source that is not there."""
    return re.sub(r"(, |\]\[)99\]", "][?]", said)


def is_worded(answer, said):
    assert (answer["kind"], answer["problem"]) == ("worded", None), answer
    assert answer["end"] == {"how": "complete"}, answer["end"]
    assert answer["text"] == of_sources(said), (answer["text"], said)
    assert answer["removed"] == ["99"], answer["removed"]
    numbers = [one["number"] for one in answer["sources"]]
    assert len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1)), numbers
    cited = [one["number"] for one in answer["sources"] if one["cited"]]
    assert cited == [number for number in numbers[:2] if str(number) in said], (cited, said)


def is_passages(answer, code, *words):
    """Nothing was worded, and a sentence with these words says why."""
    assert (answer["kind"], answer["end"]) == ("extractive", {"how": "complete"}), answer
    assert answer["passages"] and answer["text"], answer
    problem = answer["problem"]
    assert problem["code"] == code, problem
    assert all(word in problem["message"] for word in words), problem
    print(f"  {problem['message']}")


def broke_off(answer, so_far, said):
    assert (answer["kind"], answer["end"]) == ("worded", {"how": "broken_off"}), answer
    assert answer["problem"]["code"] == "provider_broken_off", answer["problem"]
    # What came is the beginning of what it says each time.
    assert answer["text"] == so_far and so_far, (answer["text"], so_far)
    common = min(len(so_far), len(of_sources(said)))
    assert so_far[:common] == of_sources(said)[:common], (so_far, said)
    print(f"  {answer['problem']['message']}")


def command(**settings):
    """The answer as JSON; a program that gives one in full ends well."""
    asked = [program, "ask", QUESTION, "--json", "--forget"]
    ended = subprocess.run(asked, env=os.environ | settings, capture_output=True, text=True)
    assert ended.returncode == 0, ended
    assert settings.get("HIRAG_CHAT_TOKEN", KEY) not in ended.stdout + ended.stderr, ended
    return json.loads(ended.stdout)


def begun_command():
    """The program while it tells an answer, and what it has told by then."""
    asked = [program, "ask", QUESTION, "--forget"]
    asking = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return asking, asking.stdout.read(200)


def on_the_command_line():
    with Provider(ROOM):
        said = said_directly()
        is_worded(command(), said)
        is_worded(command(HIRAG_CHAT_STREAM="false"), said)
        # It has one model, whatever that is called.
        is_worded(command(HIRAG_CHAT_MODEL="absent"), said)
        cut = command(HIRAG_CHAT_MAX_ANSWER_TOKENS="16")
        assert cut["end"] == {"how": "cut", "by": "tokens"}, cut["end"]
        assert cut["text"] and of_sources(said).startswith(cut["text"]), (cut["text"], said)
        print("answers are worded, and name only sources that are there")
        refused = command(HIRAG_CHAT_TOKEN="not-the-key")
        is_passages(refused, "provider_unauthorized", "401", "`hirag token set chat`")
    with Provider(512):
        is_passages(command(), "provider_window", "512", "`chat.window_tokens`")
    is_passages(command(), "provider_unreachable", PORT)
    print("where none can be worded, passages say why")
    with Provider(*ENDLESS) as provider:
        asking, _ = begun_command()
        asking.send_signal(signal.SIGINT)
        provider.until("stop processing")
        assert asking.wait() == 130, asking.returncode
        asking, _ = begun_command()
        provider.kill()
        assert b"broke its answer off" in asking.stdout.read()
        assert asking.wait() == 1, asking.returncode
    print("an answer is stopped together with the model, or told to be broken off")


def over_http(url):
    with Provider(ROOM):
        said = said_directly()
        found, begun, *texts, done = events(ask(url, QUESTION))
        assert [found[0], begun[0], done[0]] == ["found", "begun", "done"], (found, begun, done)
        assert len(texts) > 3 and "".join(text for _, text in texts) == done[1]["text"], texts
        is_worded(done[1], said)
        assert found[1]["sources"], found
        again = list(events(ask(url, QUESTION)))[-1][1]
        assert again["cached"] and again["text"] == done[1]["text"], again
    with Provider(*ENDLESS) as provider:
        for question in ("What is left behind?", "Is its place free again?"):
            with ask(url, question) as answer:
                assert len(list(islice(events(answer), 20))) == 20
            # It has one place, which the next question gets.
            provider.until("stop processing")
        answer = events(ask(url, "What breaks off?"))
        told = list(islice(answer, 20))
        provider.kill()
        told += answer
        text = "".join(data for name, data in told if name == "text")
        broke_off(told[-1][1], text, said)
    session = told[-1][1]["session"]
    token = {"Authorization": f"Bearer {os.environ['HIRAG_SERVER_TOKEN']}"}
    with urlopen(Request(f"{url}/api/v1/conversations/{session}", headers=token)) as kept:
        broke_off(json.load(kept)["turns"][0]["answer"], text, said)
    is_passages(list(events(ask(url, "Who answers now?")))[-1][1], "provider_unreachable", PORT)
    print("over HTTP as well, and whoever goes away frees the model")


if served:
    over_http(*served)
else:
    on_the_command_line()
