//! Stretches of time, in each other.

use std::time::Duration;

use serde::Serialize;

/// Where the time of one operation went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Bytes by which the process grew in the machine's memory meanwhile, or shrank; null where the
    /// system does not tell.
    pub memory_bytes: Option<i64>,
    /// The operation with its parts.
    pub root: ProfilePart,
}

/// What has one name in one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProfilePart {
    /// What was done.
    pub name: String,
    /// How often.
    pub runs: u64,
    /// Microseconds from begin to end, all runs together, with waiting. Parts that went on at once are
    /// more together than what they are parts of.
    pub total_us: u64,
    /// Microseconds of these that are no part's.
    pub self_us: u64,
    /// Its share of the whole operation's time, 0 to 1; of much that went on at once, more.
    pub share: f64,
    /// Its parts, the longest first.
    pub parts: Vec<ProfilePart>,
}

/// One place while it is being recorded; its number is its place in a list.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    pub(super) runs: u64,
    pub(super) total: Duration,
}

/// The first node with all that is in it; `None` where there is none.
pub(super) fn tree(nodes: &[Node]) -> Option<ProfilePart> {
    let whole = nodes.first()?.total;
    Some(part(nodes, 0, whole))
}

fn part(nodes: &[Node], number: usize, whole: Duration) -> ProfilePart {
    let node = &nodes[number];
    let within = |other: &Node| other.parent == Some(number) && other.runs > 0;
    let mut parts: Vec<ProfilePart> = nodes
        .iter()
        .enumerate()
        .filter(|(_, other)| within(other))
        .map(|(number, _)| part(nodes, number, whole))
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.total_us));
    let inside: u64 = parts.iter().map(|part| part.total_us).sum();
    let total_us = micros(node.total);
    ProfilePart {
        name: node.name.clone(),
        runs: node.runs,
        total_us,
        self_us: total_us.saturating_sub(inside),
        share: match whole.is_zero() {
            true => 0.0,
            false => node.total.as_secs_f64() / whole.as_secs_f64(),
        },
        parts,
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
