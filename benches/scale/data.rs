//! What is measured with: a folder with texts, one a line, their vectors as plain `f32` (least byte first), and the
//! same for queries. The peers read the same files.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use hirag_benches::DIMENSION;

pub(crate) const TEXTS: &str = "texts.txt";
pub(crate) const VECTORS: &str = "vectors.f32";
pub(crate) const QUERY_TEXTS: &str = "query-texts.txt";
pub(crate) const QUERIES: &str = "queries.f32";

/// The lines of a file.
pub(crate) fn lines(file: &Path) -> impl Iterator<Item = String> + use<> {
    let opened = File::open(file).unwrap_or_else(|error| panic_at(file, &error));
    let lines = BufReader::with_capacity(1 << 20, opened).lines();
    lines.map(|line| line.expect("the texts are UTF-8"))
}

/// The vectors of a file, one after another.
pub(crate) fn vectors(file: &Path) -> impl Iterator<Item = Vec<f32>> + use<> {
    let opened = File::open(file).unwrap_or_else(|error| panic_at(file, &error));
    let mut reader = BufReader::with_capacity(1 << 20, opened);
    std::iter::from_fn(move || {
        let mut bytes = [0; DIMENSION * 4];
        reader.read_exact(&mut bytes).ok()?;
        let components = bytes.chunks_exact(4);
        Some(
            components
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
        )
    })
}

/// The queries: texts and vectors.
pub(crate) fn queries(data: &Path) -> Vec<(String, Vec<f32>)> {
    let texts = lines(&data.join(QUERY_TEXTS));
    texts.zip(vectors(&data.join(QUERIES))).collect()
}

/// Writes vectors to a file.
pub(crate) struct VectorFile(BufWriter<File>);

impl VectorFile {
    pub(crate) fn create(file: &Path) -> Self {
        let opened = File::create(file).unwrap_or_else(|error| panic_at(file, &error));
        Self(BufWriter::with_capacity(1 << 20, opened))
    }

    /// Behind what the file has.
    pub(crate) fn append(file: &Path) -> Self {
        let opened = File::options().append(true).create(true).open(file);
        Self(BufWriter::new(
            opened.unwrap_or_else(|error| panic_at(file, &error)),
        ))
    }

    pub(crate) fn put(&mut self, vector: &[f32]) {
        for component in vector {
            let written = self.0.write_all(&component.to_le_bytes());
            written.expect("the disk takes the vectors");
        }
    }

    pub(crate) fn flush(&mut self) {
        self.0.flush().expect("the disk takes the vectors");
    }
}

fn panic_at(file: &Path, error: &std::io::Error) -> ! {
    eprintln!("scale: {}: {error}", file.display());
    std::process::exit(1)
}
