//! Where contexts, their vectors and their words are kept.

mod error;

pub use error::StoreError;
