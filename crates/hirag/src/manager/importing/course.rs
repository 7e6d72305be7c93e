//! How long a document took, and why.

use std::time::Duration;

use crate::import::Problem;

/// A document that takes longer is told as slow.
pub(super) const SLOW: Duration = Duration::from_secs(30);

/// Where the time of one document went.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Course {
    /// The document.
    pub(super) source: String,
    /// Its bytes.
    pub(super) bytes: u64,
    /// Until it was read and cut.
    pub(super) reading: Duration,
    /// Its share of the time in which it was embedded with others.
    pub(super) embedding: Duration,
    /// Its chunks that had to be embedded.
    pub(super) texts: usize,
}

impl Course {
    /// The sentence for the report, if it was slow.
    pub(super) fn problem(&self) -> Option<Problem> {
        let all = self.reading + self.embedding;
        if all <= SLOW {
            return None;
        }
        let seconds = |time: Duration| time.as_secs_f64().round();
        let reason = if self.embedding > self.reading {
            format!(
                "{} s of it to embed {} chunks; a faster model or a smaller document helps",
                seconds(self.embedding),
                self.texts
            )
        } else {
            format!(
                "{} s of it to read and cut its {} bytes; split it, or save it in a simpler form",
                seconds(self.reading),
                self.bytes
            )
        };
        Some(Problem {
            path: self.source.clone(),
            line: None,
            code: "slow_document".to_owned(),
            message: format!("it took {} s, {reason}", seconds(all)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_over_thirty_seconds_is_told_with_what_took_longest() {
        let course = |reading, embedding| Course {
            source: "/a.pdf".to_owned(),
            bytes: 9_000,
            reading: Duration::from_secs(reading),
            embedding: Duration::from_secs(embedding),
            texts: 812,
        };
        assert_eq!(course(10, 20).problem(), None);
        let told = |reading, embedding| course(reading, embedding).problem().unwrap().message;
        assert!(told(5, 40).starts_with("it took 45 s, 40 s of it to embed 812 chunks;"));
        assert!(
            told(31, 0).starts_with("it took 31 s, 31 s of it to read and cut its 9000 bytes;")
        );
    }
}
