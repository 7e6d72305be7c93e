use proptest::prelude::*;

use super::*;

fn refused(toml: &str) -> (String, String) {
    let error = Config::from_toml(toml).unwrap_err();
    assert_eq!(error.code(), "invalid_settings");
    (
        error.key().unwrap_or_default().to_owned(),
        error.to_string(),
    )
}

fn with_env(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let owned: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::load(None, owned.into_iter())
}

#[test]
fn the_defaults_are_valid_and_complete() {
    let config = Config::default();
    config.validate().unwrap();
    assert_eq!(config.embedding.batch_size, 32);
    assert_eq!(config.hirag.l1_size, 100);
    assert_eq!(config.circuit_breaker.timeout, Period::from_secs(30));
    assert_eq!(config.levels.l3_ttl, Ttl::NEVER);
    assert_eq!(config.limits.max_text_bytes, 1_048_576);
}

#[test]
fn validate_rejects_with_the_key() {
    let cases = [
        ("embedding.batch_size = 0", "embedding.batch_size"),
        ("embedding.batch_size = -1", "embedding.batch_size"),
        ("embedding.batch_size = 1.5", "embedding.batch_size"),
        ("embedding.batch_size = \"32\"", "embedding.batch_size"),
        ("embedding.provider = \"cloud\"", "embedding.provider"),
        ("embedding.provider = 1", "embedding.provider"),
        ("embedding.cache_enabled = 1", "embedding.cache_enabled"),
        ("embedding.model = 5", "embedding.model"),
        ("embedding.provider = \"http\"", "embedding.api_url"),
        ("embedding.api_url = \"ftp://x\"", "embedding.api_url"),
        ("embedding.api_url = \"127.0.0.1:80\"", "embedding.api_url"),
        ("embedding = 3", "embedding"),
        ("embedding.model.name = \"x\"", "embedding.model"),
        ("chat.provider = \"openai\"", "chat.provider"),
        ("chat.provider = \"openai-compatible\"", "chat.api_url"),
        ("chat.api_url = \"ftp://x\"", "chat.api_url"),
        ("chat.temperature = 2.1", "chat.temperature"),
        ("chat.max_answer_tokens = 5000", "chat.max_answer_tokens"),
        ("chat.answer_timeout = 0", "chat.answer_timeout"),
        (
            "chat.circuit_breaker.failure_threshold = 0",
            "chat.circuit_breaker.failure_threshold",
        ),
        ("store.backend = \"qdrant\"", "store.backend"),
        ("store.distance = \"dot\"", "store.distance"),
        ("store.url = \"http://x\"", "store.url"),
        (
            "store.collection_prefix = \"a b\"",
            "store.collection_prefix",
        ),
        ("limits.max_text_bytes = 0", "limits.max_text_bytes"),
        ("hirag.l1_size = 0", "hirag.l1_size"),
        ("hirag.max_context_tokens = 0", "hirag.max_context_tokens"),
        (
            "hirag.max_context_tokens = 1000001",
            "hirag.max_context_tokens",
        ),
        (
            "hirag.max_tokens_limit = 99999999999",
            "hirag.max_tokens_limit",
        ),
        (
            "hirag.relevance_threshold = 1.1",
            "hirag.relevance_threshold",
        ),
        (
            "hirag.relevance_threshold = nan",
            "hirag.relevance_threshold",
        ),
        (
            "hirag.token_estimator.kind = \"guess\"",
            "hirag.token_estimator.kind",
        ),
        (
            "hirag.token_estimator.chars_per_token = 0",
            "hirag.token_estimator.chars_per_token",
        ),
        (
            "hirag.retrieval_strategy.l1_allocation = 0.4",
            "hirag.retrieval_strategy",
        ),
        (
            "hirag.retrieval_strategy.l1_allocation = -0.1",
            "hirag.retrieval_strategy.l1_allocation",
        ),
        (
            "hirag.retrieval_strategy.phrase_boost = inf",
            "hirag.retrieval_strategy.phrase_boost",
        ),
        (
            "hirag.retrieval_strategy.recency_tau_days = 0",
            "hirag.retrieval_strategy.recency_tau_days",
        ),
        ("hirag.ranking_weights.level = 0.3", "hirag.ranking_weights"),
        ("levels.gc_interval = 0", "levels.gc_interval"),
        ("levels.l2_ttl = \"soon\"", "levels.l2_ttl"),
        ("levels.l2_ttl = true", "levels.l2_ttl"),
        ("levels.purge_after = -5", "levels.purge_after"),
        ("traces.max_candidates = 0", "traces.max_candidates"),
        (
            "circuit_breaker.failure_threshold = 0",
            "circuit_breaker.failure_threshold",
        ),
        (
            "circuit_breaker.timeout = \"0s\"",
            "circuit_breaker.timeout",
        ),
        ("rate_limit.window_secs = 0", "rate_limit.window_secs"),
        ("rate_limit.max_clients = 0", "rate_limit.max_clients"),
        ("import.chunk_overlap = 101", "import.chunk_overlap"),
        ("metrics.watch_interval = 0", "metrics.watch_interval"),
        (
            "metrics.slow_statement_ms = 86400001",
            "metrics.slow_statement_ms",
        ),
        (
            "metrics.memory_limit_mb = 1073741825",
            "metrics.memory_limit_mb",
        ),
        ("server.host = \"example.org\"", "server.host"),
        ("server.port = 65536", "server.port"),
        ("logging.level = \"loud\"", "logging.level"),
        ("appearance.theme = \"pink\"", "appearance.theme"),
    ];
    for (toml, key) in cases {
        let (named, sentence) = refused(toml);
        assert_eq!(named, key, "{toml}: {sentence}");
    }
}

