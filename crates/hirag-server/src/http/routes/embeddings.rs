//! Embeddings as OpenAI's interface gives them, by the configured provider.

use axum::Json as Answer;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::http::extract::{Json, invalid};
use crate::http::{Api, Problem};

/// Texts of one request at most.
const TEXTS: usize = 2_048;

/// Texts to embed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmbeddingsRequest {
    /// One text, or up to 2048.
    input: Input,
    /// Taken for compatibility: the configured model embeds, and the answer names it.
    #[serde(default)]
    #[schema(example = "all-MiniLM-L6-v2")]
    #[expect(dead_code, reason = "what the settings name embeds")]
    model: Option<String>,
    /// How a vector is written.
    #[serde(default)]
    encoding_format: Encoding,
    /// The length of the vectors, if it is the model's own; no other can be had.
    #[serde(default)]
    #[schema(minimum = 1)]
    dimensions: Option<usize>,
    /// Taken for compatibility, and not kept.
    #[serde(default)]
    #[expect(dead_code, reason = "who asks is not kept")]
    user: Option<String>,
}

/// One text or several.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
enum Input {
    /// One.
    One(Text),
    /// Several.
    Many(Texts),
}

/// A text.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(min_length = 1, max_length = 1_048_576, example = "a text")]
struct Text(String);

/// Texts, up to 2048.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(min_items = 1, max_items = 2_048)]
struct Texts(Vec<Text>);

/// How a vector is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    /// As numbers.
    #[default]
    Float,
    /// As base64 of its little-endian 32-bit floats.
    Base64,
}

/// The vectors.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EmbeddingsAnswer {
    /// `list`.
    object: &'static str,
    /// One a text, in their order.
    data: Vec<Embedding>,
    /// The model that embedded.
    model: String,
    /// What it took.
    usage: Usage,
}

/// The vector of a text.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Embedding {
    /// `embedding`.
    object: &'static str,
    /// Which of the texts, from 0.
    index: usize,
    /// The vector.
    embedding: Written,
}

/// A vector as it was asked for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum Written {
    /// Numbers.
    Float(Vec<f32>),
    /// Base64 of little-endian 32-bit floats.
    Base64(String),
}

/// Tokens, by the configured estimator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Usage {
    /// Of the texts.
    prompt_tokens: u64,
    /// The same.
    total_tokens: u64,
}

/// Embed texts
///
/// As OpenAI's interface: any of its clients can be pointed here, with the token as its key. Errors
/// have OpenAI's form, too.
#[utoipa::path(
    post,
    path = "/v1/embeddings",
    tag = "embeddings",
    request_body = EmbeddingsRequest,
    responses((status = 200, description = "The vectors", body = EmbeddingsAnswer)),
)]
pub(super) async fn embeddings(
    State(api): State<Api>,
    Json(request): Json<EmbeddingsRequest>,
) -> Result<Answer<EmbeddingsAnswer>, Problem> {
    let texts = match request.input {
        Input::One(Text(text)) => vec![text],
        Input::Many(Texts(texts)) => texts.into_iter().map(|Text(text)| text).collect(),
    };
    if !(1..=TEXTS).contains(&texts.len()) {
        let detail = format!("input has {} texts; it must have 1 to {TEXTS}", texts.len());
        return Err(invalid(detail));
    }
    let host = api.studio().host().await?;
    let embedded = host.manager().embed_texts(texts).await?;
    let length = embedded.vectors.first().map(Vec::len);
    if let (Some(wanted), Some(length)) = (request.dimensions, length)
        && wanted != length
    {
        let detail = format!("dimensions is {wanted}; the model has {length}, and no other length");
        return Err(invalid(detail));
    }
    let data = embedded
        .vectors
        .into_iter()
        .enumerate()
        .map(|(index, vector)| Embedding {
            object: "embedding",
            index,
            embedding: match request.encoding_format {
                Encoding::Float => Written::Float(vector),
                Encoding::Base64 => {
                    let bytes: Vec<u8> =
                        vector.iter().flat_map(|part| part.to_le_bytes()).collect();
                    Written::Base64(STANDARD.encode(bytes))
                }
            },
        });
    Ok(Answer(EmbeddingsAnswer {
        object: "list",
        data: data.collect(),
        model: embedded.model,
        usage: Usage {
            prompt_tokens: embedded.tokens,
            total_tokens: embedded.tokens,
        },
    }))
}
