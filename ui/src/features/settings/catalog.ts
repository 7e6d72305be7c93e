// Every setting that can be changed here: its meaning in a sentence and its unit.

export type Setting = {
  key: string;
  label: string;
  meaning: string;
  unit?: string;
} & (
  | { kind: "number"; min?: number; max?: number; step?: number }
  | { kind: "text"; placeholder?: string }
  | { kind: "period" }
  | { kind: "switch" }
  | { kind: "choice"; options: { value: string; label: string }[] }
);

export type Section = { id: string; title: string; text?: string; settings: Setting[] };

export const provider: Section = {
  id: "provider",
  title: "Provider",
  text: "What turns text into vectors.",
  settings: [
    {
      kind: "choice",
      key: "embedding.provider",
      label: "Provider",
      meaning: "The local model keeps everything on this machine. An endpoint is sent every text that is stored or searched for.",
      options: [
        { value: "local", label: "Local model" },
        { value: "http", label: "OpenAI-compatible endpoint" },
      ],
    },
    { kind: "text", key: "embedding.api_url", label: "Endpoint", meaning: "Its address, without /embeddings at the end. Needed for an endpoint.", placeholder: "http://127.0.0.1:8081/v1" },
    { kind: "text", key: "embedding.model", label: "Model", meaning: "What the endpoint calls the model. Needed for an endpoint." },
    { kind: "text", key: "embedding.model_dir", label: "Local model's folder", meaning: "A folder with model.onnx and tokenizer.json. Empty: the model that came with the app." },
    { kind: "number", key: "embedding.dimension", label: "Dimension", meaning: "How many numbers a vector of the endpoint has. 0: taken from its first answer.", min: 0, max: 65_536 },
    { kind: "text", key: "embedding.query_prefix", label: "Query prefix", meaning: "Text that the endpoint's model expects before a query." },
    { kind: "text", key: "embedding.passage_prefix", label: "Passage prefix", meaning: "Text that the endpoint's model expects before a passage." },
    { kind: "number", key: "embedding.batch_size", label: "Batch size", meaning: "Most texts in one request.", unit: "texts", min: 1, max: 2048 },
    { kind: "number", key: "embedding.timeout_secs", label: "Time-out", meaning: "How long one request to the endpoint may take.", unit: "s", min: 1, max: 3600 },
    { kind: "number", key: "embedding.max_retries", label: "Retries", meaning: "Attempts after the first, with growing pauses between them.", min: 0, max: 20 },
    { kind: "number", key: "embedding.threads", label: "Threads", meaning: "Threads that the local model uses. 0: one for each core.", min: 0, max: 1024 },
    { kind: "switch", key: "embedding.tls_verify", label: "Check the certificate", meaning: "Switch this off only for a test server of your own." },
  ],
};

export const cache: Section = {
  id: "cache",
  title: "Embedding cache",
  text: "Keeps the vectors of texts that were seen before.",
  settings: [
    { kind: "switch", key: "embedding.cache_enabled", label: "Keep vectors", meaning: "The same text is then embedded only once." },
    { kind: "number", key: "embedding.cache_size", label: "In memory", meaning: "Most vectors held in memory.", unit: "vectors", min: 0 },
    { kind: "number", key: "embedding.cache_disk_mb", label: "On disk", meaning: "Most space used on disk. 0: none.", unit: "MB", min: 0 },
    { kind: "number", key: "embedding.cache_ttl_secs", label: "Kept for", meaning: "How long a cached vector is used. 0: for ever.", unit: "s", min: 0 },
  ],
};

