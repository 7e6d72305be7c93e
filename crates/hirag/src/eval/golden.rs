//! Golden sets in BEIR layout: `queries.jsonl` and `qrels.tsv`.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value as Json;

use super::EvalError;
use crate::context::Metadata;
use crate::import::lines::Lines;

/// Bytes of a line at most; queries and judgements are short.
const MAX_LINE_BYTES: usize = 1_000_000;

/// How relevant documents are to one query: over 0 is relevant, and more is more so.
pub type Judgements = HashMap<String, f64>;

/// A query of a golden set.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenQuery {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub text: String,
    /// Its other fields, e.g. to filter by.
    pub fields: Metadata,
}

/// Queries and the documents that answer them.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenSet {
    /// The queries with a relevant document, in the file's order, each with its judgements.
    pub queries: Vec<(GoldenQuery, Judgements)>,
    /// Queries left out, as nothing is relevant to them.
    pub unjudged: usize,
}

impl GoldenSet {
    /// Reads `queries.jsonl` and `qrels.tsv`. Judgements of queries that are not in the first are
    /// left out.
    ///
    /// # Errors
    /// [`EvalError`] with the file and the line of what cannot be used, or
    /// [`EvalError::NothingJudged`].
    pub fn read(queries: &Path, qrels: &Path) -> Result<Self, EvalError> {
        let asked = read_queries(open(queries)?, queries)?;
        let judged = read_qrels(open(qrels)?, qrels)?;
        Self::new(asked, judged)
    }

    fn new(
        asked: Vec<GoldenQuery>,
        mut judged: HashMap<String, Judgements>,
    ) -> Result<Self, EvalError> {
        let all = asked.len();
        let queries: Vec<_> = asked
            .into_iter()
            .filter_map(|query| {
                let judgements = judged.remove(&query.id)?;
                let relevant = judgements.values().any(|gain| *gain > 0.0);
                relevant.then_some((query, judgements))
            })
            .collect();
        if queries.is_empty() {
            return Err(EvalError::NothingJudged { queries: all });
        }
        Ok(Self {
            unjudged: all - queries.len(),
            queries,
        })
    }
}

