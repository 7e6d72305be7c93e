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
      meaning: "The local model keeps everything on this machine; an endpoint gets every text that is stored or asked.",
      options: [
        { value: "local", label: "Local model" },
        { value: "http", label: "OpenAI-compatible endpoint" },
      ],
    },
    { kind: "text", key: "embedding.api_url", label: "Endpoint", meaning: "Its address up to and without /embeddings; needed with an endpoint.", placeholder: "http://127.0.0.1:8081/v1" },
    { kind: "text", key: "embedding.model", label: "Model", meaning: "The endpoint's name of the model; needed with an endpoint." },
    { kind: "text", key: "embedding.model_dir", label: "Local model's folder", meaning: "A folder with model.onnx and tokenizer.json; empty takes the one that came with the app." },
    { kind: "number", key: "embedding.dimension", label: "Dimension", meaning: "Components of the endpoint's vectors; 0 learns it from the first answer.", min: 0, max: 65_536 },
    { kind: "text", key: "embedding.query_prefix", label: "Before a query", meaning: "What the endpoint's model wants to stand before a query." },
    { kind: "text", key: "embedding.passage_prefix", label: "Before a passage", meaning: "What the endpoint's model wants to stand before a passage." },
    { kind: "number", key: "embedding.batch_size", label: "Batch size", meaning: "Texts in one request at most.", unit: "texts", min: 1, max: 2048 },
    { kind: "number", key: "embedding.timeout_secs", label: "Time-out", meaning: "How long one request to the endpoint may take.", unit: "s", min: 1, max: 3600 },
    { kind: "number", key: "embedding.max_retries", label: "Retries", meaning: "Attempts after the first, with growing pauses between them.", min: 0, max: 20 },
    { kind: "number", key: "embedding.threads", label: "Threads", meaning: "Threads of the local model; 0 is one for each core.", min: 0, max: 1024 },
    { kind: "switch", key: "embedding.tls_verify", label: "Check the certificate", meaning: "Switch off only for a test server of your own." },
  ],
};

export const cache: Section = {
  id: "cache",
  title: "Embedding cache",
  text: "Vectors of texts that were seen before.",
  settings: [
    { kind: "switch", key: "embedding.cache_enabled", label: "Keep vectors", meaning: "A text that comes again needs no embedding then." },
    { kind: "number", key: "embedding.cache_size", label: "In memory", meaning: "Vectors held in memory at most.", unit: "vectors", min: 0 },
    { kind: "number", key: "embedding.cache_disk_mb", label: "On disk", meaning: "Space on disk at most; 0 keeps none there.", unit: "MB", min: 0 },
    { kind: "number", key: "embedding.cache_ttl_secs", label: "Kept for", meaning: "How long a cached vector is used; 0 is for ever.", unit: "s", min: 0 },
  ],
};

export const ranking: Section = {
  id: "ranking",
  title: "Weights",
  text: "What the final order is made of. The four weights sum to 1.",
  settings: [
    { kind: "number", key: "hirag.ranking_weights.similarity", label: "Relevance", meaning: "How well vectors and words fit the query.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.ranking_weights.recency", label: "Recency", meaning: "How young a context is. More than a tie-breaker pushes out what is relevant.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.ranking_weights.level", label: "Level", meaning: "How near its level is: 1.0, 0.7 or 0.5.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.ranking_weights.frequency", label: "Frequency", meaning: "How often searches returned it.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.retrieval_strategy.vector_weight", label: "Vectors against words", meaning: "The vectors' part of the relevance; the words get the rest.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.retrieval_strategy.neighbour_weight", label: "Neighbours", meaning: "How far a context is lifted towards its better neighbour in the same session.", min: 0, max: 1, step: 0.01 },
    { kind: "number", key: "hirag.retrieval_strategy.phrase_boost", label: "Exact phrase", meaning: "The factor for texts that hold the whole query as a phrase.", min: 1, max: 10, step: 0.1 },
    { kind: "number", key: "hirag.retrieval_strategy.recency_tau_days", label: "Recency falls in", meaning: "Days after which the recency has fallen to 37 %.", unit: "days", min: 0, step: 1 },
  ],
};

