//! What the clients ask for, and how often which.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::LoadError;

/// The weight of an operation at most.
const HEAVIEST: u32 = 1_000;

/// Something that a client asks for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ts_rs::TS,
)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "LoadOperation")]
pub enum Operation {
    /// `POST /api/v1/contexts`
    Store,
    /// `POST /api/v1/contexts/search`
    Search,
    /// `GET /health`
    Health,
    /// `GET /metrics`
    Metrics,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Store, Self::Search, Self::Health, Self::Metrics];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Search => "search",
            Self::Health => "health",
            Self::Metrics => "metrics",
        }
    }
}

/// An operation's share of all requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
#[ts(rename = "LoadShare")]
pub struct Share {
    /// What is asked for.
    pub operation: Operation,
    /// How often, against the other weights; 1 to 1000.
    pub weight: u32,
}

/// Reads `search=8,store=1`; an operation without a weight has the weight 1.
///
/// # Errors
/// [`LoadError::BadMix`] for an unknown or repeated operation, and for a weight that is not allowed.
pub fn parse_mix(text: &str) -> Result<Vec<Share>, LoadError> {
    let part = |part: &str| {
        let bad = |reason: String| LoadError::BadMix {
            mix: part.trim().to_owned(),
            reason,
        };
        let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
        let name = name.trim();
        let known = Operation::ALL.into_iter().find(|one| one.as_str() == name);
        let operation = known.ok_or_else(|| bad(format!("there is no operation `{name}`")))?;
        let weight = weight.trim().parse();
        let weight = weight.map_err(|_| bad("a weight is a whole number".to_owned()))?;
        Ok(Share { operation, weight })
    };
    let shares: Vec<Share> = text
        .split(',')
        .map(part)
        .collect::<Result<_, LoadError>>()?;
    check(&shares)?;
    Ok(shares)
}

/// Refuses a mix of nothing, of repetitions, or of weights that are not allowed.
pub(super) fn check(shares: &[Share]) -> Result<(), LoadError> {
    let bad = |reason: &str| LoadError::BadMix {
        mix: told(shares),
        reason: reason.to_owned(),
    };
    if shares.is_empty() {
        return Err(bad("there is nothing in it"));
    }
    for (place, share) in shares.iter().enumerate() {
        if !(1..=HEAVIEST).contains(&share.weight) {
            return Err(bad("a weight is between 1 and 1000"));
        }
        let before = &shares[..place];
        if before.iter().any(|one| one.operation == share.operation) {
            return Err(bad("an operation is in it twice"));
        }
    }
    Ok(())
}

/// As [`parse_mix`] reads it.
pub(super) fn told(shares: &[Share]) -> String {
    let parts = shares
        .iter()
        .map(|share| format!("{}={}", share.operation.as_str(), share.weight));
    parts.collect::<Vec<_>>().join(",")
}

/// Takes an operation by the weights.
pub(super) fn choose(shares: &[Share], rng: &mut impl Rng) -> Operation {
    let all = shares.iter().map(|share| share.weight).sum::<u32>().max(1);
    let mut left = rng.random_range(0..all);
    for share in shares {
        if left < share.weight {
            return share.operation;
        }
        left -= share.weight;
    }
    Operation::Search
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn weights_are_read_and_one_is_what_is_left_out() {
        let mix = parse_mix("search=8, store = 1,health").unwrap();
        assert_eq!(told(&mix), "search=8,store=1,health=1");
    }

    #[test]
    fn what_cannot_be_a_mix_is_refused_with_its_part() {
        for (mix, word) in [
            ("delete", "`delete`"),
            ("search=8,Store", "`Store`"),
            ("search=many", "whole number"),
            ("search=-1", "whole number"),
            ("search=0", "between 1 and 1000"),
            ("search=1001", "between 1 and 1000"),
            ("search,search=2", "twice"),
            ("", "no operation ``"),
            ("search,,store", "no operation ``"),
        ] {
            let error = parse_mix(mix).unwrap_err();
            assert_eq!(error.code(), "invalid_mix", "{mix}");
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(check(&[]).unwrap_err().code(), "invalid_mix");
    }

    #[test]
    fn operations_come_as_often_as_their_weights_say() {
        let mix = parse_mix("search=8,store=2").unwrap();
        let mut rng = SmallRng::seed_from_u64(7);
        let stores = (0..10_000)
            .filter(|_| choose(&mix, &mut rng) == Operation::Store)
            .count();
        assert!((1_800..2_200).contains(&stores), "{stores}");
    }
}
