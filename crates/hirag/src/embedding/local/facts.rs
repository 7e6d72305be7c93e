//! What a model's folder says about it, beside the weights.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::pooling::Pooling;

/// Tokens of a text at least; below, hardly more than the special tokens would be left.
const FEWEST_TOKENS: usize = 8;

/// What the weights do not tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// See [`EmbeddingProvider::model_id`](crate::embedding::EmbeddingProvider::model_id).
    pub(super) id: String,
    pub(super) pooling: Pooling,
    pub(super) max_tokens: usize,
    /// Components, where the folder says so.
    pub(super) dimension: Option<usize>,
    pub(super) query_prefix: String,
    pub(super) passage_prefix: String,
}

/// `hirag-model.json`: our own file, whose values stand above those of the others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Own {
    id: Option<String>,
    model_bytes: Option<u64>,
    pooling: Option<Pooling>,
    max_tokens: Option<usize>,
    query_prefix: Option<String>,
    passage_prefix: Option<String>,
}

/// `1_Pooling/config.json` of sentence-transformers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolingFile {
    word_embedding_dimension: Option<usize>,
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
}

/// `sentence_bert_config.json` of sentence-transformers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SentenceFile {
    max_seq_length: Option<usize>,
}

/// `config_sentence_transformers.json` of sentence-transformers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptsFile {
    prompts: Prompts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Prompts {
    query: String,
    #[serde(alias = "document")]
    passage: String,
}

/// `config.json` of transformers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ModelFile {
    max_position_embeddings: Option<usize>,
}

/// Whether the files that make a model are there, and the weights as long as the folder says: a file
/// cut between two fields of its format can still be read. Reads none of them. The error is a reason,
/// for a sentence that already names the folder.
pub(super) fn check_files(folder: &Path) -> Result<(), String> {
    let mut bytes = 0;
    for file in ["tokenizer.json", "model.onnx"] {
        bytes = match folder.join(file).metadata() {
            Ok(data) if data.len() == 0 => return Err(format!("{file} is empty")),
            Ok(data) => data.len(),
            Err(error) => return Err(format!("{file}: {error}")),
        };
    }
    let own: Own = read(folder, "hirag-model.json")?;
    match own.model_bytes {
        Some(told) if told != bytes => Err(format!(
            "model.onnx has {bytes} bytes, but hirag-model.json says {told}; it is cut short \
             or another one"
        )),
        _ => Ok(()),
    }
}

impl Facts {
    /// Reads them. The error is a reason, for a sentence that already names the folder.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let own: Own = read(folder, "hirag-model.json")?;
        let pooling: PoolingFile = read(folder, "1_Pooling/config.json")?;
        let sentence: SentenceFile = read(folder, "sentence_bert_config.json")?;
        let prompts: PromptsFile = read(folder, "config_sentence_transformers.json")?;
        let model: ModelFile = read(folder, "config.json")?;

        let positions = model.max_position_embeddings;
        let max_tokens = own
            .max_tokens
            .or(sentence.max_seq_length)
            .or(positions)
            .ok_or(
                "nothing says how many tokens a text may have; write hirag-model.json with \
                 \"max_tokens\" into the folder",
            )?;
        let most = positions.unwrap_or(usize::MAX);
        if max_tokens < FEWEST_TOKENS || max_tokens > most {
            return Err(format!(
                "max_tokens is {max_tokens}, and must be at least {FEWEST_TOKENS} and at most \
                 the model's positions ({most})"
            ));
        }
        let mut facts = Self {
            id: String::new(),
            pooling: own.pooling.map_or_else(|| pooling.mode(), Ok)?,
            max_tokens,
            dimension: pooling.word_embedding_dimension,
            query_prefix: own.query_prefix.unwrap_or(prompts.prompts.query),
            passage_prefix: own.passage_prefix.unwrap_or(prompts.prompts.passage),
        };
        facts.id = match own.id {
            Some(id) if id.trim().is_empty() => {
                return Err(
                    "the \"id\" in hirag-model.json is empty; leave it out or name the model"
                        .to_owned(),
                );
            }
            Some(id) => id,
            None => facts.id_by_content(folder)?,
        };
        Ok(facts)
    }

    /// `folder-name@fingerprint`: whatever changes the vectors changes the fingerprint.
    fn id_by_content(&self, folder: &Path) -> Result<String, String> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name()
                    .and_then(|name| name.to_str())
                    // Large models keep their weights in `model.onnx_data` or `model.onnx.data`.
                    .is_some_and(|name| name == "tokenizer.json" || name.starts_with("model.onnx"))
            })
            .collect();
        files.sort();
        let mut sha = Sha256::new();
        for file in files {
            digest(&file, &mut sha).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        sha.update(format!("{:?}/{}", self.pooling, self.max_tokens));
        let fingerprint: String = sha.finalize()[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = folder
            .canonicalize()
            .ok()
            .and_then(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "model".to_owned());
        Ok(format!("{name}@{fingerprint}"))
    }
}

