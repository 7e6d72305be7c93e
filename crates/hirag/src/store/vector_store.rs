use async_trait::async_trait;

use super::{
    CollectionInfo, Hit, Page, Record, ScrollRequest, StoreError, VectorQuery, VectorSpec,
};
use crate::context::{Context, ContextId, Filter};

/// Collections of contexts with vectors.
///
/// What a method returns `Ok` for is durable: it survives `kill -9` and, where the disk keeps
/// its word, a power cut. A method that returns `Err` has changed nothing. Every search sees
/// every write that was answered before it began.
#[async_trait]
pub trait VectorStore: Send + Sync + std::fmt::Debug {
    /// Makes a collection. One that exists with the same model and dimension is left as it is.
    ///
    /// # Errors
    /// [`StoreError::CollectionDiffers`] when it exists with others.
    async fn create_collection(&self, name: &str, vectors: &VectorSpec) -> Result<(), StoreError>;

    /// Removes a collection with all that is in it. `false` when there was none.
    async fn delete_collection(&self, name: &str) -> Result<bool, StoreError>;

    /// All collections, by name.
    async fn collections(&self) -> Result<Vec<CollectionInfo>, StoreError>;

    /// Stores contexts, all or none. Vectors are checked before anything is written.
    ///
    /// # Errors
    /// [`StoreError::BadVector`] for a wrong dimension, NaN, infinity or length zero.
    async fn insert(&self, collection: &str, records: Vec<Record>) -> Result<(), StoreError>;

    /// The nearest contexts by cosine, best first. Those marked as deleted, expired or without a
    /// vector are not among them.
    async fn search(&self, collection: &str, query: VectorQuery) -> Result<Vec<Hit>, StoreError>;

    /// The contexts of these ids that exist, those marked as deleted too, in the order of the ids.
    async fn get(&self, collection: &str, ids: &[ContextId]) -> Result<Vec<Context>, StoreError>;

    /// Removes contexts for good, with vectors and words; how many there were.
    async fn delete(&self, collection: &str, ids: &[ContextId]) -> Result<u64, StoreError>;

    /// How many contexts pass the filter, without those marked as deleted.
    async fn count(&self, collection: &str, filter: &Filter) -> Result<u64, StoreError>;

    /// A page of contexts. Following the cursors shows every context once that is there throughout
    /// and keeps its place in the order. A cursor of another order is refused.
    async fn scroll(&self, collection: &str, request: ScrollRequest) -> Result<Page, StoreError>;
}