export const budget: Section = {
  id: "budget",
  title: "Budget",
  text: "How many tokens a search returns, and from where. The three shares sum to 1.",
  settings: [
    { kind: "number", key: "hirag.max_context_tokens", label: "Budget", meaning: "Tokens that a search returns when it does not say.", unit: "tokens", min: 1 },
    { kind: "number", key: "hirag.max_tokens_limit", label: "Largest budget", meaning: "Tokens that a search may ask for.", unit: "tokens", min: 1 },
    { kind: "number", key: "hirag.retrieval_strategy.l1_allocation", label: "Share of L1", meaning: "What a level does not use goes to the others.", min: 0, max: 1, step: 0.05 },
    { kind: "number", key: "hirag.retrieval_strategy.l2_allocation", label: "Share of L2", meaning: "The same for the short-term level.", min: 0, max: 1, step: 0.05 },
    { kind: "number", key: "hirag.retrieval_strategy.l3_allocation", label: "Share of L3", meaning: "The same for the long-term level.", min: 0, max: 1, step: 0.05 },
    { kind: "number", key: "hirag.retrieval_strategy.min_contexts_per_level", label: "From each level", meaning: "Contexts of each level to return at least, where they exist and fit.", unit: "contexts", min: 0 },
    { kind: "number", key: "hirag.relevance_threshold", label: "Relevance threshold", meaning: "Contexts less relevant than this are dropped; 0 drops none.", min: 0, max: 1, step: 0.01 },
  ],
};

export const sizes: Section = {
  id: "sizes",
  title: "Sizes and lifetimes",
  settings: [
    { kind: "number", key: "hirag.l1_size", label: "Size of L1", meaning: "Contexts in the working set; what it evicts moves to L2.", unit: "contexts", min: 1, max: 10_000 },
    { kind: "number", key: "hirag.l2_size", label: "Size of L2", meaning: "Contexts in L2; the least recently used beyond it move to L3.", unit: "contexts", min: 1 },
    { kind: "switch", key: "hirag.l3_enabled", label: "Long-term level", meaning: "Whether L3 is searched and stored into." },
    { kind: "number", key: "levels.promotion", label: "Promotion", meaning: "Uses that move a context from L2 to L3; 0 is never.", unit: "uses", min: 0 },
    { kind: "period", key: "levels.l2_ttl", label: "L2 keeps for", meaning: "How long L2 keeps what is not promoted.", unit: "like 30d or never" },
    { kind: "period", key: "levels.l3_ttl", label: "L3 keeps for", meaning: "How long L3 keeps a context.", unit: "like 365d or never" },
    { kind: "period", key: "levels.gc_interval", label: "Clean-up every", meaning: "Time between two runs of the clean-up.", unit: "like 1h" },
    { kind: "period", key: "levels.purge_after", label: "Undo for", meaning: "How long what was deleted can be brought back.", unit: "like 7d" },
  ],
};

export const storage: Section = {
  id: "storage",
  title: "Limits and records",
  settings: [
    { kind: "number", key: "limits.max_text_bytes", label: "Longest text", meaning: "Bytes of one text; longer ones are better imported, in chunks.", unit: "bytes", min: 1 },
    { kind: "number", key: "import.chunk_tokens", label: "Chunk", meaning: "Tokens of a chunk of an imported file.", unit: "tokens", min: 16, max: 8192 },
    { kind: "number", key: "import.chunk_overlap", label: "Overlap", meaning: "Tokens that a chunk repeats of the one before.", unit: "tokens", min: 0 },
    { kind: "number", key: "import.max_file_bytes", label: "Largest file", meaning: "Bytes of a file to import; larger ones are named and left out.", unit: "bytes", min: 1 },
    { kind: "number", key: "traces.keep", label: "Searches kept", meaning: "Records of searches in the history.", unit: "records", min: 0 },
    { kind: "period", key: "traces.max_age", label: "Kept for", meaning: "How long a record of a search is kept.", unit: "like 30d or never" },
    { kind: "number", key: "metrics.slow_ms", label: "Slow from", meaning: "Operations that take longer are listed as slow.", unit: "ms", min: 0 },
  ],
};