#[test]
fn a_refusal_says_key_value_and_rule() {
    let (_, sentence) = refused("embedding.batch_size = 0");
    assert_eq!(
        sentence,
        "the setting `embedding.batch_size` = 0 is not allowed: it must be between 1 and 2048"
    );
    let (_, sentence) = refused("server.port = 70000");
    assert_eq!(
        sentence,
        "the setting `server.port` = 70000 is not allowed: it must be at most 65535"
    );
    let (_, sentence) = refused("embedding.provider = \"cloud\"");
    assert_eq!(
        sentence,
        "the setting `embedding.provider` = \"cloud\" is not allowed: it must be `local` or `http`"
    );
    let (_, sentence) = refused("hirag.ranking_weights.level = 0.3");
    assert!(
        sentence.ends_with("it must sum to 1, but sums to 1.28"),
        "{sentence}"
    );
    let (_, sentence) = refused("circuit_breaker.timeout = \"soon\"");
    assert!(
        sentence.contains("it must be seconds, or a number with a unit"),
        "{sentence}"
    );
    let (_, sentence) = refused("circuit_breaker.timeout = true");
    assert!(
        sentence.contains("it must be seconds, or a number with a unit"),
        "{sentence}"
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_closest_known() {
    let cases = [
        (
            "embedding.batchsize = 3",
            "embedding.batchsize",
            Some("embedding.batch_size"),
        ),
        ("ranking_weights.similarity = 1", "ranking_weights", None),
        (
            "hirag.vector_weight = 1",
            "hirag.vector_weight",
            Some("hirag.retrieval_strategy.vector_weight"),
        ),
        ("zzz = 1", "zzz", None),
    ];
    for (toml, key, closest) in cases {
        assert_eq!(
            Config::from_toml(toml),
            Err(ConfigError::UnknownKey {
                key: key.to_owned(),
                closest: closest.map(str::to_owned),
            })
        );
    }
}

#[test]
fn weights_are_judged_together_and_not_one_by_one() {
    let config = Config::from_toml(
        "[hirag.ranking_weights]\nsimilarity = 1\nrecency = 0\nlevel = 0\nfrequency = 0",
    );
    assert_eq!(config.unwrap().hirag.ranking_weights.similarity, 1.0);
}

#[test]
fn a_syntax_error_tells_its_line() {
    let error = Config::from_toml("[embedding]\nmodel = \"x\"\n  batch_size = = 3\n").unwrap_err();
    assert!(
        matches!(
            error,
            ConfigError::Syntax {
                line: 3,
                column: 16,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn the_file_overrides_the_defaults_and_the_environment_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "[embedding]\nbatch_size = 8\nthreads = 1\n").unwrap();
    let env = [("HIRAG_EMBEDDING_THREADS".to_owned(), "2".to_owned())];
    let config = Config::load(Some(&path), env.into_iter()).unwrap();
    assert_eq!(
        (
            config.embedding.batch_size,
            config.embedding.threads,
            config.embedding.max_retries
        ),
        (8, 2, 3)
    );
}

#[test]
fn a_variable_may_spell_a_length_of_time_otherwise_than_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "circuit_breaker.timeout = 5").unwrap();
    let env = [(
        "HIRAG_CIRCUIT_BREAKER_TIMEOUT".to_owned(),
        "10ms".to_owned(),
    )];
    let config = Config::load(Some(&path), env.into_iter()).unwrap();
    assert_eq!(config.circuit_breaker.timeout, Period::from_millis(10));
}

#[test]
fn only_a_file_that_was_asked_for_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("config.toml");
    let none = std::iter::empty;
    assert_eq!(
        Config::load_if_there(&absent, none()),
        Ok(Config::default())
    );
    assert!(matches!(
        Config::load(Some(&absent), none()),
        Err(ConfigError::Unreadable { path, .. }) if path == absent
    ));
    assert!(matches!(
        Config::load_if_there(folder.path(), none()),
        Err(ConfigError::Unreadable { .. })
    ));
}

#[test]
fn every_setting_has_a_variable_of_its_own() {
    let paths = layers::leaves(&defaults().unwrap());
    let mut names: Vec<_> = paths.iter().map(|path| layers::variable(path)).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), paths.len());
}

