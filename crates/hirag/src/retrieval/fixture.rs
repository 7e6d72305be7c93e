//! Candidates and settings for the tests of this folder.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    Candidate, Candidates, Exclusion, RankingWeights, RetrievalSettings, RetrievalStrategy,
    SelectionRequest,
};
use crate::context::{ContextId, ContextLevel, SearchMode};

pub(super) const NOW_MS: i64 = 1_800_000_000_000;
pub(super) const DAY_MS: i64 = 86_400_000;

pub(super) fn id(number: u64) -> ContextId {
    ContextId::from_bytes(u128::from(number).to_be_bytes())
}

/// A candidate of 100 tokens in L3, created now, that nothing speaks for, with a text of its own.
pub(super) fn candidate(number: u64) -> Candidate {
    Candidate {
        id: id(number),
        level: ContextLevel::LongTerm,
        tokens: 100,
        created_ms: NOW_MS,
        updated_ms: NOW_MS,
        access_count: 0,
        text_key: number,
        cosine: None,
        bm25: None,
        overlap: 0.0,
        phrase: false,
        neighbours: [None, None],
        excluded: None,
    }
}

pub(super) fn settings() -> RetrievalSettings {
    RetrievalSettings {
        relevance_threshold: 0.0,
        strategy: RetrievalStrategy {
            l1_allocation: 0.3,
            l2_allocation: 0.4,
            l3_allocation: 0.3,
            min_contexts_per_level: 1,
            vector_weight: 0.5,
            neighbour_weight: 0.4,
            phrase_boost: 1.2,
            recency_tau_days: 30.0,
        },
        weights: RankingWeights {
            similarity: 0.7,
            recency: 0.1,
            level: 0.1,
            frequency: 0.1,
        },
    }
}

pub(super) fn request(max_tokens: u32) -> SelectionRequest {
    SelectionRequest {
        mode: SearchMode::Hybrid,
        max_tokens,
        limit: None,
        now_ms: NOW_MS,
    }
}

pub(super) fn any_level() -> impl Strategy<Value = ContextLevel> {
    prop::sample::select(ContextLevel::ALL.to_vec())
}

/// Few distinct scores, texts and times, so that ties and duplicates are common.
fn any_candidate() -> impl Strategy<Value = Candidate> {
    (
        any_level(),
        0u32..400,
        (0i64..5, 0i64..3, 0u32..200),
        0u64..40,
        (
            prop::option::weighted(0.8, -2i8..10),
            prop::option::of(1u8..10),
            prop::bool::weighted(0.1),
        ),
        (prop::option::of(0u32..40), prop::option::of(0u32..40)),
        prop::option::weighted(
            0.2,
            prop::sample::select(vec![Exclusion::Level, Exclusion::Filter]),
        ),
    )
        .prop_map(
            |(level, tokens, (days, changed, access_count), text_key, scores, near, excluded)| {
                let (cosine, bm25, phrase) = scores;
                Candidate {
                    level,
                    tokens,
                    created_ms: NOW_MS - days * 20 * DAY_MS,
                    updated_ms: NOW_MS - (days - changed) * 20 * DAY_MS,
                    access_count,
                    text_key,
                    cosine: cosine.map(|tenths| f32::from(tenths) / 10.0),
                    bm25: bm25.map(f32::from),
                    overlap: 0.0,
                    phrase,
                    neighbours: [near.0, near.1],
                    excluded,
                    ..candidate(0)
                }
            },
        )
}

/// The candidates of a query whose best possible BM25 is 10.
pub(super) fn candidates(items: Vec<Candidate>) -> Arc<Candidates> {
    Arc::new(Candidates {
        bm25_bound: 10.0,
        ..items.into_iter().collect()
    })
}

pub(super) fn any_candidates() -> impl Strategy<Value = Arc<Candidates>> {
    prop::collection::vec(any_candidate(), 1..40).prop_map(|mut items| {
        let count = items.len() as u32;
        for (item, number) in items.iter_mut().zip(1..) {
            item.id = id(number);
            item.neighbours = item.neighbours.map(|near| near.filter(|&n| n < count));
        }
        candidates(items)
    })
}

pub(super) fn any_settings() -> impl Strategy<Value = RetrievalSettings> {
    (
        (0u32..=10, 0u32..=10),
        0u32..4,
        (0.0..=1.0, 0.0..=1.0, 1.0..2.0, 1.0..100.0),
        prop::array::uniform4(0.01..1.0),
        prop::sample::select(vec![0.0, 0.0, 0.2, 0.5]),
    )
        .prop_map(
            |(shares, min_contexts_per_level, fusion, weights, threshold)| {
                let l1_allocation = f64::from(shares.0) / 10.0;
                let l2_allocation = (1.0 - l1_allocation) * f64::from(shares.1) / 10.0;
                let sum: f64 = weights.iter().sum();
                RetrievalSettings {
                    relevance_threshold: threshold,
                    strategy: RetrievalStrategy {
                        l1_allocation,
                        l2_allocation,
                        l3_allocation: 1.0 - l1_allocation - l2_allocation,
                        min_contexts_per_level,
                        vector_weight: fusion.0,
                        neighbour_weight: fusion.1,
                        phrase_boost: fusion.2,
                        recency_tau_days: fusion.3,
                    },
                    weights: RankingWeights {
                        similarity: weights[0] / sum,
                        recency: weights[1] / sum,
                        level: weights[2] / sum,
                        frequency: weights[3] / sum,
                    },
                }
            },
        )
}

pub(super) fn any_request() -> impl Strategy<Value = SelectionRequest> {
    (
        prop::sample::select(vec![
            SearchMode::Hybrid,
            SearchMode::Hybrid,
            SearchMode::Vector,
            SearchMode::Text,
        ]),
        0u32..3000,
        prop::option::of(1usize..12),
    )
        .prop_map(|(mode, max_tokens, limit)| SelectionRequest {
            mode,
            max_tokens,
            limit,
            now_ms: NOW_MS,
        })
}
