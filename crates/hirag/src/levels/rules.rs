use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::context::ContextLevel;
use crate::store::sqlite::CleanUpRules;

/// When a context that arrives in `level` at `now` expires by the level's time-to-live.
#[must_use]
pub fn expiry(config: &Config, level: ContextLevel, now: Timestamp) -> Option<Timestamp> {
    let ttl = match level {
        ContextLevel::Immediate => None,
        ContextLevel::ShortTerm => config.levels.l2_ttl.duration(),
        ContextLevel::LongTerm => config.levels.l3_ttl.duration(),
    };
    ttl.map(|ttl| now.checked_add(ttl).unwrap_or(Timestamp::MAX))
}

/// The rules of a clean-up at `now`, from the settings.
#[must_use]
pub fn clean_up_rules(config: &Config, now: Timestamp) -> CleanUpRules {
    let expiry_ms = |level| expiry(config, level, now).map(|at| at.as_millisecond());
    CleanUpRules {
        l1_size: config.hirag.l1_size as u64,
        l2_size: config.hirag.l2_size as u64,
        l3_enabled: config.hirag.l3_enabled,
        promotion: Some(config.levels.promotion).filter(|accesses| *accesses > 0),
        l2_expiry_ms: expiry_ms(ContextLevel::ShortTerm),
        l3_expiry_ms: expiry_ms(ContextLevel::LongTerm),
        purge_before_ms: before(now, config.levels.purge_after.duration()).as_millisecond(),
    }
}

/// `now` less `age`; as early as there is where it does not reach.
pub(crate) fn before(now: Timestamp, age: Duration) -> Timestamp {
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_levels_with_a_time_to_live_expire() {
        let config = Config::from_toml("[levels]\nl2_ttl = \"1h\"\nl3_ttl = \"never\"").unwrap();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(expiry(&config, ContextLevel::Immediate, now), None);
        assert_eq!(expiry(&config, ContextLevel::LongTerm, now), None);
        let l2 = expiry(&config, ContextLevel::ShortTerm, now).unwrap();
        assert_eq!(l2.as_second(), 3_600);
    }

    #[test]
    fn no_promotion_is_zero_accesses() {
        let config = Config::from_toml("[levels]\npromotion = 0").unwrap();
        assert_eq!(
            clean_up_rules(&config, Timestamp::UNIX_EPOCH).promotion,
            None
        );
    }
}
