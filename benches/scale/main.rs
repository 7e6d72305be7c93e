//! This program's side of `make bench-scale`: `scripts/bench-scale` calls it and its peers.
//!
//! ```text
//! scale embed TEXTS OUT              vectors of texts, one a line, by the local model; goes on where it stopped
//! scale mixture FOLDER COUNT QUERIES a clustered mixture with texts by Zipf's law
//! scale fill STORE DATA COUNT        a memory of the first contexts of a data folder
//! scale engine STORE DATA            the vector stage, as a peer among others (peers/peer.py)
//! scale vectors STORE DATA           the vector stage under filters
//! scale retrievals STORE DATA        opening, whole retrievals, memory
//! scale load STORE DATA              readers beside a writer, single stores; on a copy
//! scale import FOLDER COUNT          an import of notes, the model left out
//! scale forward TEXTS                the model's throughput and latency
//! scale plots RESULTS OUT            the pictures
//! ```
//!
//! What it measures it prints as one JSON document.
#![allow(
    clippy::expect_used,
    reason = "a measurement that cannot be set up has nothing to measure"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what it is for"
)]

mod data;
mod embed;
mod engine;
mod figures;
mod fill;
mod filters;
mod import;
mod load;
mod mixture;
mod opened;
mod plots;
mod retrievals;
mod vectors;

use std::path::PathBuf;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let text = |place: usize| -> &str {
        arguments
            .get(place)
            .unwrap_or_else(|| usage(&format!("argument {place} is missing")))
    };
    let path = |place: usize| PathBuf::from(text(place));
    let number = |place: usize| -> usize {
        text(place)
            .parse()
            .unwrap_or_else(|_| usage(&format!("{:?} is no number", text(place))))
    };
    let told = match text(0) {
        "embed" => embed::all(&path(1), &path(2)),
        "forward" => embed::forward(&path(1)),
        "mixture" => mixture::write(&path(1), number(2), number(3)),
        "fill" => fill::fill(&path(1), &path(2), number(3)),
        "engine" => return engine::serve(&path(1), &path(2)),
        "vectors" => vectors::measure(&path(1), &path(2)),
        "retrievals" => retrievals::measure(&path(1), &path(2)),
        "load" => load::measure(&path(1), &path(2)),
        "import" => import::measure(&path(1), number(2)),
        "plots" => plots::draw(&path(1), &path(2)),
        other => usage(&format!("{other:?} is no command")),
    };
    println!("{told:#}");
}

fn usage(wrong: &str) -> ! {
    eprintln!("scale: {wrong}; see the head of benches/scale/main.rs");
    std::process::exit(2)
}
