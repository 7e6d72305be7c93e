use async_trait::async_trait;
use futures::future::join_all;

use super::*;

const MS: Duration = Duration::from_millis(1);

/// Notes each batch and when it came, and takes a set time for it.
#[derive(Debug)]
struct Recorder {
    start: Instant,
    takes: Duration,
    batches: Mutex<Vec<(u128, Vec<String>)>>,
}

impl Recorder {
    fn taking(takes: Duration) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            takes,
            batches: Mutex::default(),
        })
    }

    /// Milliseconds from the start, and the texts, of each batch.
    fn batches(&self) -> Vec<(u128, String)> {
        let batches = self.batches.lock();
        batches
            .iter()
            .map(|(at, texts)| (*at, texts.join(" ")))
            .collect()
    }
}

#[async_trait]
impl EmbeddingProvider for Recorder {
    fn model_id(&self) -> &str {
        "recorder"
    }

    fn dimension(&self) -> usize {
        1
    }

    fn max_input_tokens(&self) -> usize {
        1
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        Err(EmbeddingError::Model(text.to_owned()))
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        let at = self.start.elapsed().as_millis();
        self.batches.lock().push((at, texts.to_vec()));
        tokio::time::sleep(self.takes).await;
        texts.iter().map(|text| answer(text)).collect()
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}

fn answer(text: &str) -> Result<Vector, EmbeddingError> {
    if text.starts_with("bad") {
        return Err(EmbeddingError::Model(text.to_owned()));
    }
    Ok(text.bytes().map(f32::from).collect())
}

fn batcher(recorder: &Arc<Recorder>, max_requests: usize, max_in_flight: usize) -> Batcher {
    Batcher::new(
        recorder.clone(),
        BatcherSettings {
            max_requests,
            max_in_flight,
            ..BatcherSettings::default()
        },
    )
}

async fn embed(
    batcher: &Batcher,
    after: Duration,
    text: &str,
    priority: Priority,
) -> Result<Vector, EmbeddingError> {
    tokio::time::sleep(after).await;
    batcher.embed(text.to_owned(), priority).await
}

#[tokio::test(start_paused = true)]
async fn what_arrives_within_the_window_shares_a_batch() {
    let recorder = Recorder::taking(Duration::ZERO);
    let batcher = batcher(&recorder, 10, 2);
    let requests = [(0, "a"), (50, "b"), (99, "bad"), (150, "d"), (400, "e")];
    let outcomes =
        join_all(requests.map(|(after, text)| embed(&batcher, after * MS, text, Priority::Normal)))
            .await;
    for (outcome, (_, text)) in outcomes.into_iter().zip(requests) {
        assert_eq!(outcome, answer(text));
    }
    assert_eq!(
        recorder.batches(),
        [
            (100, "a b bad".to_owned()),
            (250, "d".to_owned()),
            (500, "e".to_owned())
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once() {
    let recorder = Recorder::taking(Duration::ZERO);
    let batcher = batcher(&recorder, 10, 2);
    let texts: Vec<String> = (0..23).map(|i| i.to_string()).collect();
    let outcomes = join_all(
        texts
            .iter()
            .map(|text| embed(&batcher, Duration::ZERO, text, Priority::Normal)),
    )
    .await;
    for (outcome, text) in outcomes.into_iter().zip(&texts) {
        assert_eq!(outcome, answer(text));
    }
    assert_eq!(
        recorder.batches(),
        [
            (0, texts[..10].join(" ")),
            (0, texts[10..20].join(" ")),
            (100, texts[20..].join(" "))
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn when_more_wait_than_fit_the_urgent_go_first() {
    let recorder = Recorder::taking(1_000 * MS);
    let batcher = batcher(&recorder, 2, 1);
    let requests = [
        (0, "first", Priority::Low),
        (0, "batch", Priority::Low),
        (1, "low1", Priority::Low),
        (2, "low2", Priority::Low),
        (3, "normal1", Priority::Normal),
        (4, "critical", Priority::Critical),
        (5, "normal2", Priority::Normal),
        (900, "high", Priority::High),
    ];
    join_all(requests.map(|(after, text, p)| embed(&batcher, after * MS, text, p))).await;
    assert_eq!(
        recorder.batches(),
        [
            (0, "first batch".to_owned()),
            (1_000, "critical high".to_owned()),
            (2_000, "normal1 normal2".to_owned()),
            (3_000, "low1 low2".to_owned()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_while_waiting_is_left_out() {
    let recorder = Recorder::taking(Duration::ZERO);
    let batcher = batcher(&recorder, 10, 2);
    let impatient = tokio::time::timeout(
        50 * MS,
        embed(&batcher, Duration::ZERO, "gone", Priority::Critical),
    );
    let patient = embed(&batcher, 10 * MS, "here", Priority::Low);
    let (impatient, patient) = tokio::join!(impatient, patient);
    assert!(impatient.is_err());
    assert_eq!(patient, answer("here"));
    assert_eq!(recorder.batches(), [(110, "here".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_during_the_batch_disturbs_nobody() {
    let recorder = Recorder::taking(1_000 * MS);
    let batcher = batcher(&recorder, 10, 2);
    let impatient = tokio::time::timeout(
        500 * MS,
        embed(&batcher, Duration::ZERO, "gone", Priority::Normal),
    );
    let patient = embed(&batcher, Duration::ZERO, "here", Priority::Normal);
    let (impatient, patient) = tokio::join!(impatient, patient);
    assert!(impatient.is_err());
    assert_eq!(patient, answer("here"));
}

#[test]
fn it_outlives_the_runtime_it_was_first_used_on() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let first = runtime();
    let (recorder, batcher) = first.block_on(async {
        let recorder = Recorder::taking(Duration::ZERO);
        let batcher = batcher(&recorder, 10, 2);
        let gone = batcher.embed("gone".to_owned(), Priority::Normal);
        assert!(tokio::time::timeout(10 * MS, gone).await.is_err());
        (recorder, batcher)
    });
    drop(first);
    let outcome = runtime().block_on(batcher.embed("here".to_owned(), Priority::Normal));
    assert_eq!(outcome, answer("here"));
    assert_eq!(recorder.batches().len(), 1);
}
