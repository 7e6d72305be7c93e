//! [`VectorStore`] for [`SqliteStore`].

use async_trait::async_trait;

use super::{SqliteStore, check_dimension, collections, contexts, scroll, search, vectors};
use crate::context::{Context, ContextId, Filter};
use crate::store::{
    CollectionInfo, Hit, Page, Record, ScrollRequest, StoreError, VectorQuery, VectorSpec,
    VectorStore,
};

#[async_trait]
impl VectorStore for SqliteStore {
    async fn create_collection(&self, name: &str, spec: &VectorSpec) -> Result<(), StoreError> {
        let (name, spec, now_ms) = (name.to_owned(), spec.clone(), self.now_ms());
        self.write(move |c, _| collections::create(c, &name, &spec, now_ms))
            .await
    }

    async fn delete_collection(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |c, changes| collections::delete(c, &name, changes))
            .await
    }

    async fn collections(&self) -> Result<Vec<CollectionInfo>, StoreError> {
        self.read(collections::list).await
    }

    async fn insert(&self, collection: &str, records: Vec<Record>) -> Result<(), StoreError> {
        let (name, now_ms) = (collection.to_owned(), self.now_ms());
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let set = vectors::active(c, number)?;
            let records = normalise_all(&set, records)?;
            contexts::insert(c, number, &set, &records, now_ms, changes)
        })
        .await
    }

    async fn search(&self, collection: &str, query: VectorQuery) -> Result<Vec<Hit>, StoreError> {
        let (now_ms, limits) = (self.now_ms(), self.shared.limits);
        self.with_resident(collection, move |connection, resident, number| {
            check_dimension(resident, query.vector.len())?;
            let set = vectors::active(connection, number)?;
            let unit = vectors::normalised(&set, &query.vector)?;
            search::by_vector(connection, resident, number, &limits, &query, &unit, now_ms)
        })
        .await
    }

    async fn get(&self, collection: &str, ids: &[ContextId]) -> Result<Vec<Context>, StoreError> {
        let (name, ids) = (collection.to_owned(), ids.to_vec());
        self.read(move |c| contexts::get(c, collections::number(c, &name)?, &ids))
            .await
    }

    async fn delete(&self, collection: &str, ids: &[ContextId]) -> Result<u64, StoreError> {
        let (name, ids) = (collection.to_owned(), ids.to_vec());
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let sets = vectors::sets(c, number)?;
            let mut removed = 0;
            for id in ids {
                if let Some(seq) = contexts::seq_of(c, number, id)? {
                    contexts::remove(c, &sets, seq, changes)?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await
    }

    async fn count(&self, collection: &str, filter: &Filter) -> Result<u64, StoreError> {
        let (name, filter) = (collection.to_owned(), filter.clone());
        self.read(move |c| scroll::count(c, collections::number(c, &name)?, &filter, false))
            .await
    }

    async fn scroll(&self, collection: &str, request: ScrollRequest) -> Result<Page, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| scroll::page(c, collections::number(c, &name)?, &request))
            .await
    }
}

/// Checks and normalises every vector before anything is written.
pub(super) fn normalise_all(
    set: &vectors::VectorSet,
    mut records: Vec<Record>,
) -> Result<Vec<Record>, StoreError> {
    for record in &mut records {
        if let Some(vector) = &record.vector {
            record.vector = Some(vectors::normalised(set, vector)?);
        }
    }
    Ok(records)
}
