//! When what a cache holds was used last, so that the less used half can go when memory is short.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts uses, in their order.
#[derive(Debug, Default)]
pub(crate) struct Uses(AtomicU64);

/// A thing with its last use.
#[derive(Debug, Clone)]
pub(crate) struct Used<T> {
    thing: T,
    last: Arc<AtomicU64>,
}

impl Uses {
    /// A thing that is used now.
    pub(crate) fn begin<T>(&self, thing: T) -> Used<T> {
        let used = Used {
            thing,
            last: Arc::default(),
        };
        self.again(&used);
        used
    }

    /// Notes that a thing is used now.
    pub(crate) fn again<T>(&self, used: &Used<T>) {
        let now = self.0.fetch_add(1, Ordering::Relaxed);
        used.last.store(now, Ordering::Relaxed);
    }
}

impl<T> Used<T> {
    pub(crate) fn into_inner(self) -> T {
        self.thing
    }
}

impl<T> Deref for Used<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.thing
    }
}

/// The keys of the half whose last use is longest ago; of an odd number, the larger half.
pub(crate) fn less_used_half<K, T>(entries: impl Iterator<Item = (K, Used<T>)>) -> Vec<K> {
    let mut keys: Vec<(u64, K)> = entries
        .map(|(key, used)| (used.last.load(Ordering::Relaxed), key))
        .collect();
    keys.sort_unstable_by_key(|(last, _)| *last);
    keys.truncate(keys.len().div_ceil(2));
    keys.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_again_stays() {
        let uses = Uses::default();
        let things: Vec<_> = (0..5).map(|number| uses.begin(number)).collect();
        uses.again(&things[0]);
        let entries = things.iter().map(|thing| (**thing, thing.clone()));
        assert_eq!(less_used_half(entries), [1, 2, 3]);
    }
}
