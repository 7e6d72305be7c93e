//! Lengths of time in settings.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Milliseconds of each unit, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
/// A hundred years: anything longer is a mistake, and stays far from overflow.
const LONGEST_MS: u64 = 100 * 365 * 86_400_000;
const RULE: &str = "must be seconds, or a number with a unit (`100ms`, `30s`, `5m`, `12h`, `7d`), \
                    from 0 to 36500d in whole milliseconds";

/// A length of time in whole milliseconds, 0 to 100 years. In TOML: a number of seconds, or text
/// with a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Period(u64);

impl Period {
    /// So many milliseconds, at most 100 years.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis > LONGEST_MS {
            LONGEST_MS
        } else {
            millis
        })
    }

    /// So many seconds, at most 100 years.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(1_000))
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// Milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whether it has no length.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "checked to lie within 0 and LONGEST_MS, which f64 holds exactly"
    )]
    fn from_number(number: f64, unit_ms: u64) -> Option<Self> {
        let millis = number * unit_ms as f64;
        let rounded = millis.round();
        // A length below a millisecond would silently become none at all.
        let lost = rounded == 0.0 && millis > 0.0;
        (millis >= 0.0 && rounded <= LONGEST_MS as f64 && !lost).then_some(Self(rounded as u64))
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.duration()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (unit, millis) in UNITS {
            if self.0.is_multiple_of(millis) {
                return write!(f, "{}{unit}", self.0 / millis);
            }
        }
        Ok(())
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim();
        let unit_ms = match unit {
            "" => Some(1_000),
            _ => UNITS.iter().find(|(name, _)| *name == unit).map(|u| u.1),
        };
        number
            .parse()
            .ok()
            .zip(unit_ms)
            .and_then(|(number, unit_ms)| Self::from_number(number, unit_ms))
            .ok_or_else(|| RULE.to_owned())
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PeriodVisitor)
    }
}

struct PeriodVisitor;

impl Visitor<'_> for PeriodVisitor {
    type Value = Period;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RULE)
    }

    fn visit_i64<E: de::Error>(self, secs: i64) -> Result<Period, E> {
        u64::try_from(secs)
            .map_err(|_| E::custom(RULE))
            .and_then(|secs| self.visit_u64(secs))
    }

    fn visit_u64<E: de::Error>(self, secs: u64) -> Result<Period, E> {
        if secs > LONGEST_MS / 1_000 {
            return Err(E::custom(RULE));
        }
        Ok(Period::from_secs(secs))
    }

    fn visit_f64<E: de::Error>(self, secs: f64) -> Result<Period, E> {
        Period::from_number(secs, 1_000).ok_or_else(|| E::custom(RULE))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Period, E> {
        text.parse().map_err(E::custom)
    }
}

/// How long something is kept: a [`Period`] above 0, or for ever. In TOML, `"never"` (it never
/// expires) and 0 both mean for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Ttl(Option<Period>);

impl Ttl {
    /// For ever.
    pub const NEVER: Self = Self(None);

    /// So long; for ever if the period is 0.
    #[must_use]
    pub fn after(period: Period) -> Self {
        Self((!period.is_zero()).then_some(period))
    }

    /// The time to live; `None` is for ever.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        self.0.map(Period::duration)
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(period) => period.fmt(f),
            None => f.write_str("never"),
        }
    }
}

impl FromStr for Ttl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "never" {
            return Ok(Self::NEVER);
        }
        text.parse()
            .map(Self::after)
            .map_err(|rule: String| format!("{rule}, or be `never`"))
    }
}

impl Serialize for Ttl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TtlVisitor;
        impl Visitor<'_> for TtlVisitor {
            type Value = Ttl;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{RULE}, or `never`")
            }

            fn visit_i64<E: de::Error>(self, secs: i64) -> Result<Ttl, E> {
                PeriodVisitor.visit_i64(secs).map(Ttl::after)
            }

            fn visit_u64<E: de::Error>(self, secs: u64) -> Result<Ttl, E> {
                PeriodVisitor.visit_u64(secs).map(Ttl::after)
            }

            fn visit_f64<E: de::Error>(self, secs: f64) -> Result<Ttl, E> {
                PeriodVisitor.visit_f64(secs).map(Ttl::after)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Ttl, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(TtlVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_and_bare_seconds_are_read() {
        let cases = [
            ("100ms", 100),
            ("30s", 30_000),
            ("5m", 300_000),
            ("12h", 43_200_000),
            ("7d", 604_800_000),
            ("1.5s", 1_500),
            ("30", 30_000),
            (" 2 s ", 2_000),
            ("0", 0),
        ];
        for (text, millis) in cases {
            assert_eq!(text.parse(), Ok(Period::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn nonsense_negative_tiny_and_endless_periods_are_refused() {
        for text in [
            "", "s", "-1s", "1.2.3s", "5 weeks", "1e9d", "36501d", "0.1ms", "NaN",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn never_and_zero_mean_for_ever() {
        assert_eq!("never".parse(), Ok(Ttl::NEVER));
        assert_eq!("0".parse(), Ok(Ttl::NEVER));
        assert_eq!("7d".parse::<Ttl>().unwrap().to_string(), "7d");
        assert!("always".parse::<Ttl>().unwrap_err().contains("never"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back_exactly(millis in 0..=LONGEST_MS) {
            let period = Period::from_millis(millis);
            prop_assert_eq!(period.to_string().parse(), Ok(period));
            let ttl = Ttl::after(period);
            prop_assert_eq!(ttl.to_string().parse(), Ok(ttl));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Ttl>();
        }
    }
}
