//! The FTS5 table `words`: which contexts have which words, and how often.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, params};

use super::writer::Changes;
use crate::store::StoreError;

/// Words that say how a sentence is built rather than what it is about, with the tails that
/// contractions leave behind. `no` and `not` carry meaning and are kept.
const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "are", "as", "at", "be", "been", "being", "but", "by", "can",
    "could", "d", "did", "do", "does", "doing", "done", "for", "from", "had", "has", "have",
    "having", "he", "her", "here", "hers", "him", "his", "how", "i", "if", "in", "into", "is",
    "it", "its", "ll", "m", "may", "me", "might", "mine", "must", "my", "of", "on", "or", "our",
    "ours", "re", "s", "shall", "she", "should", "so", "t", "than", "that", "the", "their",
    "theirs", "them", "then", "there", "these", "they", "this", "those", "to", "us", "ve", "was",
    "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with",
    "would", "you", "your", "yours",
];

/// Postings kept in memory at most, over all words.
const CACHED_POSTINGS: usize = 2_000_000;
/// Words whose terms are kept in memory at most.
const KNOWN_WORDS: usize = 50_000;
/// Words of a query that are looked up at most.
const MAX_QUERY_WORDS: usize = 64;

/// Where a word occurs: row and how often.
pub(super) type Postings = Arc<[(i64, u32)]>;

/// Scripts without spaces between words get one around each character, so that a part of a
/// sentence is found. The tokenizer would take the whole sentence for one word.
fn segmented(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unspaced) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if is_unspaced(c) {
            spaced.extend([' ', c, ' ']);
        } else {
            spaced.push(c);
        }
    }
    Cow::Owned(spaced)
}

/// Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Words of a text, for its length in BM25.
pub(super) fn count(text: &str) -> u32 {
    u32::try_from(split(&segmented(text)).count()).unwrap_or(u32::MAX)
}

/// Indexes the words of a context.
pub(super) fn insert(
    connection: &Connection,
    seq: i64,
    text: &str,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    changes.words = true;
    connection
        .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
        .execute(params![seq, segmented(text)])?;
    Ok(())
}

/// Removes the words of a context.
pub(super) fn remove(
    connection: &Connection,
    seq: i64,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    changes.words = true;
    connection
        .prepare_cached("DELETE FROM words WHERE rowid = ?1")?
        .execute([seq])?;
    Ok(())
}

