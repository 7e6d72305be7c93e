"""llama.cpp's own server with a model: `server.py FILE PORT TOKENS [endless]`.

It takes questions of so many TOKENS, one at a time, and writes to standard error what it does. What
it says is always the same. An endless answer ends where there is no more room for it.
"""

import os
import signal
import sys

import xllamacpp

file, port, tokens, *endless = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = file
params.port = int(port)
params.n_ctx = int(tokens)
params.api_keys = [os.environ["HIRAG_CHAT_TOKEN"]]
params.sampling.seed = 1
params.sampling.ignore_eos = bool(endless)
# Each question is read as if it were the first, and leaves the memory a core of its own.
params.cache_prompt = False
params.cpuparams.n_threads = 1
params.warmup = False
params.ui = False
server = xllamacpp.Server(params)
signal.pause()
