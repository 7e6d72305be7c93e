//! The core of HiRAG Studio: a local-first, three-level context memory.
//!
//! Text goes in with a level; a query comes back with the best contexts of all levels inside a
//! token budget, with the reason for each. No Tauri, no axum and no clap here.

pub mod answering;
pub mod chat;
pub mod clock;
pub mod config;
pub mod context;
pub mod embedding;
mod endpoint;
pub mod error;
pub mod eval;
pub mod export;
pub mod files;
pub mod import;
pub mod levels;
pub mod manager;
pub mod metrics;
pub mod resilience;
pub mod retrieval;
pub mod sources;
pub mod store;
pub mod tasks;
pub mod tokens;
mod used;

pub use error::{Error, Result};
pub use manager::{HiragManager, OpenOptions};