export const breaker: Section = {
  id: "breaker",
  title: "Breaker",
  text: "Leaves a provider that keeps failing in peace for a while.",
  settings: [
    { kind: "number", key: "circuit_breaker.failure_threshold", label: "Opens after", meaning: "Failures within the window that open the breaker.", unit: "failures", min: 1, max: 10_000 },
    { kind: "period", key: "circuit_breaker.window_size", label: "Window", meaning: "Failures older than this are forgotten.", unit: "like 60s" },
    { kind: "period", key: "circuit_breaker.timeout", label: "Stays open for", meaning: "Time before a probe is let through.", unit: "like 30s" },
    { kind: "number", key: "circuit_breaker.success_threshold", label: "Closes after", meaning: "Successful probes, one after another, that close it again.", unit: "probes", min: 1, max: 100 },
  ],
};

export const limiter: Section = {
  id: "limiter",
  title: "Limiter",
  text: "Keeps one client from taking everything.",
  settings: [
    { kind: "switch", key: "rate_limit.enabled", label: "Limit clients", meaning: "Whether clients are limited at all." },
    { kind: "number", key: "rate_limit.requests_per_window", label: "Requests", meaning: "Requests of one client within the window.", unit: "requests", min: 1 },
    { kind: "number", key: "rate_limit.window_secs", label: "Window", meaning: "How long the window is.", unit: "s", min: 1, max: 86_400 },
    { kind: "number", key: "rate_limit.burst_size", label: "At once", meaning: "Requests of one client at once, where this is more than the above.", unit: "requests", min: 1 },
    { kind: "number", key: "rate_limit.max_clients", label: "Clients", meaning: "Clients counted one by one; those beyond share one allowance.", unit: "clients", min: 1 },
    { kind: "number", key: "rate_limit.cleanup_interval_secs", label: "Forget every", meaning: "Time between two searches for clients that have gone quiet.", unit: "s", min: 1, max: 86_400 },
  ],
};

export const server: Section = {
  id: "server",
  title: "Where it listens",
  text: "On this machine alone, unless the address is another one. Then everybody who reaches that address and has the token reads and changes everything: it needs the permission below and a certificate, or what is sent could be read on the way.",
  settings: [
    { kind: "switch", key: "server.enabled", label: "Serve while this program is open", meaning: "Agents, scripts and browsers can use the memory then. hirag serve always does." },
    { kind: "text", key: "server.host", label: "Address", meaning: "127.0.0.1 is this machine alone; 0.0.0.0 is every network that it is in." },
    { kind: "number", key: "server.port", label: "Port", meaning: "0 takes any that is free.", min: 0, max: 65_535 },
    { kind: "switch", key: "server.allow_remote", label: "Allow other machines", meaning: "Without it, an address that other machines reach is refused." },
    { kind: "text", key: "server.public_name", label: "Name", meaning: "Under which other machines reach it; empty is the address alone.", placeholder: "memory.example.org" },
    { kind: "text", key: "server.tls_cert", label: "Certificate", meaning: "The file of the certificate and its chain (PEM).", placeholder: "/etc/hirag/cert.pem" },
    { kind: "text", key: "server.tls_key", label: "Its key", meaning: "The file of the certificate's key (PEM).", placeholder: "/etc/hirag/key.pem" },
    { kind: "number", key: "server.max_body_bytes", label: "Largest request", meaning: "Bytes of a request's body at most.", unit: "bytes", min: 1024, max: 1_073_741_824 },
    { kind: "number", key: "server.request_timeout_secs", label: "Time-out", meaning: "How long a request may take.", unit: "s", min: 1, max: 3600 },
    { kind: "number", key: "server.max_connections", label: "Connections", meaning: "Connections at once at most.", min: 1, max: 100_000 },
    { kind: "number", key: "server.shutdown_secs", label: "At the end", meaning: "How long what was begun may take when the server ends.", unit: "s", min: 0, max: 3600 },
  ],
};
