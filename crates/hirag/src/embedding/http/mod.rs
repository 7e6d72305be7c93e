//! Any OpenAI-compatible `/v1/embeddings` as a provider.

mod answer;
mod client;
mod cut;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::HttpSettings;

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt};

use self::client::Client;
use super::{EmbeddingError, EmbeddingProvider, Vector};
use crate::clock::SharedClock;
use crate::resilience::{Retry, Verdict};

type Outcome = Result<Vector, EmbeddingError>;

/// A model behind an OpenAI-compatible endpoint.
///
/// Texts go in batches; passing faults are tried again; a batch that the endpoint refuses or
/// answers wrongly is halved until the bad text is alone. With one bad text in a batch of 32 these
/// are 11 requests.
#[derive(Debug)]
pub struct HttpProvider {
    client: Client,
    retry: Retry,
    batch_size: usize,
    model_id: String,
    max_input_tokens: usize,
    query_prefix: String,
    passage_prefix: String,
    /// 0 until it is known.
    dimension: AtomicUsize,
}

impl HttpProvider {
    /// Prepares the provider and, where the settings leave the dimension open, asks the endpoint
    /// for it by embedding a word.
    ///
    /// An endpoint that does not answer is no error: the dimension is then `hint` (that of the
    /// stored vectors) or, without one, taken from the first answer.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError::Misconfigured`] when the address, the model's name or the batch size
    /// cannot be used.
    pub async fn connect(
        settings: HttpSettings,
        hint: Option<usize>,
        clock: SharedClock,
    ) -> Result<Self, EmbeddingError> {
        if settings.batch_size == 0 {
            return Err(EmbeddingError::Misconfigured(
                "`embedding.batch_size` is 0; it must be at least 1".to_owned(),
            ));
        }
        let client = Client::new(&settings, clock)?;
        let provider = Self {
            client,
            retry: settings.retry,
            batch_size: settings.batch_size,
            model_id: format!("http:{}", settings.model),
            max_input_tokens: settings.max_input_tokens,
            query_prefix: settings.query_prefix,
            passage_prefix: settings.passage_prefix,
            dimension: AtomicUsize::new(settings.dimension),
        };
        if settings.dimension == 0 {
            let probe = provider.ask_once(&["dimension".to_owned()]).await;
            if let Err(error) = probe {
                tracing::debug!(%error, "the dimension could not be asked of the endpoint");
                provider.learn(hint.unwrap_or_default());
            }
        }
        Ok(provider)
    }

    fn known_dimension(&self) -> Option<usize> {
        Some(self.dimension.load(Ordering::Relaxed)).filter(|dimension| *dimension > 0)
    }

    /// The first to know the dimension wins.
    fn learn(&self, dimension: usize) {
        let _ = self
            .dimension
            .compare_exchange(0, dimension, Ordering::Relaxed, Ordering::Relaxed);
    }

    async fn ask_once(&self, texts: &[String]) -> Result<Vec<Outcome>, EmbeddingError> {
        let answers = self.client.ask(texts, self.known_dimension()).await?;
        if let Some(vector) = answers.iter().find_map(|answer| answer.as_ref().ok()) {
            self.learn(vector.len());
        }
        Ok(answers
            .into_iter()
            .map(|answer| answer.map_err(|reason| self.client.bad(&reason)))
            .collect())
    }

    async fn ask(&self, texts: &[String]) -> Result<Vec<Outcome>, EmbeddingError> {
        self.retry.run(|| self.ask_once(texts), judge).await
    }

    /// The outcome of each text, given the endpoint's answer to all of them.
    fn settle<'a>(
        &'a self,
        texts: &'a [String],
        answer: Result<Vec<Outcome>, EmbeddingError>,
    ) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            let error = match answer {
                Ok(outcomes) => return outcomes,
                Err(error) => error,
            };
            if texts.len() == 1 || !may_be_one_texts_fault(&error) {
                return vec![Err(error); texts.len()];
            }
            let (left, right) = texts.split_at(texts.len() / 2);
            let of_left = self.ask(left).await;
            let of_right = match &of_left {
                Err(e) if !may_be_one_texts_fault(e) => Err(e.clone()),
                _ => self.ask(right).await,
            };
            // Texts can be refused here and there; but an endpoint whose answers are wrong
            // whatever it is given is at fault itself, and dividing further would only burden it.
            if is_wrong(&of_left) && is_wrong(&of_right) {
                return vec![Err(error); texts.len()];
            }
            let mut outcomes = self.settle(left, of_left).await;
            outcomes.extend(self.settle(right, of_right).await);
            outcomes
        }
        .boxed()
    }
}

#[async_trait]
impl EmbeddingProvider for HttpProvider {
    fn model_id(&self) -> &str {
        &self.model_id
    }

    /// Components of each vector; 0 while neither settings, stored vectors nor an answer tell.
    fn dimension(&self) -> usize {
        self.dimension.load(Ordering::Relaxed)
    }

    fn max_input_tokens(&self) -> usize {
        self.max_input_tokens
    }

    fn query_prefix(&self) -> &str {
        &self.query_prefix
    }

    fn passage_prefix(&self) -> &str {
        &self.passage_prefix
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        let text = cut::to_tokens(text, self.max_input_tokens);
        let mut outcomes = self.ask(&[text.to_owned()]).await?;
        outcomes
            .pop()
            .unwrap_or_else(|| Err(self.client.bad("no vector")))
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(texts.len());
        for batch in texts.chunks(self.batch_size) {
            let batch: Vec<String> = batch
                .iter()
                .map(|text| cut::to_tokens(text, self.max_input_tokens).to_owned())
                .collect();
            let answer = self.ask(&batch).await;
            if let Err(error) = &answer
                && !may_be_one_texts_fault(error)
            {
                // What was tried long enough for one batch is not tried again for each.
                outcomes.resize(texts.len(), Err(error.clone()));
                break;
            }
            outcomes.extend(self.settle(&batch, answer).await);
        }
        outcomes
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        self.client.check().await
    }
}

fn judge(error: &EmbeddingError) -> Verdict {
    match error {
        EmbeddingError::Busy { retry_after, .. } => Verdict::Retry {
            after: *retry_after,
        },
        EmbeddingError::Timeout { .. } | EmbeddingError::Unreachable { .. } => {
            Verdict::Retry { after: None }
        }
        _ => Verdict::Fail,
    }
}

fn may_be_one_texts_fault(error: &EmbeddingError) -> bool {
    matches!(
        error,
        EmbeddingError::Refused { .. } | EmbeddingError::BadAnswer { .. }
    )
}

fn is_wrong(answer: &Result<Vec<Outcome>, EmbeddingError>) -> bool {
    matches!(answer, Err(EmbeddingError::BadAnswer { .. }))
}