impl PoolingFile {
    fn mode(&self) -> Result<Pooling, String> {
        match (self.pooling_mode_mean_tokens, self.pooling_mode_cls_token) {
            (true, false) => Ok(Pooling::Mean),
            (false, true) => Ok(Pooling::Cls),
            _ => Err(
                "nothing says how the tokens are pooled; write hirag-model.json with \
                 \"pooling\": \"mean\" or \"cls\", as the model was trained, into the folder"
                    .to_owned(),
            ),
        }
    }
}

/// Feeds a file's content to the digest, a piece at a time: weights may be larger than memory.
fn digest(file: &Path, sha: &mut Sha256) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, fs::File::open(file)?);
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Ok(());
        }
        sha.update(piece);
        let length = piece.len();
        reader.consume(length);
    }
}

/// A JSON file of the folder; its defaults when there is none.
fn read<T: DeserializeOwned + Default>(folder: &Path, name: &str) -> Result<T, String> {
    match fs::read_to_string(folder.join(name)) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{name}: {error}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("1_Pooling")).unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    const SENTENCE_TRANSFORMERS: [(&str, &str); 4] = [
        (
            "1_Pooling/config.json",
            r#"{"word_embedding_dimension": 768, "pooling_mode_cls_token": true}"#,
        ),
        (
            "sentence_bert_config.json",
            r#"{"max_seq_length": 300, "do_lower_case": false}"#,
        ),
        (
            "config_sentence_transformers.json",
            r#"{"prompts": {"query": "query: ", "document": "passage: "}}"#,
        ),
        ("config.json", r#"{"max_position_embeddings": 512}"#),
    ];

    #[test]
    fn the_files_of_sentence_transformers_are_understood() {
        let folder = folder(&SENTENCE_TRANSFORMERS);
        let facts = Facts::read(folder.path()).unwrap();
        assert_eq!(facts.pooling, Pooling::Cls);
        assert_eq!(facts.max_tokens, 300);
        assert_eq!(facts.dimension, Some(768));
        assert_eq!(facts.query_prefix, "query: ");
        assert_eq!(facts.passage_prefix, "passage: ");
    }

    #[test]
    fn our_own_file_stands_above_them() {
        let folder = folder(&SENTENCE_TRANSFORMERS);
        fs::write(
            folder.path().join("hirag-model.json"),
            r#"{"id": "mine", "pooling": "mean", "max_tokens": 64, "model_bytes": 9, "query_prefix": "q ", "passage_prefix": ""}"#,
        )
        .unwrap();
        let facts = Facts::read(folder.path()).unwrap();
        assert_eq!(
            facts,
            Facts {
                id: "mine".to_owned(),
                pooling: Pooling::Mean,
                max_tokens: 64,
                dimension: Some(768),
                query_prefix: "q ".to_owned(),
                passage_prefix: String::new(),
            }
        );
    }

    #[test]
    fn a_folder_that_leaves_something_open_is_refused_with_what_to_write() {
        let cases = [
            (vec![], "\"max_tokens\""),
            (
                vec![("hirag-model.json", r#"{"max_tokens": 256}"#)],
                "\"pooling\"",
            ),
            (
                vec![("hirag-model.json", r#"{"max_tokens": 3}"#)],
                "max_tokens is 3",
            ),
            (
                vec![("hirag-model.json", r#"{"poling": "mean"}"#)],
                "`poling`",
            ),
            (vec![("hirag-model.json", r#"{"pooling": "max"}"#)], "`max`"),
            (vec![("config.json", "{")], "config.json"),
            (
                vec![
                    ("hirag-model.json", r#"{"max_tokens": 600}"#),
                    ("config.json", r#"{"max_position_embeddings": 512}"#),
                ],
                "max_tokens is 600",
            ),
            (
                vec![(
                    "hirag-model.json",
                    r#"{"id": " ", "max_tokens": 99, "pooling": "cls"}"#,
                )],
                "\"id\"",
            ),
        ];
        for (files, expected) in cases {
            let reason = Facts::read(folder(&files).path()).unwrap_err();
            assert!(reason.contains(expected), "{reason} lacks {expected}");
        }
    }

    #[test]
    fn without_an_id_whatever_changes_the_vectors_changes_it() {
        let folder = folder(&SENTENCE_TRANSFORMERS);
        let id = || Facts::read(folder.path()).unwrap().id;
        let mut seen = vec![id()];
        assert_eq!(seen[0], id());
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        assert!(seen[0].starts_with(&format!("{name}@")), "{seen:?}");
        for (file, content) in [
            ("model.onnx", "weights"),
            ("model.onnx_data", "more weights"),
            ("tokenizer.json", "words"),
            ("hirag-model.json", r#"{"pooling": "mean"}"#),
            ("sentence_bert_config.json", r#"{"max_seq_length": 128}"#),
        ] {
            fs::write(folder.path().join(file), content).unwrap();
            assert!(!seen.contains(&id()), "{file}");
            seen.push(id());
        }
    }
}
