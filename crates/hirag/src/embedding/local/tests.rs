//! The real model. `make setup` fetches it; without it these tests fail and say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::*;
use crate::embedding::normalise;

fn folder() -> PathBuf {
    LocalModel::find(None).unwrap_or_else(|error| panic!("run `make setup`: {error}"))
}

/// One for all tests: loading takes longer than most of them.
fn model() -> &'static LocalModel {
    static MODEL: OnceLock<LocalModel> = OnceLock::new();
    MODEL.get_or_init(|| LocalModel::load(&folder(), 0).unwrap())
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    text: String,
}

fn fixture() -> (Vec<Sample>, Vec<Vec<f32>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/embedding");
    let samples = fs::read_to_string(folder.join("texts.json")).unwrap();
    let reference = fs::read(folder.join("reference.f32")).unwrap();
    let numbers: Vec<f32> = reference
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    (
        serde_json::from_str(&samples).unwrap(),
        numbers.chunks_exact(384).map(<[f32]>::to_vec).collect(),
    )
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[tokio::test]
async fn fifty_texts_agree_with_the_reference_alone_and_in_a_batch() {
    let (samples, reference) = fixture();
    assert_eq!((samples.len(), reference.len()), (50, 50));
    let texts: Vec<String> = samples
        .iter()
        .map(|sample| normalise(&sample.text).into_owned())
        .collect();
    let together = model().embed_batch(&texts).await;
    assert_eq!(together.len(), texts.len());
    let mut worst = (1.0_f64, String::new());
    for (((sample, text), reference), batched) in
        samples.iter().zip(&texts).zip(&reference).zip(together)
    {
        let batched = batched.unwrap();
        let alone = model().embed_single(text).await.unwrap();
        assert_eq!(batched.len(), model().dimension());
        let length: f64 = batched.iter().map(|&value| f64::from(value).powi(2)).sum();
        assert!((length - 1.0).abs() < 1e-5, "{}: {length}", sample.name);
        let same = cosine(&alone, &batched);
        assert!(same >= 0.9999, "{}: alone and batched {same}", sample.name);
        let agreed = cosine(&alone, reference);
        assert!(agreed >= 0.99, "{}: to the reference {agreed}", sample.name);
        if agreed < worst.0 {
            worst = (agreed, sample.name.clone());
        }
    }
    eprintln!("furthest from the reference: {worst:?}");
}

#[tokio::test]
async fn a_text_keeps_its_vector_and_its_place_beside_any_others() {
    let (samples, _) = fixture();
    let mut texts: Vec<String> = samples.into_iter().map(|sample| sample.text).collect();
    let few: Vec<String> = texts.split_off(43);
    let first = model().embed_batch(&few).await;
    texts.extend(few.into_iter().rev());
    let second = model().embed_batch(&texts).await;
    for (a, b) in first.iter().rev().zip(&second[43..]) {
        let same = cosine(a.as_ref().unwrap(), b.as_ref().unwrap());
        assert!(same >= 0.9999, "{same}");
    }
}

#[tokio::test]
async fn what_stands_beyond_the_limit_changes_nothing() {
    let page = "memory of an agent ".repeat(100);
    let a = model().embed_single(&format!("{page} sea")).await.unwrap();
    let b = model().embed_single(&format!("{page} sky")).await.unwrap();
    assert_eq!(a, b);
    // 128 tokens are what the tokenizer's file asks for; the model reads 256.
    let page = "memory of an agent ".repeat(40);
    let c = model().embed_single(&format!("{page} sea")).await.unwrap();
    let d = model().embed_single(&format!("{page} sky")).await.unwrap();
    assert_ne!(c, d);
}

#[tokio::test]
async fn a_megabyte_is_embedded_and_a_text_without_characters_fails_alone() {
    let texts = [
        "word ".repeat(200_000),
        "\u{200d}\u{200b}".to_owned(),
        "a".to_owned(),
        String::new(),
    ];
    let outcomes = model().embed_batch(&texts).await;
    assert!(outcomes[0].is_ok());
    assert!(outcomes[2].is_ok());
    for bad in [&outcomes[1], &outcomes[3]] {
        let error = bad.as_ref().unwrap_err();
        assert_eq!(error.code(), "model_failed");
        assert!(!error.is_transient());
    }
    assert!(model().embed_batch(&[]).await.is_empty());
}

#[tokio::test]
async fn many_callers_get_their_own_vectors() {
    let model = model();
    let texts: Vec<String> = (0..12).map(|n| format!("caller number {n}")).collect();
    let calls = texts.iter().map(|text| async move {
        let pair = model.embed_batch(&[text.clone(), "other".to_owned()]).await;
        (
            model.embed_single(text).await.unwrap(),
            pair[0].clone().unwrap(),
        )
    });
    for (alone, batched) in futures::future::join_all(calls).await {
        assert!(cosine(&alone, &batched) >= 0.9999);
    }
}

#[test]
fn the_built_in_model_says_what_it_is() {
    assert_eq!(model().model_id(), "all-MiniLM-L6-v2");
    assert_eq!(model().dimension(), 384);
    assert_eq!(model().max_input_tokens(), 256);
    assert_eq!(model().query_prefix(), "");
    assert!(model().ignores_case());
}

#[test]
fn a_failed_run_is_repeated_text_by_text() {
    let engine: &Arc<Engine> = &model().engine;
    let good = engine.words.encode("good").unwrap();
    let unknown = Tokens {
        ids: vec![101, 2_000_000, 102],
        types: vec![0; 3],
    };
    let outcomes = engine.run(&[&good, &unknown, &good], &engine.together);
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().code(), "model_failed");
}

