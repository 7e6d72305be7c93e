use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use super::*;
use crate::clock::{FakeClock, SharedClock};
use crate::config::Period;
use crate::embedding::{BatcherSettings, CacheSettings, DiskSettings, HttpProvider, HttpSettings};
use crate::resilience::{CircuitBreakerSettings, RateLimitSettings, Retry};

const MS: Duration = Duration::from_millis(1);

/// A provider that notes its calls and fails as it is told.
#[derive(Debug, Default)]
struct Scripted {
    calls: Mutex<Vec<Vec<String>>>,
    takes: Duration,
    prefixes: bool,
    ignores_case: bool,
    failure: Mutex<Option<EmbeddingError>>,
    dimension: AtomicUsize,
}

impl Scripted {
    fn shared() -> Arc<Self> {
        Self::default().into_shared()
    }

    fn into_shared(self) -> Arc<Self> {
        self.dimension.store(2, Ordering::SeqCst);
        Arc::new(self)
    }

    fn calls(&self) -> Vec<String> {
        self.calls
            .lock()
            .iter()
            .map(|call| call.join("|"))
            .collect()
    }

    fn fail(&self, error: impl Into<Option<EmbeddingError>>) {
        *self.failure.lock() = error.into();
    }

    async fn call(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        self.calls.lock().push(texts.to_vec());
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        if let Some(error) = &*self.failure.lock() {
            return vec![Err(error.clone()); texts.len()];
        }
        texts.iter().map(|text| answer(text)).collect()
    }
}

fn answer(text: &str) -> Result<Vector, EmbeddingError> {
    match text {
        "bad" => Err(refused()),
        "short" => Ok(vec![1.0]),
        "nan" => Ok(vec![f32::NAN, 1.0]),
        "zero" => Ok(vec![0.0, 0.0]),
        _ => Ok(vec![text.len() as f32, text.bytes().map(f32::from).sum()]),
    }
}

fn refused() -> EmbeddingError {
    EmbeddingError::Refused {
        url: "u".to_owned(),
        status: 400,
        reason: "no".to_owned(),
    }
}

fn unreachable() -> EmbeddingError {
    EmbeddingError::Unreachable {
        url: "u".to_owned(),
        reason: "nobody there".to_owned(),
    }
}

fn bad_answer() -> EmbeddingError {
    EmbeddingError::BadAnswer {
        url: "u".to_owned(),
        reason: "rubbish".to_owned(),
    }
}

#[async_trait]
impl EmbeddingProvider for Scripted {
    fn model_id(&self) -> &str {
        "scripted"
    }

    fn dimension(&self) -> usize {
        self.dimension.load(Ordering::SeqCst)
    }

    fn max_input_tokens(&self) -> usize {
        9
    }

    fn query_prefix(&self) -> &str {
        if self.prefixes { "query: " } else { "" }
    }

    fn passage_prefix(&self) -> &str {
        if self.prefixes { "passage: " } else { "" }
    }

    fn ignores_case(&self) -> bool {
        self.ignores_case
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        self.call(&[text.to_owned()]).await.remove(0)
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        self.call(texts).await
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        self.failure.lock().clone().map_or(Ok(()), Err)
    }
}

struct House {
    clock: Arc<FakeClock>,
    requests: u32,
    settings: EmbedderSettings,
}

impl House {
    fn local() -> Self {
        Self {
            clock: FakeClock::at(Timestamp::UNIX_EPOCH),
            requests: 1_000,
            settings: EmbedderSettings::local(),
        }
    }

    fn remote() -> Self {
        Self {
            settings: EmbedderSettings::remote(32, BatcherSettings::default()),
            ..Self::local()
        }
    }

    fn clock(&self) -> SharedClock {
        self.clock.clone()
    }

    fn in_memory(&self) -> EmbeddingCache {
        let settings = CacheSettings {
            memory_entries: 100,
            ttl: None,
            disk: None,
        };
        EmbeddingCache::open(&settings, self.clock())
    }

