//! The vector stage under filters.

use std::path::Path;
use std::time::Instant;

use hirag::context::Filter;
use hirag::store::sqlite::SqliteStore;
use hirag::store::{VectorQuery, VectorStore};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::data::{QUERIES, vectors};
use crate::figures::{Spread, milliseconds};
use crate::filters::{SHARES, below, passing};
use crate::opened;

const QUERIES_EACH: usize = 50;
const BEST: usize = 10;

pub(crate) fn measure(folder: &Path, data: &Path) -> Value {
    let runtime = Runtime::new().expect("the runtime starts");
    let queries: Vec<Vec<f32>> = vectors(&data.join(QUERIES)).take(QUERIES_EACH).collect();
    let (store, collection) = opened::store(folder);
    let count = runtime.block_on(store.count(&collection, &Filter::default()));
    let contexts = count.expect("the store counts") as usize;
    let ask = |filter: &Filter| -> (Vec<f64>, bool) {
        let mut exact = true;
        let passing = runtime
            .block_on(store.count(&collection, filter))
            .expect("the store counts");
        let times = queries.iter().map(|vector| {
            let start = Instant::now();
            let found = search(&runtime, &store, &collection, vector, filter);
            exact &= found == BEST.min(passing as usize);
            milliseconds(start)
        });
        (times.collect(), exact)
    };
    // What is read for the first search is none of it.
    ask(&Filter::default());
    let mut rows = vec![row("100 %", contexts, ask(&Filter::default()))];
    for (name, places) in SHARES {
        rows.push(row(name, passing(contexts, places), ask(&below(places))));
    }
    store.shut_down();
    json!({ "contexts": contexts, "k": BEST, "filters": rows })
}

fn row(share: &str, passing: usize, (times, exact): (Vec<f64>, bool)) -> Value {
    json!({ "share": share, "passing": passing, "exact_count": exact, "ms": Spread::of(times) })
}

fn search(
    runtime: &Runtime,
    store: &SqliteStore,
    collection: &str,
    vector: &[f32],
    filter: &Filter,
) -> usize {
    let query = VectorQuery {
        vector: vector.to_vec(),
        filter: filter.clone(),
        limit: BEST,
        ..VectorQuery::default()
    };
    let hits = runtime.block_on(store.search(collection, query));
    hits.expect("the store answers").len()
}