export const answers: Section = {
  id: "answers",
  title: "Answers",
  text: "Who words the answers to questions. Their token is among the API tokens.",
  settings: [
    {
      kind: "choice",
      key: "chat.provider",
      label: "Worded by",
      meaning: "Without an endpoint, answers are passages of the memory, and nothing leaves this machine. An endpoint is sent each question with its sources.",
      options: [
        { value: "none", label: "Nobody" },
        { value: "openai-compatible", label: "OpenAI-compatible endpoint" },
      ],
    },
    { kind: "text", key: "chat.api_url", label: "Endpoint", meaning: "Its address, without /chat/completions at the end.", placeholder: "http://127.0.0.1:11434/v1" },
    { kind: "text", key: "chat.model", label: "Model", meaning: "What the endpoint calls the model." },
    { kind: "switch", key: "chat.stream", label: "Word by word", meaning: "Switch this off only for an endpoint that cannot." },
    { kind: "number", key: "chat.temperature", label: "Temperature", meaning: "How freely the model words, 0 to 2. Low: it keeps to its sources.", min: 0, max: 2, step: 0.1 },
    { kind: "number", key: "chat.window_tokens", label: "Window", meaning: "What the model reads and writes together.", unit: "tokens", min: 512 },
    { kind: "number", key: "chat.max_answer_tokens", label: "Longest answer", meaning: "Kept free in the window; at most half of it.", unit: "tokens", min: 16, max: 100_000 },
    { kind: "number", key: "chat.history_tokens", label: "Conversation", meaning: "What of the conversation so far goes along, the latest first.", unit: "tokens", min: 0 },
    { kind: "period", key: "chat.first_token_timeout", label: "Begins within", meaning: "A local model that is not loaded yet needs a minute." },
    { kind: "period", key: "chat.token_timeout", label: "Goes on within", meaning: "Time between two pieces of an answer." },
    { kind: "period", key: "chat.answer_timeout", label: "Ends within", meaning: "What is there by then is kept." },
    { kind: "number", key: "chat.max_retries", label: "Retries", meaning: "Attempts after the first, as long as an answer has not begun.", min: 0, max: 20 },
    { kind: "number", key: "chat.requests_per_minute", label: "Questions a minute", meaning: "0: no limit.", min: 0, max: 100_000 },
    { kind: "switch", key: "chat.tls_verify", label: "Check the certificate", meaning: "Switch this off only for a test server of your own." },
  ],
};

export const ranking: Section = {
  id: "ranking",
  title: "Weights",
  text: "What decides the order of the results. The first four sum to 1.",
  settings: [
    { kind: "number", key: "hirag.ranking_weights.similarity", label: "Relevance", meaning: "How well its vector and its words match the query.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.ranking_weights.recency", label: "Recency", meaning: "How new a context is. More than a little pushes out what is relevant.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.ranking_weights.level", label: "Level", meaning: "Which level it is in: L1 counts 1.0, L2 0.7, L3 0.5.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.ranking_weights.frequency", label: "Frequency", meaning: "How often searches returned it.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.retrieval_strategy.vector_weight", label: "Vectors against words", meaning: "The share of the vectors in the relevance. The words get the rest.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.retrieval_strategy.neighbour_weight", label: "Neighbours", meaning: "How much a context gains from a better neighbour in its session.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.retrieval_strategy.phrase_boost", label: "Exact phrase", meaning: "The factor for texts that contain the query word for word.", min: 1, max: 10, step: 0.1 },
    { kind: "number", key: "hirag.retrieval_strategy.recency_tau_days", label: "Recency fades in", meaning: "The age at which recency has fallen to 37 %.", unit: "days", min: 0, step: 1 },
  ],
};

export const budget: Section = {
  id: "budget",
  title: "Budget",
  text: "How many tokens a search returns, and from which levels. The three shares sum to 1.",
  settings: [
    { kind: "number", key: "hirag.max_context_tokens", label: "Budget", meaning: "Tokens that a search returns unless it asks for another number.", unit: "tokens", min: 1 },
    { kind: "number", key: "hirag.max_tokens_limit", label: "Largest budget", meaning: "Most tokens that a search may ask for.", unit: "tokens", min: 1 },
    { kind: "number", key: "hirag.retrieval_strategy.l1_allocation", label: "Share of L1", meaning: "The part of the budget for L1. What a level does not use goes to the others.", min: 0, max: 1, step: 0.05 },
    { kind: "number", key: "hirag.retrieval_strategy.l2_allocation", label: "Share of L2", meaning: "The part of the budget for L2.", min: 0, max: 1, step: 0.05 },
    { kind: "number", key: "hirag.retrieval_strategy.l3_allocation", label: "Share of L3", meaning: "The part of the budget for L3.", min: 0, max: 1, step: 0.05 },
    { kind: "number", key: "hirag.retrieval_strategy.min_contexts_per_level", label: "From each level", meaning: "Return at least this many of each level, if they exist and fit.", unit: "contexts", min: 0 },
    { kind: "number", key: "hirag.relevance_threshold", label: "Relevance threshold", meaning: "Contexts less relevant than this are dropped; 0 drops none.", min: 0, max: 1, step: 0.01 },
  ],
};