    fn embedder(
        &self,
        provider: Arc<dyn EmbeddingProvider>,
        cache: Option<EmbeddingCache>,
    ) -> Embedder {
        let breaker = CircuitBreakerSettings {
            failure_threshold: 3,
            success_threshold: 1,
            timeout: Period::from_secs(10),
            window_size: Period::from_secs(60),
        };
        let limiter = RateLimitSettings {
            enabled: true,
            requests_per_window: self.requests,
            window_secs: 60,
            burst_size: 1,
            cleanup_interval_secs: 60,
            max_clients: 10,
        };
        Embedder::new(
            provider,
            cache,
            CircuitBreaker::new(breaker, self.clock()).unwrap(),
            Arc::new(RateLimiter::new(limiter, self.clock()).unwrap()),
            self.settings,
        )
    }
}

async fn query(embedder: &Embedder, text: &str) -> Result<Embedded, EmbeddingError> {
    embedder.embed_query(text, Priority::High).await
}

#[tokio::test]
async fn a_text_is_embedded_once_whatever_its_white_space() {
    let provider = Scripted::shared();
    let house = House::local();
    let embedder = house.embedder(provider.clone(), Some(house.in_memory()));
    let first = query(&embedder, " a \n b ").await.unwrap();
    assert_eq!(first.cache, CacheOutcome::Miss);
    let second = query(&embedder, "a b").await.unwrap();
    assert_eq!(second.cache, CacheOutcome::Memory);
    assert_eq!(first.vector, second.vector);
    let many = embedder.embed_passages(&["a  b"], Priority::Low).await;
    assert_eq!(many, [Ok(first.vector)]);
    assert_eq!(provider.calls(), ["a b"]);
    assert!((embedder.counters().memory.hit_rate - 2.0 / 3.0).abs() < 1e-9);
}

#[tokio::test]
async fn capitals_make_another_text_unless_the_model_ignores_them() {
    for (ignores_case, calls) in [(false, vec!["Owl", "owl"]), (true, vec!["owl"])] {
        let provider = Scripted {
            ignores_case,
            ..Scripted::default()
        }
        .into_shared();
        let house = House::local();
        let embedder = house.embedder(provider.clone(), Some(house.in_memory()));
        query(&embedder, "Owl").await.unwrap();
        query(&embedder, "owl").await.unwrap();
        assert_eq!(provider.calls(), calls);
        embedder.forget("OWL");
        embedder.forget("owl");
        let before = provider.calls().len();
        query(&embedder, "owl").await.unwrap();
        assert_eq!(provider.calls().len(), before + 1);
    }
}

#[tokio::test]
async fn what_the_file_has_is_said_to_come_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::local();
    let settings = CacheSettings {
        memory_entries: 0,
        ttl: None,
        disk: Some(DiskSettings {
            path: folder.path().join("cache.db"),
            max_bytes: 1 << 20,
        }),
    };
    let cache = EmbeddingCache::open(&settings, house.clock());
    let provider = Scripted::shared();
    let embedder = house.embedder(provider.clone(), Some(cache));
    query(&embedder, "a").await.unwrap();
    embedder.flush().unwrap();
    let again = query(&embedder, "a").await.unwrap();
    assert_eq!(again.cache, CacheOutcome::Disk);
    let many = embedder.embed_passages(&["a", "b"], Priority::Low).await;
    assert_eq!(many, [Ok(again.vector), answer("b")]);
    assert_eq!(provider.calls(), ["a", "b"]);
}

#[tokio::test]
async fn without_a_cache_every_text_is_asked_for() {
    let provider = Scripted::shared();
    let embedder = House::local().embedder(provider.clone(), None);
    query(&embedder, "a").await.unwrap();
    query(&embedder, "a").await.unwrap();
    assert_eq!(provider.calls(), ["a", "a"]);
    assert_eq!(embedder.counters(), CacheStats::default());
    embedder.forget("a");
    embedder.flush().unwrap();
}

