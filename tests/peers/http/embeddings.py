"""OpenAI's own client against /v1/embeddings of the server whose address is given."""

import os
import struct
import sys
from base64 import b64decode

import openai

url = sys.argv[1] + "/v1"
client = openai.OpenAI(base_url=url, api_key=os.environ["HIRAG_SERVER_TOKEN"], max_retries=0)

# The client asks for base64 by itself, and gives floats.
one = client.embeddings.create(model="any", input="where is the deploy key?")
vector = one.data[0].embedding
assert len(vector) == 384, len(vector)
assert abs(sum(part * part for part in vector) - 1) < 1e-3
assert one.usage.prompt_tokens > 0 and one.usage.total_tokens == one.usage.prompt_tokens

floats = client.embeddings.create(
    model="any", input=["where is the deploy key?", "a text"], encoding_format="float"
)
assert [one.index for one in floats.data] == [0, 1]
assert max(abs(a - b) for a, b in zip(vector, floats.data[0].embedding)) < 1e-6

base64 = client.embeddings.create(model="any", input="a text", encoding_format="base64")
packed = b64decode(base64.data[0].embedding)
unpacked = struct.unpack(f"<{len(packed) // 4}f", packed)
assert max(abs(a - b) for a, b in zip(unpacked, floats.data[1].embedding)) < 1e-6

for bad in ("", []):
    try:
        client.embeddings.create(model="any", input=bad)
        raise SystemExit(f"{bad!r} was embedded")
    except openai.UnprocessableEntityError as error:
        assert error.body["type"] == "invalid_request_error", error.body
        assert error.body["message"]

stranger = openai.OpenAI(base_url=url, api_key="wrong", max_retries=0)
try:
    stranger.embeddings.create(model="any", input="a text")
    raise SystemExit("a wrong token was let in")
except openai.AuthenticationError as error:
    assert error.code == "unauthorized", error.body

print("embeddings as OpenAI's client expects them")