/// The words of a query that carry meaning, lower-cased, each once. If all are stop words, all
/// are kept: somebody means them.
pub(super) fn query_words(query: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in split(&segmented(query)) {
        let word = word.to_lowercase();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let meaning: Vec<String> = words
        .iter()
        .filter(|word| !STOP_WORDS.contains(&word.as_str()))
        .cloned()
        .collect();
    let mut kept = if meaning.is_empty() { words } else { meaning };
    kept.truncate(MAX_QUERY_WORDS);
    kept
}

/// Contexts in which the whole query stands as a phrase; none for a single word.
pub(super) fn phrase_matches(connection: &Connection, query: &str) -> Result<Vec<i64>, StoreError> {
    let segmented = segmented(query);
    let words: Vec<&str> = split(&segmented).collect();
    if words.len() < 2 || words.len() > MAX_QUERY_WORDS {
        return Ok(Vec::new());
    }
    // Only letters and digits are left between the quotes: there is nothing to escape.
    let phrase = format!("\"{}\"", words.join(" "));
    let mut statement =
        connection.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1")?;
    let rows = statement.query_map([phrase], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Query words as FTS5 indexed them, and the postings that were looked up last.
pub(super) struct Lexicon {
    stemmer: Mutex<Stemmer>,
    cache: Mutex<PostingsCache>,
}

impl std::fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lexicon").finish_non_exhaustive()
    }
}

/// FTS5 itself, over nothing: the only source of the stems that FTS5 makes.
struct Stemmer {
    connection: Connection,
    known: HashMap<String, Vec<String>>,
}

#[derive(Default)]
struct PostingsCache {
    generation: u64,
    postings: HashMap<String, Postings>,
    size: usize,
}

impl Lexicon {
    pub(super) fn new() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE VIRTUAL TABLE w USING fts5 (t, tokenize = 'porter unicode61 remove_diacritics 2');
             CREATE VIRTUAL TABLE v USING fts5vocab (w, instance);",
        )?;
        Ok(Self {
            stemmer: Mutex::new(Stemmer {
                connection,
                known: HashMap::new(),
            }),
            cache: Mutex::new(PostingsCache::default()),
        })
    }

    /// The indexed terms of `words`, each once.
    pub(super) fn terms(&self, words: &[String]) -> Result<Vec<String>, StoreError> {
        let mut stemmer = self.stemmer.lock();
        stemmer.learn(words)?;
        let mut terms: Vec<String> = Vec::with_capacity(words.len());
        for term in words
            .iter()
            .filter_map(|word| stemmer.known.get(word))
            .flatten()
        {
            if !terms.contains(term) {
                terms.push(term.clone());
            }
        }
        Ok(terms)
    }

    /// Where `term` occurs.
    pub(super) fn postings(
        &self,
        connection: &Connection,
        term: &str,
    ) -> Result<Postings, StoreError> {
        let generation = {
            let cache = self.cache.lock();
            if let Some(known) = cache.postings.get(term) {
                return Ok(Arc::clone(known));
            }
            cache.generation
        };
        let mut statement =
            connection.prepare_cached("SELECT doc FROM word_instances WHERE term = ?1")?;
        let mut rows = statement.query([term])?;
        let mut found: Vec<(i64, u32)> = Vec::new();
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            match found.last_mut() {
                Some((last, occurrences)) if *last == seq => *occurrences += 1,
                _ => found.push((seq, 1)),
            }
        }
        let postings: Postings = found.into();
        let mut cache = self.cache.lock();
        // A commit in between may have changed what was just read.
        if cache.generation == generation {
            if cache.size + postings.len() > CACHED_POSTINGS {
                cache.postings.clear();
                cache.size = 0;
            }
            cache.size += postings.len();
            cache
                .postings
                .insert(term.to_owned(), Arc::clone(&postings));
        }
        Ok(postings)
    }

    /// Forgets postings; after every commit that changed words.
    pub(super) fn invalidate(&self) {
        let mut cache = self.cache.lock();
        cache.generation += 1;
        cache.postings.clear();
        cache.size = 0;
    }
}

impl Stemmer {
    /// Asks FTS5 for the terms of the words that are not known, all at once.
    fn learn(&mut self, words: &[String]) -> Result<(), StoreError> {
        if self.known.len() > KNOWN_WORDS {
            self.known.clear();
        }
        let unknown: Vec<&String> = words
            .iter()
            .filter(|word| !self.known.contains_key(*word))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut terms: Vec<Vec<String>> = vec![Vec::new(); unknown.len()];
        // Rolled back when it is dropped.
        let transaction = self.connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO w (rowid, t) VALUES (?1, ?2)")?;
            for (row, word) in (1_i64..).zip(&unknown) {
                insert.execute(params![row, word])?;
            }
            let mut select = transaction.prepare_cached("SELECT doc, term FROM v")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let word = usize::try_from(row.get::<_, i64>(0)? - 1);
                if let Some(terms) = word.ok().and_then(|word| terms.get_mut(word)) {
                    terms.push(row.get(1)?);
                }
            }
        }
        drop(transaction);
        let learned = unknown.into_iter().cloned().zip(terms);
        self.known.extend(learned);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_dropped_unless_there_is_nothing_else() {
        assert_eq!(
            query_words("When did Caroline's group MEET? Caroline!"),
            ["caroline", "group", "meet"]
        );
        assert_eq!(query_words("to be or not to be"), ["not"]);
        assert_eq!(query_words("who are you"), ["who", "are", "you"]);
        assert!(query_words("?! …").is_empty());
    }

    #[test]
    fn query_words_are_stemmed_as_the_index_does() {
        let lexicon = Lexicon::new().unwrap();
        let words = ["running", "connections", "Ärger", "runs"].map(str::to_owned);
        assert_eq!(lexicon.terms(&words).unwrap(), ["run", "connect", "arger"]);
    }

    #[test]
    fn a_part_of_a_sentence_without_spaces_is_a_word() {
        assert_eq!(count("hello 东京塔 world"), 5);
        assert_eq!(query_words("东京"), ["东", "京"]);
    }
}
