//! The vector stage as a peer among others: it takes the same orders as `peers/peer.py`.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use hirag::store::{VectorQuery, VectorStore};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::data::{QUERIES, vectors};
use crate::figures::{Held, milliseconds};
use crate::fill::number;
use crate::opened;

pub(crate) fn serve(folder: &Path, data: &Path) {
    let runtime = Runtime::new().expect("the runtime starts");
    let queries: Vec<Vec<f32>> = vectors(&data.join(QUERIES)).collect();
    let (store, collection) = opened::store(folder);
    for line in std::io::stdin().lock().lines() {
        let order: Value =
            serde_json::from_str(&line.expect("orders are text")).expect("orders are JSON");
        let place = |key: &str| order[key].as_u64().unwrap_or(0) as usize;
        let answer = if order["do"] == "search" {
            let (mut times, mut ids) = (Vec::new(), Vec::new());
            for vector in &queries[place("from")..place("to")] {
                let start = Instant::now();
                let query = VectorQuery {
                    vector: vector.clone(),
                    limit: place("k"),
                    ..VectorQuery::default()
                };
                let hits = runtime
                    .block_on(store.search(&collection, query))
                    .expect("the store answers");
                times.push(milliseconds(start));
                ids.push(
                    hits.into_iter()
                        .map(|hit| number(hit.id))
                        .collect::<Vec<_>>(),
                );
            }
            json!({ "ms": times, "ids": ids })
        } else {
            json!(Held::now())
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")
            .and_then(|()| out.flush())
            .expect("the answer is taken");
    }
    store.shut_down();
}