fn open(path: &Path) -> Result<BufReader<File>, EvalError> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> EvalError {
    EvalError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// Gives every line that is not blank to `take`, which says what is wrong with it.
fn each_line(
    input: impl BufRead,
    path: &Path,
    wrong: fn(std::path::PathBuf, u64, String) -> EvalError,
    mut take: impl FnMut(u64, &str) -> Result<(), String>,
) -> Result<(), EvalError> {
    for line in Lines::new(input, MAX_LINE_BYTES) {
        let line = line.map_err(|error| unreadable(path, &error))?;
        line.text
            .map_err(|fault| fault.to_string())
            .and_then(|text| take(line.number, &text))
            .map_err(|reason| wrong(path.to_owned(), line.number, reason))?;
    }
    Ok(())
}

/// Reads queries, one JSON object a line: `_id` (text or a number), `text`, and any other fields.
/// `path` names the file in errors.
///
/// # Errors
/// [`EvalError::Query`] with the line of what is no such object, or of an id met before.
pub fn read_queries(input: impl BufRead, path: &Path) -> Result<Vec<GoldenQuery>, EvalError> {
    let wrong = |path, line, reason| EvalError::Query { path, line, reason };
    let mut ids = HashSet::new();
    let mut queries = Vec::new();
    each_line(input, path, wrong, |_, text| {
        let mut fields: Metadata = serde_json::from_str(text)
            .map_err(|error| format!("the line is not a JSON object: {error}"))?;
        let id = match fields.remove("_id") {
            Some(Json::String(id)) if !id.trim().is_empty() => id,
            Some(Json::Number(id)) => id.to_string(),
            _ => return Err("the query has no `_id`; give it text or a number".to_owned()),
        };
        let text = match fields.remove("text") {
            Some(Json::String(text)) if !text.trim().is_empty() => text,
            _ => return Err(format!("the query `{id}` has no `text`; say what it asks")),
        };
        if !ids.insert(id.clone()) {
            return Err(format!("an earlier query has the id `{id}` already"));
        }
        queries.push(GoldenQuery { id, text, fields });
        Ok(())
    })?;
    Ok(queries)
}

/// Reads judgements by query: lines of query, document and score (BEIR, with or without a
/// header), or of query, iteration, document and score (TREC); separated by tabs or, in lines
/// without any, by spaces. `path` names the file in errors.
///
/// # Errors
/// [`EvalError::Judgement`] with the line of another form, of a score that is no number, or of a
/// pair that was judged otherwise before.
pub fn read_qrels(
    input: impl BufRead,
    path: &Path,
) -> Result<HashMap<String, Judgements>, EvalError> {
    let wrong = |path, line, reason| EvalError::Judgement { path, line, reason };
    let mut judged: HashMap<String, Judgements> = HashMap::new();
    let mut first = true;
    each_line(input, path, wrong, |_, text| {
        let first = std::mem::take(&mut first);
        let fields: Vec<&str> = if text.contains('\t') {
            text.split('\t').map(str::trim).collect()
        } else {
            text.split_whitespace().collect()
        };
        let (query, document, score) = match fields.as_slice() {
            [query, document, score] | [query, _, document, score] => (query, document, score),
            _ => {
                return Err(format!(
                    "the line has {} columns; write query, document and score, with tabs between",
                    fields.len()
                ));
            }
        };
        let gain = match score.parse::<f64>() {
            Ok(gain) if gain.is_finite() => gain,
            Err(_) if first => return Ok(()),
            _ => return Err(format!("the score `{score}` is not a number")),
        };
        let of_query = judged.entry((*query).to_owned()).or_default();
        match of_query.insert((*document).to_owned(), gain) {
            Some(before) if before != gain => Err(format!(
                "`{document}` has the score {before} for `{query}` in an earlier line, and {gain} here"
            )),
            _ => Ok(()),
        }
    })?;
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(text: &str) -> Result<Vec<GoldenQuery>, EvalError> {
        read_queries(text.as_bytes(), Path::new("q.jsonl"))
    }

    fn qrels(text: &str) -> Result<HashMap<String, Judgements>, EvalError> {
        read_qrels(text.as_bytes(), Path::new("qrels.tsv"))
    }

    #[test]
    fn queries_keep_their_other_fields() {
        let read = queries("{\"_id\":\"q1\",\"text\":\"who?\",\"conversation\":\"c\"}\n\n{\"_id\":2,\"text\":\"why?\"}\n").unwrap();
        assert_eq!(read[0].fields["conversation"], "c");
        assert_eq!((read[1].id.as_str(), read[1].text.as_str()), ("2", "why?"));
    }

    #[test]
    fn a_bad_query_is_told_by_its_line() {
        for (text, line, word) in [
            ("{\"_id\":1,\"text\":\"a\"}\n\n{\"_id\"", 3, "JSON"),
            ("[]", 1, "JSON"),
            ("{\"text\":\"a\"}", 1, "_id"),
            ("{\"_id\":1}", 1, "text"),
            (
                "{\"_id\":1,\"text\":\"a\"}\n{\"_id\":\"1\",\"text\":\"b\"}",
                2,
                "already",
            ),
        ] {
            let error = queries(text).unwrap_err();
            assert_eq!(error.code(), "invalid_queries");
            let sentence = error.to_string();
            assert!(sentence.contains(&format!("line {line}:")), "{sentence}");
            assert!(sentence.contains(word), "{sentence}");
        }
    }

    #[test]
    fn judgements_are_read_in_all_their_forms() {
        for text in [
            "query-id\tcorpus-id\tscore\nq\tmy doc.md\t2\nq\tb\t0\n",
            "q\tmy doc.md\t2\r\nq\tb\t0\r\n",
            "q\t0\tmy doc.md\t2\nq\t0\tb\t0\nq\t0\tb\t0",
        ] {
            let read = qrels(text).unwrap();
            let expected = [("my doc.md".to_owned(), 2.0), ("b".to_owned(), 0.0)];
            assert_eq!(read["q"], expected.into_iter().collect(), "{text}");
        }
        assert_eq!(qrels("q Q0 d 1").unwrap()["q"]["d"], 1.0);
    }

    #[test]
    fn a_bad_judgement_is_told_by_its_line() {
        for text in [
            "q\td\t1\nq\td\tx",
            "q\td\t1\nq\td",
            "q\td\t1\nq\td\t2",
            "q\td\t1\nq\td\tNaN",
        ] {
            let error = qrels(text).unwrap_err();
            assert_eq!(error.code(), "invalid_qrels");
            assert!(error.to_string().contains("line 2:"), "{error}");
        }
    }

    #[test]
    fn queries_without_a_relevant_document_are_left_out_and_counted() {
        let asked = queries(
            "{\"_id\":1,\"text\":\"a\"}\n{\"_id\":2,\"text\":\"b\"}\n{\"_id\":3,\"text\":\"c\"}",
        )
        .unwrap();
        let set = GoldenSet::new(asked.clone(), qrels("1 d 0\n2 d 1\n9 d 1").unwrap()).unwrap();
        assert_eq!((set.queries.len(), set.unjudged), (1, 2));
        let error = GoldenSet::new(asked, qrels("9 d 1").unwrap()).unwrap_err();
        assert_eq!(error.code(), "nothing_judged");
    }
}
