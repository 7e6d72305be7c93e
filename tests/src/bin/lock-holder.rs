//! Opens a data folder for writing, says `ready`, and holds it until its standard input ends.
//!
//! `lock-holder DATA_DIR`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a part of the tests: it speaks to them by its output, and fails by panicking"
)]

use std::io::Read as _;
use std::path::PathBuf;

use hirag::HiragManager;
use hirag::config::Config;
use hirag::context::NewContext;
use hirag::manager::OpenOptions;
use hirag_tests::provider::FakeProvider;

#[tokio::main]
async fn main() {
    let data_dir = PathBuf::from(std::env::args().nth(1).unwrap());
    let config = Config::from_toml("[hirag.token_estimator]\nkind = \"chars\"").unwrap();
    let manager = HiragManager::open(OpenOptions {
        provider: Some(FakeProvider::new("fake", 16)),
        ..OpenOptions::new(config, data_dir)
    })
    .await
    .unwrap();
    let new = NewContext::new("stored by the holder of the lock");
    manager.store(new).await.unwrap();
    println!("ready");
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).unwrap();
    manager.shut_down().await.unwrap();
}