#[tokio::test]
async fn queries_and_passages_get_their_prefixes_and_do_not_share_vectors() {
    let provider = Scripted {
        prefixes: true,
        ..Scripted::default()
    }
    .into_shared();
    let house = House::local();
    let embedder = house.embedder(provider.clone(), Some(house.in_memory()));
    query(&embedder, "a").await.unwrap();
    embedder.embed_passage("a", Priority::Low).await.unwrap();
    embedder.embed_passages(&["a", "b"], Priority::Low).await;
    assert_eq!(provider.calls(), ["query: a", "passage: a", "passage: b"]);

    embedder.forget(" a ");
    query(&embedder, "a").await.unwrap();
    embedder.embed_passages(&["a", "b"], Priority::Low).await;
    assert_eq!(provider.calls()[3..], ["query: a", "passage: a"]);
}

#[tokio::test]
async fn many_passages_keep_their_order_are_embedded_once_and_fail_alone() {
    let provider = Scripted::shared();
    let embedder = House::local().embedder(provider.clone(), None);
    let mut texts: Vec<String> = (0..30).map(|i| "x".repeat((i * 7) % 31)).collect();
    texts.insert(10, "bad".to_owned());
    texts.extend(["dup", " dup", "dup "].map(str::to_owned));
    let outcomes = embedder.embed_passages(&texts, Priority::Low).await;
    assert_eq!(outcomes.len(), texts.len());
    for (text, outcome) in texts.iter().zip(outcomes) {
        match text.trim() {
            // The scripted vector of an empty text is zero.
            "" => assert!(outcome.is_err()),
            text => assert_eq!(outcome, answer(text)),
        }
    }
    let calls = provider.calls.lock();
    let sent: Vec<&String> = calls.iter().flatten().collect();
    assert_eq!(sent.len(), sent.iter().collect::<HashSet<_>>().len());
    assert_eq!(sent.iter().filter(|text| **text == "dup").count(), 1);
    assert!(calls.iter().all(|call| call.len() <= 32));
    assert!(
        sent.is_sorted_by_key(|text| text.len()),
        "like lengths together"
    );
}

#[tokio::test]
async fn nothing_to_embed_asks_nobody() {
    let provider = Scripted::shared();
    let embedder = House::local().embedder(provider.clone(), None);
    assert!(
        embedder
            .embed_passages::<&str>(&[], Priority::Low)
            .await
            .is_empty()
    );
    assert!(provider.calls().is_empty());
}

#[tokio::test]
async fn a_vector_that_breaks_the_promise_is_neither_given_nor_cached() {
    let provider = Scripted::shared();
    let house = House::local();
    let embedder = house.embedder(provider.clone(), Some(house.in_memory()));
    for text in ["short", "nan", "zero"] {
        let error = query(&embedder, text).await.unwrap_err();
        assert_eq!(error.code(), "model_failed", "{text}");
    }
    assert_eq!(embedder.counters().memory.entries, 0);
}

#[tokio::test]
async fn a_cached_vector_of_another_dimension_is_not_used() {
    let provider = Scripted::shared();
    let house = House::local();
    let cache = house.in_memory();
    cache.insert(CacheKey::of("scripted", "a"), Arc::from([1.0, 0.0, 0.0]));
    let embedder = house.embedder(provider.clone(), Some(cache));
    let embedded = query(&embedder, "a").await.unwrap();
    assert_eq!(embedded.cache, CacheOutcome::Miss);
    assert_eq!(embedded.vector.len(), 2);
}