export const sizes: Section = {
  id: "sizes",
  title: "Sizes and lifetimes",
  settings: [
    { kind: "number", key: "hirag.l1_size", label: "Size of L1", meaning: "Contexts in the working set. What no longer fits moves to L2.", unit: "contexts", min: 1, max: 10_000 },
    { kind: "number", key: "hirag.l2_size", label: "Size of L2", meaning: "Contexts in L2. Beyond that, the least recently used move to L3.", unit: "contexts", min: 1 },
    { kind: "switch", key: "hirag.l3_enabled", label: "Long-term level", meaning: "Search L3, and store in it." },
    { kind: "number", key: "levels.promotion", label: "Promotion", meaning: "Uses after which a context moves from L2 to L3. 0: never.", unit: "uses", min: 0 },
    { kind: "period", key: "levels.l2_ttl", label: "L2 keeps for", meaning: "How long L2 keeps what is not promoted.", unit: "like 30d or never" },
    { kind: "period", key: "levels.l3_ttl", label: "L3 keeps for", meaning: "How long L3 keeps a context.", unit: "like 365d or never" },
    { kind: "period", key: "levels.gc_interval", label: "Clean-up every", meaning: "Time between two runs of the clean-up.", unit: "like 1h" },
    { kind: "period", key: "levels.purge_after", label: "Undo for", meaning: "How long deleted contexts can be brought back.", unit: "like 7d" },
  ],
};

export const storage: Section = {
  id: "storage",
  title: "Limits and records",
  settings: [
    { kind: "number", key: "limits.max_text_bytes", label: "Longest text", meaning: "Most bytes of one text. Import longer ones: they are cut into chunks.", unit: "bytes", min: 1 },
    { kind: "number", key: "import.chunk_tokens", label: "Chunk", meaning: "Tokens in each chunk of an imported file.", unit: "tokens", min: 16, max: 8192 },
    { kind: "number", key: "import.chunk_overlap", label: "Overlap", meaning: "Tokens that a chunk repeats from the one before.", unit: "tokens", min: 0 },
    { kind: "number", key: "import.max_file_bytes", label: "Largest file", meaning: "Most bytes of a file to import. Larger ones are skipped, and the result names them.", unit: "bytes", min: 1 },
    { kind: "switch", key: "sources.watch", label: "Watch sources", meaning: "Read what changes in the folders that are to be watched." },
    { kind: "number", key: "sources.settle_ms", label: "Sources rest for", meaning: "Time without a change before a changed folder is read.", unit: "ms", min: 10, max: 60_000 },
    { kind: "period", key: "sources.poll_interval", label: "Look again after", meaning: "Time between two looks at a source that the system cannot watch.", unit: "like 5m" },
    { kind: "number", key: "traces.keep", label: "Searches kept", meaning: "Searches in the history.", unit: "searches", min: 0 },
    { kind: "period", key: "traces.max_age", label: "Kept for", meaning: "How long a search stays in the history.", unit: "like 30d or never" },
    { kind: "number", key: "metrics.slow_ms", label: "Slow from", meaning: "Operations that take longer are listed as slow.", unit: "ms", min: 0 },
    { kind: "number", key: "metrics.slow_statement_ms", label: "Slow statements from", meaning: "Statements of the database that take longer are listed with their plan.", unit: "ms", min: 0 },
    { kind: "number", key: "metrics.memory_limit_mb", label: "Memory limit", meaning: "At 80 % of it, a warning is shown and the caches in memory shrink. 0 is no limit.", unit: "MB", min: 0 },
  ],
};