#[test]
fn variables_are_read_by_the_type_of_their_setting() {
    let config = with_env(&[
        ("HIRAG_EMBEDDING_API_URL", "https://example.org/v1"),
        ("HIRAG_EMBEDDING_CACHE_ENABLED", "false"),
        ("HIRAG_EMBEDDING_MODEL", "3"),
        ("HIRAG_CIRCUIT_BREAKER_TIMEOUT", "5"),
        ("HIRAG_LEVELS_L2_TTL", "never"),
        ("HIRAG_HIRAG_RELEVANCE_THRESHOLD", "0"),
        ("HIRAG_HIRAG_RANKING_WEIGHTS_SIMILARITY", "0.87"),
        ("HIRAG_HIRAG_RANKING_WEIGHTS_LEVEL", "0.1"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.embedding.api_url, "https://example.org/v1");
    assert!(!config.embedding.cache_enabled);
    assert_eq!(config.embedding.model, "3");
    assert_eq!(config.circuit_breaker.timeout, Period::from_secs(5));
    assert_eq!(config.levels.l2_ttl, Ttl::NEVER);
    assert_eq!(config.hirag.ranking_weights.similarity, 0.87);
}

#[test]
fn unknown_variables_are_refused_and_reserved_ones_are_left_alone() {
    with_env(&[
        ("HIRAG_CONFIG", "x"),
        ("HIRAG_DATA_DIR", "y"),
        ("HIRAG_EMBEDDING_TOKEN", "z"),
    ])
    .unwrap();
    let error = with_env(&[("HIRAG_EMBEDDING_API_URLS", "hunter2")]).unwrap_err();
    assert_eq!(
        error,
        ConfigError::UnknownVariable {
            name: "HIRAG_EMBEDDING_API_URLS".to_owned(),
            closest: Some("HIRAG_EMBEDDING_API_URL".to_owned()),
        }
    );
    assert!(!error.to_string().contains("hunter2"));
    let error = with_env(&[("HIRAG_SERVER_PORT", "http")]).unwrap_err();
    assert_eq!(error.key(), Some("server.port"));
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    let (key, sentence) = refused("embedding.api_url = \"https://me:hunter2@example.org/v1\"");
    assert_eq!(key, "embedding.api_url");
    assert!(!sentence.contains("hunter2"), "{sentence}");
}

#[test]
fn no_endpoint_words_answers_by_default_and_any_limit_of_requests_is_one_a_limiter_takes() {
    let mut chat = Config::default().chat;
    assert_eq!(chat.provider, ChatProviderKind::None);
    for requests in [0, 1, 60, 100_000] {
        chat.requests_per_minute = requests;
        chat.validate().unwrap();
        chat.rate_limit().validate().unwrap();
    }
}

#[test]
fn a_configuration_survives_being_written_and_read() {
    let mut config = Config::default();
    config.levels.l2_ttl = Ttl::after(Period::from_millis(90_500));
    config.hirag.ranking_weights.similarity = 0.85;
    config.hirag.ranking_weights.recency = 0.12;
    let text = toml::to_string(&config).unwrap();
    assert_eq!(Config::from_toml(&text), Ok(config));
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = Config::from_toml(&text);
    }

    #[test]
    fn no_value_of_any_known_key_panics(
        at in any::<prop::sample::Index>(),
        value in prop_oneof![
            any::<i64>().prop_map(toml::Value::Integer),
            any::<f64>().prop_map(toml::Value::Float),
            any::<bool>().prop_map(toml::Value::Boolean),
            ".{0,12}".prop_map(toml::Value::String),
        ],
    ) {
        let paths = layers::leaves(&defaults().unwrap());
        let path = at.get(&paths);
        let text = format!("{} = {value}", path.join("."));
        if let Ok(config) = Config::from_toml(&text) {
            prop_assert_eq!(config.validate(), Ok(()));
        }
    }
}