#[tokio::test]
async fn faults_of_the_provider_open_the_breaker_which_then_spares_it() {
    for fault in [
        unreachable(),
        bad_answer(),
        EmbeddingError::Timeout {
            url: "u".to_owned(),
            after: MS,
        },
        EmbeddingError::Busy {
            url: "u".to_owned(),
            status: 503,
            retry_after: None,
        },
    ] {
        let provider = Scripted::shared();
        let house = House::local();
        let embedder = house.embedder(provider.clone(), Some(house.in_memory()));
        query(&embedder, "known").await.unwrap();
        provider.fail(fault.clone());
        for text in ["a", "b"] {
            assert_eq!(query(&embedder, text).await, Err(fault.clone()));
        }
        let many = embedder.embed_passages(&["c", "d"], Priority::Low).await;
        assert_eq!(many, [Err(fault.clone()), Err(fault.clone())]);
        assert_eq!(embedder.health().await.breaker, BreakerState::Open);
        let error = query(&embedder, "e").await.unwrap_err();
        assert!(
            matches!(error, EmbeddingError::BreakerOpen { retry_after } if retry_after == 10_000 * MS),
            "{error}"
        );
        assert_eq!(provider.calls().len(), 4);
        let known = query(&embedder, "known").await.unwrap();
        assert_eq!(known.cache, CacheOutcome::Memory);

        provider.fail(None);
        house.clock.advance(10_000 * MS);
        query(&embedder, "e").await.unwrap();
        assert_eq!(embedder.health().await.breaker, BreakerState::Closed);
    }
}