export const breaker: Section = {
  id: "breaker",
  title: "Breaker",
  text: "Stops asking a provider that keeps failing, for a while.",
  settings: [
    { kind: "number", key: "circuit_breaker.failure_threshold", label: "Opens after", meaning: "Failures within the window that open it.", unit: "failures", min: 1, max: 10_000 },
    { kind: "period", key: "circuit_breaker.window_size", label: "Window", meaning: "Failures older than this are forgotten.", unit: "like 60s" },
    { kind: "period", key: "circuit_breaker.timeout", label: "Stays open for", meaning: "Time until a first call is let through as a probe.", unit: "like 30s" },
    { kind: "number", key: "circuit_breaker.success_threshold", label: "Closes after", meaning: "Probes that must succeed in a row to close it again.", unit: "probes", min: 1, max: 100 },
  ],
};

export const limiter: Section = {
  id: "limiter",
  title: "Limiter",
  text: "Keeps one client from taking everything.",
  settings: [
    { kind: "switch", key: "rate_limit.enabled", label: "Limit clients", meaning: "When this is off, every request is allowed." },
    { kind: "number", key: "rate_limit.requests_per_window", label: "Requests", meaning: "Requests that one client may make within the window.", unit: "requests", min: 1 },
    { kind: "number", key: "rate_limit.window_secs", label: "Window", meaning: "The length of the window.", unit: "s", min: 1, max: 86_400 },
    { kind: "number", key: "rate_limit.burst_size", label: "At once", meaning: "Requests that one client may make at once, if this is more than the above.", unit: "requests", min: 1 },
    { kind: "number", key: "rate_limit.max_clients", label: "Clients", meaning: "Clients that are counted one by one. All others share one allowance.", unit: "clients", min: 1 },
    { kind: "number", key: "rate_limit.cleanup_interval_secs", label: "Forget every", meaning: "Time between two checks for clients that have gone quiet.", unit: "s", min: 1, max: 86_400 },
  ],
};

export const server: Section = {
  id: "server",
  title: "Address and access",
  text: "Usually only programs on this machine reach the server. To let other machines in, change the address, allow it below, and set a certificate: without one, what is sent can be read on the way. Whoever has the token can read and change everything.",
  settings: [
    { kind: "switch", key: "server.enabled", label: "Serve while this program is open", meaning: "Agents, scripts and browsers can then use the memory. The command hirag serve works either way." },
    { kind: "text", key: "server.host", label: "Address", meaning: "127.0.0.1: this machine only. 0.0.0.0: every network that it is in." },
    { kind: "number", key: "server.port", label: "Port", meaning: "0: any port that is free.", min: 0, max: 65_535 },
    { kind: "switch", key: "server.allow_remote", label: "Allow other machines", meaning: "When this is off, an address that other machines can reach is refused." },
    { kind: "text", key: "server.public_name", label: "Name", meaning: "What other machines call it. Empty: the address only.", placeholder: "memory.example.org" },
    { kind: "text", key: "server.tls_cert", label: "Certificate", meaning: "The file with the certificate and its chain (PEM).", placeholder: "/etc/hirag/cert.pem" },
    { kind: "text", key: "server.tls_key", label: "Key", meaning: "The file with the key of the certificate (PEM).", placeholder: "/etc/hirag/key.pem" },
    { kind: "number", key: "server.max_body_bytes", label: "Largest request", meaning: "Most bytes in the body of a request.", unit: "bytes", min: 1024, max: 1_073_741_824 },
    { kind: "number", key: "server.request_timeout_secs", label: "Time-out", meaning: "How long a request may take.", unit: "s", min: 1, max: 3600 },
    { kind: "number", key: "server.max_connections", label: "Connections", meaning: "Most connections at once.", min: 1, max: 100_000 },
    { kind: "number", key: "server.shutdown_secs", label: "When it stops", meaning: "How long requests under way may still take.", unit: "s", min: 0, max: 3600 },
  ],
};
