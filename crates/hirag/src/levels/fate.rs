//! What the levels' rules will do with a context, told before they do it.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;
use crate::context::{Context, ContextLevel};
use crate::store::sqlite::Standing;

/// Something that will become of a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Fate {
    /// What, and why.
    pub sentence: String,
    /// When; `None` where it depends on what happens, or never does.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub at: Option<Timestamp>,
}

/// What will become of `context`, seen from `now`; the clean-up runs every `levels.gc_interval`.
/// `standing` is its place among those that compete for their level, if it does.
#[must_use]
pub fn fates(
    context: &Context,
    standing: Option<Standing>,
    config: &Config,
    now: Timestamp,
) -> Vec<Fate> {
    let mut fates = Vec::new();
    let mut say = |sentence: String, at| fates.push(Fate { sentence, at });
    let purge_after = config.levels.purge_after;
    if let Some(deleted) = context.deleted_at {
        let at = deleted.checked_add(purge_after.duration());
        say(
            format!(
                "It is marked as deleted. It can be brought back until it is removed for good, \
                 {purge_after} after the mark (`levels.purge_after`)."
            ),
            Some(at.unwrap_or(Timestamp::MAX)),
        );
        return fates;
    }
    if let Some(at) = context.expires_at {
        let when = if at <= now {
            "Its time is over: the next clean-up marks it as deleted"
        } else {
            "It expires: from then on it is no longer found, and the next clean-up marks it as \
             deleted"
        };
        say(
            format!("{when}; for {purge_after} it can be brought back."),
            Some(at),
        );
    }
    let moves = match context.level {
        ContextLevel::Immediate => standing.map(|standing| eviction(standing, config)),
        ContextLevel::ShortTerm if config.hirag.l3_enabled => {
            overflow(standing, config).or_else(|| promotion(context, config))
        }
        ContextLevel::ShortTerm | ContextLevel::LongTerm => None,
    };
    let stays = moves.is_none();
    if let Some(sentence) = moves {
        say(sentence, None);
    }
    if context.expires_at.is_none() && stays {
        say(
            format!(
                "It stays in {} until someone moves or deletes it.",
                context.level
            ),
            None,
        );
    }
    fates
}

fn eviction(standing: Standing, config: &Config) -> String {
    let size = config.hirag.l1_size as u64;
    let place = standing.before_it + 1;
    if place > size {
        return format!(
            "{place} contexts, it included, are in the working set of {size} (`hirag.l1_size`), \
             and it was used least recently: the next clean-up moves it to L2."
        );
    }
    let left = size - standing.before_it;
    let others = if left == 1 { "context" } else { "contexts" };
    format!(
        "It is number {place} by last use in the working set of {size} (`hirag.l1_size`). When \
         {left} more {others} are stored or found after it, it moves to L2."
    )
}

fn promotion(context: &Context, config: &Config) -> Option<String> {
    let needed = config.levels.promotion;
    if needed == 0 {
        return None;
    }
    let so_far = context.access_count;
    Some(if so_far >= needed {
        format!(
            "It was found {so_far} times, at least the {needed} that promote (`levels.promotion`): \
             the next clean-up moves it to L3."
        )
    } else {
        let left = needed - so_far;
        let times = if left == 1 { "time" } else { "times" };
        format!(
            "When it is found {left} more {times}, it is promoted to L3 (`levels.promotion` = {needed}, so \
             far {so_far})."
        )
    })
}

fn overflow(standing: Option<Standing>, config: &Config) -> Option<String> {
    let size = config.hirag.l2_size as u64;
    let standing = standing.filter(|standing| standing.before_it >= size)?;
    Some(format!(
        "{} contexts compete for the {size} places of L2 (`hirag.l2_size`), and it is among the \
         least recently used: the next clean-up moves it to L3.",
        standing.competing
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{ContentHash, ContextId, EmbeddingState, Metadata};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn context(level: ContextLevel) -> Context {
        Context {
            id: ContextId::new(at(0)),
            text: "text".to_owned(),
            level,
            agent: None,
            session: None,
            created_at: at(0),
            updated_at: at(0),
            accessed_at: at(0),
            access_count: 0,
            token_count: 1,
            content_hash: ContentHash::of("text"),
            metadata: Metadata::default(),
            source: None,
            source_key: None,
            expires_at: None,
            deleted_at: None,
            embedding: EmbeddingState::Ready,
            position: 0,
        }
    }

    fn told(context: &Context, standing: Standing, settings: &str) -> Vec<Fate> {
        fates(
            context,
            Some(standing),
            &Config::from_toml(settings).unwrap(),
            at(1_000),
        )
    }

    #[test]
    fn the_working_set_tells_how_many_more_push_a_context_out() {
        let fate = told(
            &context(ContextLevel::Immediate),
            Standing {
                before_it: 2,
                competing: 3,
            },
            "[hirag]\nl1_size = 5",
        );
        assert_eq!(fate.len(), 1);
        assert!(fate[0].sentence.contains("number 3") && fate[0].sentence.contains("When 3 more"));
        let fate = told(
            &context(ContextLevel::Immediate),
            Standing {
                before_it: 5,
                competing: 6,
            },
            "[hirag]\nl1_size = 5",
        );
        assert!(fate[0].sentence.contains("moves it to L2"), "{fate:?}");
    }

    #[test]
    fn a_promotion_counts_down_and_an_expiry_has_its_time() {
        let mut context = context(ContextLevel::ShortTerm);
        context.access_count = 4;
        context.expires_at = Some(at(2_000));
        let fate = told(&context, Standing::default(), "[levels]\npromotion = 5");
        assert_eq!(fate[0].at, Some(at(2_000)));
        assert!(fate[1].sentence.contains("found 1 more time,"), "{fate:?}");
        context.access_count = 5;
        let fate = told(&context, Standing::default(), "[levels]\npromotion = 5");
        assert!(fate[1].sentence.contains("next clean-up moves it to L3"));
    }

    #[test]
    fn without_promotion_only_an_overflow_moves_to_l3_and_nothing_does_without_l3() {
        let crowded = Standing {
            before_it: 7,
            competing: 9,
        };
        let context = context(ContextLevel::ShortTerm);
        let fate = told(
            &context,
            crowded,
            "[levels]\npromotion = 0\n[hirag]\nl2_size = 7",
        );
        assert!(fate[0].sentence.contains("hirag.l2_size"), "{fate:?}");
        let fate = told(
            &context,
            crowded,
            "[hirag]\nl3_enabled = false\nl2_size = 7",
        );
        assert!(fate[0].sentence.contains("stays in"), "{fate:?}");
    }

    #[test]
    fn what_is_deleted_has_only_its_purge_before_it() {
        let mut context = context(ContextLevel::LongTerm);
        context.deleted_at = Some(at(500));
        context.expires_at = Some(at(600));
        let fate = told(
            &context,
            Standing::default(),
            "[levels]\npurge_after = \"1h\"",
        );
        assert_eq!(fate.len(), 1);
        assert_eq!(fate[0].at, Some(at(4_100)));
    }
}