#[tokio::test]
async fn refused_texts_and_tokens_do_not_open_the_breaker() {
    for fault in [
        refused(),
        EmbeddingError::Unauthorized {
            url: "u".to_owned(),
            status: 401,
        },
        EmbeddingError::Model("odd text".to_owned()),
    ] {
        let provider = Scripted::shared();
        let embedder = House::local().embedder(provider.clone(), None);
        provider.fail(fault.clone());
        for _ in 0..10 {
            assert_eq!(query(&embedder, "a").await, Err(fault.clone()));
        }
        assert_eq!(embedder.health().await.breaker, BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_remote_provider_is_limited_and_a_local_one_is_not() {
    for (mut house, limited) in [(House::remote(), true), (House::local(), false)] {
        house.requests = 2;
        let provider = Scripted::shared();
        let embedder = house.embedder(provider.clone(), None);
        for text in ["a", "b"] {
            query(&embedder, text).await.unwrap();
        }
        let third = query(&embedder, "c").await;
        let bulk = embedder
            .embed_passages(&["d"], Priority::Low)
            .await
            .remove(0);
        if limited {
            assert_eq!(third.unwrap_err().code(), "rate_limited");
            assert_eq!(bulk.unwrap_err().code(), "rate_limited");
            assert_eq!(provider.calls().len(), 2);
        } else {
            assert!(third.is_ok() && bulk.is_ok());
        }
        assert_eq!(embedder.health().await.breaker, BreakerState::Closed);
    }
}

/// A local provider that takes 100 ms for each call.
fn slow() -> Arc<Scripted> {
    Scripted {
        takes: 100 * MS,
        ..Scripted::default()
    }
    .into_shared()
}

#[tokio::test(start_paused = true)]
async fn a_query_does_not_wait_for_an_import() {
    let provider = slow();
    let embedder = House::local().embedder(provider.clone(), None);
    let texts: Vec<String> = (100..300).map(|i| i.to_string()).collect();
    let import = embedder.embed_passages(&texts, Priority::Low);
    let ask = async {
        tokio::time::sleep(150 * MS).await;
        let start = tokio::time::Instant::now();
        query(&embedder, "query").await.unwrap();
        start.elapsed()
    };
    let (outcomes, waited) = tokio::join!(import, ask);
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(waited, 100 * MS);
}

#[tokio::test(start_paused = true)]
async fn urgent_passages_go_between_the_slices_of_an_import() {
    let provider = slow();
    let embedder = House::local().embedder(provider.clone(), None);
    let texts: Vec<String> = (100..200).map(|i| i.to_string()).collect();
    let import = embedder.embed_passages(&texts, Priority::Low);
    let store = async {
        tokio::time::sleep(150 * MS).await;
        embedder.embed_passages(&["x", "y"], Priority::Normal).await
    };
    tokio::join!(import, store);
    let calls = provider.calls();
    assert_eq!(calls.len(), 5);
    assert_eq!(calls[2], "x|y");
}

#[tokio::test(start_paused = true)]
async fn of_single_texts_the_urgent_go_first() {
    let provider = slow();
    let embedder = House::local().embedder(provider.clone(), None);
    let embedder = &embedder;
    let ask = |text: String, priority, after: u32| async move {
        tokio::time::sleep(after * MS).await;
        embedder.embed_query(&text, priority).await
    };
    let places = SINGLES_AT_ONCE as u32;
    // One after another, so that their places become free one after another.
    let before = (0..places).map(|place| ask(place.to_string(), Priority::Low, place));
    let later = [
        ("low", Priority::Low),
        ("normal", Priority::Normal),
        ("critical", Priority::Critical),
        ("high", Priority::High),
    ];
    let later = later.map(|(text, priority)| ask(text.to_owned(), priority, places));
    futures::future::join_all(before.chain(later)).await;
    assert_eq!(
        provider.calls()[SINGLES_AT_ONCE..],
        ["critical", "high", "normal", "low"]
    );
}

#[tokio::test(start_paused = true)]
async fn single_texts_to_a_remote_provider_share_a_call() {
    let provider = Scripted::shared();
    let embedder = House::remote().embedder(provider.clone(), None);
    let (a, b, bad) = tokio::join!(
        query(&embedder, "a"),
        embedder.embed_passage("b", Priority::Critical),
        query(&embedder, "bad"),
    );
    assert_eq!(a.unwrap().vector, answer("a").unwrap());
    assert_eq!(b.unwrap().vector, answer("b").unwrap());
    assert_eq!(bad.unwrap_err(), refused());
    assert_eq!(provider.calls(), ["b|a|bad"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_text_asked_for_twice_at_once_is_embedded_once() {
    let provider = slow();
    let embedder = House::local().embedder(provider.clone(), None);
    let leader = tokio::time::timeout(50 * MS, query(&embedder, "a"));
    let (leader, follower) = tokio::join!(leader, query(&embedder, "a"));
    assert!(leader.is_err(), "it went away while the other went on");
    assert_eq!(follower.unwrap().vector, answer("a").unwrap());
    assert_eq!(provider.calls(), ["a"]);

    // A more urgent request does not join one that may wait long.
    let (low, critical) = tokio::join!(
        embedder.embed_query("b", Priority::Low),
        embedder.embed_query("b", Priority::Critical),
    );
    assert!(low.is_ok() && critical.is_ok());
    assert_eq!(provider.calls(), ["a", "b", "b"]);
}

#[tokio::test]
async fn health_tells_model_and_fault() {
    let provider = Scripted::shared();
    let embedder = House::local().embedder(provider.clone(), None);
    provider.fail(unreachable());
    let health = embedder.health().await;
    assert_eq!(
        (health.model_id.as_str(), health.dimension),
        ("scripted", 2)
    );
    assert_eq!(health.provider, Err(unreachable()));
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_once_the_breaker_is_open() {
    let server = MockServer::start().await;
    Mock::given(matchers::method("POST"))
        .respond_with(ResponseTemplate::new(500))
        .mount(&server)
        .await;
    let house = House::remote();
    let settings = HttpSettings {
        api_url: server.uri(),
        model: "tiny".to_owned(),
        token: None,
        batch_size: 32,
        timeout: Duration::from_secs(20),
        retry: Retry {
            min_delay: MS,
            ..Retry::new(1)
        },
        tls_verify: true,
        dimension: 2,
        max_input_tokens: usize::MAX,
        query_prefix: String::new(),
        passage_prefix: String::new(),
    };
    let provider = HttpProvider::connect(settings, None, house.clock())
        .await
        .unwrap();
    let embedder = house.embedder(Arc::new(provider), None);
    for i in 0..10 {
        let outcome = embedder
            .embed_passages(&[i.to_string()], Priority::Low)
            .await
            .remove(0);
        let code = outcome.unwrap_err().code();
        assert_eq!(
            code,
            if i < 3 {
                "provider_busy"
            } else {
                "breaker_open"
            }
        );
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 6);
}
