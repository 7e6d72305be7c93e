//! Text to the model's token ids.

use std::path::Path;

use tokenizers::{NormalizerWrapper, Tokenizer, TruncationParams};

use crate::embedding::EmbeddingError;

/// Bytes a token at most, on average, so that a long text is not read to its end in vain.
const BYTES_PER_TOKEN: usize = 64;

/// A text as the model reads it, special tokens included, without padding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tokens {
    pub(super) ids: Vec<i32>,
    pub(super) types: Vec<i32>,
}

pub(super) struct Words {
    tokenizer: Tokenizer,
    max_tokens: usize,
    /// Tokens that stand in every text, such as `[CLS]` and `[SEP]`.
    frame: usize,
    padding: i32,
}

impl Words {
    /// Reads `tokenizer.json`. The error is a reason.
    pub(super) fn load(file: &Path, max_tokens: usize) -> Result<Self, String> {
        let reason = |error| format!("tokenizer.json: {error}");
        let mut tokenizer = Tokenizer::from_file(file).map_err(reason)?;
        // Such files carry the lengths of a training run, here a fixed 128: the model reads more,
        // and each run is padded to its own longest text.
        let padding = tokenizer.get_padding().map(|padding| padding.pad_id);
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(Some(TruncationParams {
                max_length: max_tokens,
                ..TruncationParams::default()
            }))
            .map_err(reason)?;
        let padding = padding
            .or_else(|| tokenizer.token_to_id("[PAD]"))
            .or_else(|| tokenizer.token_to_id("<pad>"))
            .unwrap_or(0);
        let frame = tokenizer.encode_fast("", true).map_err(reason)?.len();
        Ok(Self {
            tokenizer,
            max_tokens,
            frame,
            padding: signed(padding),
        })
    }

    /// The tokens of a text, cut to the model's limit.
    ///
    /// # Errors
    ///
    /// A text in which the model sees nothing, such as one of zero-width characters: its vector
    /// would be the same for every such text.
    pub(super) fn encode(&self, text: &str) -> Result<Tokens, EmbeddingError> {
        let end = text.floor_char_boundary(self.max_tokens * BYTES_PER_TOKEN);
        let encoding = self
            .tokenizer
            .encode_fast(&text[..end], true)
            .map_err(|error| EmbeddingError::Model(error.to_string()))?;
        if encoding.len() <= self.frame {
            return Err(EmbeddingError::Model(
                "the text holds no character that the model can read; give it words".to_owned(),
            ));
        }
        Ok(Tokens {
            ids: encoding.get_ids().iter().copied().map(signed).collect(),
            types: encoding
                .get_type_ids()
                .iter()
                .copied()
                .map(signed)
                .collect(),
        })
    }

    /// A text with the highest id there is, to see whether the model knows as many words.
    pub(super) fn probe(&self) -> Result<Tokens, EmbeddingError> {
        let mut tokens = self.encode("probe")?;
        let highest = self.tokenizer.get_vocab(true).into_values().max();
        tokens.ids.extend(highest.map(signed));
        tokens.types.resize(tokens.ids.len(), 0);
        Ok(tokens)
    }

    /// Whether capitals are read as small letters.
    pub(super) fn ignores_case(&self) -> bool {
        match self.tokenizer.get_normalizer() {
            Some(NormalizerWrapper::BertNormalizer(bert)) => bert.lowercase,
            Some(NormalizerWrapper::Lowercase(_)) => true,
            _ => false,
        }
    }

    /// The id that fills up the shorter texts of a run.
    pub(super) fn padding(&self) -> i32 {
        self.padding
    }
}

/// The runtime takes the 64-bit inputs of a model as 32-bit ones. No vocabulary comes near 2³¹.
fn signed(id: u32) -> i32 {
    i32::try_from(id).unwrap_or(i32::MAX)
}
