//! From one vector a token to one vector a text.

use serde::Deserialize;

use crate::embedding::Vector;

/// How the vectors of a text's tokens become the text's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pooling {
    /// Their mean.
    Mean,
    /// The first one's, that of the `[CLS]` token.
    Cls,
}

impl Pooling {
    /// The unit vector of a text from its tokens' vectors, `dimension` numbers each, without
    /// those of the padding. `None` when they have no direction: NaN, infinity or all zero.
    pub(super) fn pool(self, tokens: &[f32], dimension: usize) -> Option<Vector> {
        let mut pooled = vec![0.0_f32; dimension];
        let used = match self {
            Self::Mean => tokens,
            Self::Cls => tokens.get(..dimension)?,
        };
        for token in used.chunks_exact(dimension) {
            for (sum, value) in pooled.iter_mut().zip(token) {
                *sum += value;
            }
        }
        // The mean differs from the sum only in length, which is set to 1 here.
        let square: f64 = pooled.iter().map(|&value| f64::from(value).powi(2)).sum();
        let length = square.sqrt();
        if !length.is_finite() || length < f64::from(f32::MIN_POSITIVE) {
            return None;
        }
        for value in &mut pooled {
            *value = (f64::from(*value) / length) as f32;
        }
        Some(pooled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_points_between_the_tokens_and_has_length_one() {
        let vector = Pooling::Mean.pool(&[2.0, 0.0, 0.0, 2.0], 2).unwrap();
        let half = std::f32::consts::FRAC_1_SQRT_2;
        assert!(vector.iter().all(|value| (value - half).abs() < 1e-6));
    }

    #[test]
    fn cls_takes_the_first_token_alone() {
        assert_eq!(
            Pooling::Cls.pool(&[0.0, 3.0, 9.0, 9.0], 2).unwrap(),
            [0.0, 1.0]
        );
    }

    #[test]
    fn what_has_no_direction_gives_no_vector() {
        for tokens in [[0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            assert_eq!(Pooling::Mean.pool(&tokens, 2), None);
        }
        assert_eq!(Pooling::Cls.pool(&[], 2), None);
    }
}
