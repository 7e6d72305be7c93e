//! Where contexts, their vectors and their words are kept.

mod bm25;
mod error;
mod record;
pub mod sqlite;
mod vector_store;

pub use error::StoreError;
pub use record::{
    CollectionInfo, Hit, Order, Page, Record, ScrollRequest, VectorQuery, VectorSpec,
};
pub use vector_store::VectorStore;