/// A copy of the model's folder in which one file is replaced, or removed.
fn changed(file: &str, content: Option<&[u8]>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("1_Pooling")).unwrap();
    for name in [
        "model.onnx",
        "tokenizer.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
        "hirag-model.json",
    ] {
        if name != file {
            fs::copy(folder().join(name), copy.path().join(name)).unwrap();
        }
    }
    if let Some(content) = content {
        fs::write(copy.path().join(file), content).unwrap();
    }
    copy
}

#[test]
fn a_damaged_folder_is_refused_with_its_name_and_the_way_out() {
    let weights = fs::read(folder().join("model.onnx")).unwrap();
    let cases: [(&str, Option<&[u8]>, &str); 11] = [
        ("model.onnx", None, "model.onnx"),
        ("model.onnx", Some(b""), "model.onnx is empty"),
        ("model.onnx", Some(b"no model at all"), "model.onnx"),
        ("model.onnx", Some(&weights[..100]), "model.onnx"),
        (
            "model.onnx",
            Some(&weights[..weights.len() / 2]),
            "model.onnx",
        ),
        (
            "model.onnx",
            Some(&weights[..weights.len() - 9]),
            "model.onnx",
        ),
        ("hirag-model.json", Some(br#"{"model_bytes": 7}"#), "7"),
        ("tokenizer.json", None, "tokenizer.json"),
        ("tokenizer.json", Some(b"{}"), "tokenizer.json"),
        ("1_Pooling/config.json", Some(b"{}"), "pooling"),
        (
            "1_Pooling/config.json",
            Some(br#"{"word_embedding_dimension": 768, "pooling_mode_mean_tokens": true}"#),
            "384 components",
        ),
    ];
    for (file, content, expected) in cases {
        let folder = changed(file, content);
        let error = LocalModel::load(folder.path(), 1).unwrap_err();
        let message = error.to_string();
        assert_eq!(error.code(), "model_files");
        assert!(message.contains(expected), "{message} lacks {expected}");
        assert!(message.contains("make setup"), "{message}");
        assert!(
            message.contains(&folder.path().display().to_string()),
            "{message}"
        );
    }
}

#[test]
fn a_tokenizer_with_more_words_than_the_model_is_refused() {
    let text = fs::read_to_string(folder().join("tokenizer.json")).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&text).unwrap();
    tokenizer["model"]["vocab"]["unheardofword"] = 40_000.into();
    let folder = changed("tokenizer.json", Some(tokenizer.to_string().as_bytes()));
    let message = LocalModel::load(folder.path(), 1).unwrap_err().to_string();
    assert!(message.contains("probe"), "{message}");
}
