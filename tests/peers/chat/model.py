"""Writes a model that babbles like the notes in a folder: `model.py FOLDER FILE`.

Its tokens are their words. What comes after what in them is all that it has learnt: a token is a
row of ones and zeros, attention and the rest work but add nothing, and the output holds how often
each word follows. So it needs no training, and says whole words.
"""

import re
import sys
from collections import Counter
from pathlib import Path

import gguf
import numpy as np

# The context that it takes, in tokens; a server gives less where it is told to.
CONTEXT = 131_072
LAYERS, HEAD, FORWARD = 1, 32, 32
# What it names after each sentence: sources, and one that is never there.
CITED = [" [1][99]", " [1, 2, 99]"]
END, ASK, BEGIN = "<|end|>", "<|answer|>", "The"
TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}" + ASK

folder, file = sys.argv[1:]
text = "\n".join(path.read_text() for path in sorted(Path(folder).glob("*.md")))
prose = re.sub(r"(?s)^---.*?^---|^```.*?^```", "", text, flags=re.MULTILINE)
# A word goes with the space before it.
words = re.findall(r" [A-Za-z]+|[.,]", " ".join(prose.split()))
control = ["<unk>", END, ASK]
# Each character stands by itself as well, so that no text is without its tokens.
characters = ["\n"] + [chr(code) for code in range(32, 127)]
tokens = [*control, *CITED, *characters, BEGIN]
tokens += [word for word, _ in Counter(words).most_common(1_500) if word not in tokens]
number = {token: index for index, token in enumerate(tokens)}
size = len(tokens)

# How often each token (column) is followed by each (row); what is followed by none, by a full stop.
stop = number["."]
follows = np.zeros((size, size))
follows[stop] = 1e-9
known = [number[word] for word in words if word in number]
for one, next_one in zip(known, known[1:]):
    follows[next_one, one] += 1
# A sentence ends with its sources, and an answer after some sentences.
follows[:, stop] = 0
for token in (number[cited] for cited in CITED):
    follows[token, stop] = 1
    follows[number[" The"], token], follows[number[END], token] = 3, 1
follows[number[BEGIN], number[ASK]] = 1
follows[:, number[BEGIN]] = follows[:, number[" The"]]

model = gguf.GGUFWriter(file, "llama")
model.add_name("babble")
model.add_vocab_size(size)
model.add_context_length(CONTEXT)
model.add_embedding_length(size)
model.add_block_count(LAYERS)
model.add_feed_forward_length(FORWARD)
model.add_head_count(1)
model.add_key_length(HEAD)
model.add_value_length(HEAD)
model.add_rope_dimension_count(HEAD)
model.add_layer_norm_rms_eps(1e-6)
# Pieces of the highest likeliness together, as T5 has them: of all words, the longest.
model.add_tokenizer_model("t5")
model.add_token_list([token.replace(" ", "▁") for token in tokens])
model.add_token_scores([-1.0] * size)
kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
model.add_token_types(kinds + [gguf.TokenType.NORMAL] * (size - len(kinds)))
model.add_unk_token_id(0)
model.add_eos_token_id(number[END])
model.add_add_bos_token(False)
model.add_add_eos_token(False)
model.add_add_space_prefix(False)
model.add_remove_extra_whitespaces(False)
model.add_chat_template(TEMPLATE)


def tensor(name, values):
    model.add_tensor(f"{name}.weight", np.ascontiguousarray(values, dtype=np.float32))


chance = np.random.default_rng(1)
tensor("token_embd", np.eye(size))
tensor("output_norm", np.ones(size))
# The norm before it makes a row's one the root of their number.
likely = follows / follows.sum(axis=0)
tensor("output", np.log(np.maximum(likely, 1e-12)) / np.sqrt(size))
for layer in range(LAYERS):
    for part, shape in {
        "attn_q": (HEAD, size),
        "attn_k": (HEAD, size),
        "attn_v": (HEAD, size),
        "ffn_gate": (FORWARD, size),
        "ffn_up": (FORWARD, size),
    }.items():
        tensor(f"blk.{layer}.{part}", chance.normal(scale=0.02, size=shape))
    for part, shape in {"attn_output": (size, HEAD), "ffn_down": (size, FORWARD)}.items():
        tensor(f"blk.{layer}.{part}", np.zeros(shape))
    for part in ("attn_norm", "ffn_norm"):
        tensor(f"blk.{layer}.{part}", np.ones(size))
model.write_header_to_file()
model.write_kv_data_to_file()
model.write_tensors_to_file()
model.close()
print(f"a model of {size} tokens")
