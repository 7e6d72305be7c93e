//! Filters that let an exact share of the contexts through.
//!
//! Each context has a number under `place`: among any hundred thousand that follow each other, each number once.

use hirag::context::{Condition, Field, Filter, Metadata, Range, Test, Value};
use serde_json::json;

/// Numbers that there are.
const PLACES: usize = 100_000;
/// Has no factor in common with it, so that neighbours are far apart.
const STEP: usize = 61_803;
/// How many of the numbers pass, and how that is called.
pub(crate) const SHARES: [(&str, usize); 5] = [
    ("50 %", 50_000),
    ("10 %", 10_000),
    ("1 %", 1_000),
    ("0.1 %", 100),
    ("0.001 %", 1),
];

pub(crate) fn place(number: usize) -> usize {
    number % PLACES * STEP % PLACES
}

/// The metadata of a context.
pub(crate) fn metadata(number: usize) -> Metadata {
    let fields = json!({ "place": place(number) });
    serde_json::from_value(fields).expect("a number is metadata")
}

/// What lets the contexts through whose place is below.
pub(crate) fn below(places: usize) -> Filter {
    let below = Range {
        lt: Some(Value::Int(places as i64)),
        ..Range::default()
    };
    let condition = Condition::new(Field::parse("place"), Test::Range(below));
    Filter {
        must: vec![condition.expect("it is a condition")],
        ..Filter::default()
    }
}

/// How many of `contexts` that is.
pub(crate) fn passing(contexts: usize, places: usize) -> usize {
    let rest = (0..contexts % PLACES).filter(|&number| place(number) < places);
    contexts / PLACES * places + rest.count()
}
