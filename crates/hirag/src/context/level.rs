use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::ContextError;

/// The three levels of the memory, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ContextLevel {
    /// L1: the working set, held in memory over its stored rows.
    Immediate,
    /// L2: expires, or is promoted by use.
    ShortTerm,
    /// L3: keeps.
    LongTerm,
}

impl ContextLevel {
    /// All levels, nearest first.
    pub const ALL: [Self; 3] = [Self::Immediate, Self::ShortTerm, Self::LongTerm];

    /// 1, 2 or 3: how the level is stored.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Immediate => 1,
            Self::ShortTerm => 2,
            Self::LongTerm => 3,
        }
    }

    /// The level of a stored number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Immediate),
            2 => Some(Self::ShortTerm),
            3 => Some(Self::LongTerm),
            _ => None,
        }
    }

    /// 0, 1 or 2: the place in arrays that hold one value a level.
    #[must_use]
    pub const fn index(self) -> usize {
        self.number() as usize - 1
    }
}

impl fmt::Display for ContextLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Immediate => "Immediate",
            Self::ShortTerm => "ShortTerm",
            Self::LongTerm => "LongTerm",
        })
    }
}

impl FromStr for ContextLevel {
    type Err = ContextError;

    /// Accepts `L1`, `1`, `immediate`, `Immediate`, `short_term`, `short-term`, `ShortTerm` and so on.
    fn from_str(s: &str) -> Result<Self, ContextError> {
        let plain: String = s
            .trim()
            .chars()
            .filter(|c| !matches!(c, '_' | '-' | ' '))
            .flat_map(char::to_lowercase)
            .collect();
        match plain.as_str() {
            "l1" | "1" | "immediate" => Ok(Self::Immediate),
            "l2" | "2" | "shortterm" => Ok(Self::ShortTerm),
            "l3" | "3" | "longterm" => Ok(Self::LongTerm),
            _ => Err(ContextError::UnknownLevel(s.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for ContextLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_on_the_wire_and_their_short_forms_are_accepted() {
        for (names, level) in [
            (
                ["L1", "immediate", "Immediate", "1"],
                ContextLevel::Immediate,
            ),
            (
                ["l2", "short_term", "ShortTerm", "short-term"],
                ContextLevel::ShortTerm,
            ),
            (
                ["L3", "LONG_TERM", "longterm", " 3 "],
                ContextLevel::LongTerm,
            ),
        ] {
            for name in names {
                assert_eq!(name.parse::<ContextLevel>().unwrap(), level, "{name}");
            }
            assert_eq!(level.to_string().parse::<ContextLevel>().unwrap(), level);
            assert_eq!(ContextLevel::from_number(level.number()), Some(level));
        }
        assert_eq!(
            "L4".parse::<ContextLevel>().unwrap_err().code(),
            "unknown_level"
        );
    }
}
