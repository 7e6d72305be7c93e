//! The ways of a large store, with few contexts: what they find against comparing everything.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::context::SearchMode;
use crate::retrieval::{
    RankingWeights, RetrievalSettings, RetrievalStrategy, SelectionRequest, Shortlisting, select,
};
use crate::store::{Hit, VectorQuery};

const DIMENSION: usize = 64;
const TOPICS: u64 = 97;
/// Vectors in memory, and in the database alone.
const HELD: SearchLimits = SearchLimits {
    compare_all_up_to: 0,
    hold_up_to: usize::MAX,
};
const READ: SearchLimits = SearchLimits {
    compare_all_up_to: 0,
    hold_up_to: 0,
};

fn opened(place: &Place, limits: SearchLimits) -> SqliteStore {
    let options = StoreOptions {
        path: place.folder.path().join("hirag.db"),
        access: Access::Write,
        lock_wait: Duration::ZERO,
        clock: place.clock.clone(),
    };
    SqliteStore::open_with(options, limits).unwrap()
}

async fn filled(place: &Place, limits: SearchLimits) -> SqliteStore {
    let store = opened(place, limits);
    let spec = VectorSpec {
        model: "m".into(),
        dimension: DIMENSION,
    };
    store.create_collection(NAME, &spec).await.unwrap();
    store
}

/// Vectors around a few directions, as those of texts are.
fn vector(seed: u64) -> Vec<f32> {
    let mut topic = StdRng::seed_from_u64(seed % TOPICS);
    let mut own = StdRng::seed_from_u64(seed);
    let mut vector: Vec<f32> = (0..DIMENSION)
        .map(|_| topic.random_range(-1.0..1.0) + own.random_range(-1.0..1.0))
        .collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

fn note(seed: u64) -> Record {
    let mut note = record(&format!("note {seed} of topic{}", seed % TOPICS), None);
    note.vector = (!seed.is_multiple_of(11)).then(|| vector(seed));
    note.session = Some(format!("s{}", seed / 5));
    note.agent = Some(format!("a{}", seed % 50));
    note.level = ContextLevel::ALL[(seed % 3) as usize];
    note
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn query(vector: &[f32], limit: usize, filter: &Filter) -> VectorQuery {
    VectorQuery {
        vector: vector.to_vec(),
        filter: filter.clone(),
        limit,
        score_threshold: None,
    }
}

/// The nearest of a model, best first.
fn nearest(model: &BTreeMap<ContextId, Vec<f32>>, unit: &[f32], limit: usize) -> Vec<Hit> {
    let hits = model.iter().map(|(id, vector)| Hit {
        id: *id,
        score: cosine(vector, unit),
    });
    let mut hits: Vec<Hit> = hits.collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    hits.truncate(limit);
    hits
}

fn settings() -> RetrievalSettings {
    RetrievalSettings {
        relevance_threshold: 0.05,
        strategy: RetrievalStrategy {
            l1_allocation: 0.3,
            l2_allocation: 0.4,
            l3_allocation: 0.3,
            min_contexts_per_level: 1,
            vector_weight: 0.5,
            neighbour_weight: 0.5,
            phrase_boost: 1.2,
            recency_tau_days: 30.0,
        },
        weights: RankingWeights {
            similarity: 0.95,
            recency: 0.02,
            level: 0.02,
            frequency: 0.01,
        },
    }
}

fn request(store: &SqliteStore) -> SelectionRequest {
    SelectionRequest {
        mode: SearchMode::Hybrid,
        max_tokens: 60,
        limit: Some(10),
        now_ms: store.now_ms(),
    }
}

#[tokio::test]
async fn the_nearest_of_many_are_those_of_comparing_all() {
    for limits in [HELD, READ] {
        let place = Place::new();
        let store = filled(&place, limits).await;
        let notes: Vec<Record> = (0..3_000).map(note).collect();
        let model = notes.iter().filter_map(|n| Some((n.id, n.vector.clone()?)));
        let model: BTreeMap<ContextId, Vec<f32>> = model.collect();
        store.insert(NAME, notes.clone()).await.unwrap();
        let mut found = 0;
        for seed in 0..50 {
            let unit = vector(1_000_000 + seed);
            let filter = Filter::default();
            let hits = store.search(NAME, query(&unit, 10, &filter)).await.unwrap();
            let wanted = nearest(&model, &unit, 10);
            assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
            for hit in &hits {
                assert!((hit.score - cosine(&model[&hit.id], &unit)).abs() < 1e-5);
            }
            found += hits
                .iter()
                .filter(|hit| wanted.iter().any(|w| w.id == hit.id))
                .count();
        }
        assert!(found >= 495, "{found} of 500");
        // A filter that leaves few leaves all of those.
        let filter = Filter::from_json(r#"{"must":[{"key":"agent","match":"a7"}]}"#).unwrap();
        let hits = store
            .search(NAME, query(&vector(5), 1_000, &filter))
            .await
            .unwrap();
        let of_agent = notes
            .iter()
            .filter(|n| n.agent.as_deref() == Some("a7") && n.vector.is_some());
        assert_eq!(hits.len(), of_agent.count());
    }
}

#[tokio::test]
async fn a_large_store_ranks_what_matters_and_tells_of_the_rest() {
    for limits in [HELD, READ] {
        let place = Place::new();
        let store = filled(&place, limits).await;
        let notes: Vec<Record> = (0..12_000).map(note).collect();
        let last = notes[11_001].id;
        for some in notes.chunks(2_000) {
            store.insert(NAME, some.to_vec()).await.unwrap();
        }
        let request = request(&store);
        let asked = |seed: u64, everything: bool, exact: bool| CandidateQuery {
            vector: Some(vector(2_000_000 + seed)),
            text: Some(format!("topic{}", seed % TOPICS)),
            everything,
            exact,
            named: vec![last],
            shortlist: Some(Shortlisting {
                settings: settings(),
                request,
            }),
            ..CandidateQuery::default()
        };
        let selected = async |query: CandidateQuery| {
            let candidates = Arc::new(store.candidates(NAME, query).await.unwrap());
            select(&candidates, &settings(), &request)
        };
        let mut same = 0;
        for seed in 0..20 {
            let fast = selected(asked(seed, false, false)).await;
            let all = selected(asked(seed, false, true)).await;
            assert!(fast.compared() < 12_000 && fast.distant() > 0);
            assert_eq!((fast.searched(), all.searched()), (12_000, 12_000));
            assert_eq!(fast.counts().searched, 12_000);
            assert_eq!((all.distant(), all.compared()), (0, 12_000));
            let exact = all.chosen().iter().map(|one| one.id);
            let exact: Vec<ContextId> = exact.collect();
            for one in fast.chosen() {
                same += usize::from(exact.contains(&one.id));
            }
        }
        assert!(same >= 196, "{same} of 200");
        let everything = store.candidates(NAME, asked(3, true, false)).await.unwrap();
        assert_eq!((everything.len(), everything.distant), (12_000, 0));
        let exact = store.candidates(NAME, asked(3, true, true)).await.unwrap();
        let place = everything
            .facts
            .ids
            .iter()
            .position(|id| *id == last)
            .unwrap();
        assert!(!everything.estimated(place), "what is named is exact");
        assert!((everything.cosines[place] - exact.cosines[place]).abs() < 1e-4);
        let estimates = everything
            .estimated
            .iter()
            .filter(|estimated| **estimated)
            .count();
        assert_eq!(estimates > 9_000, limits == READ, "{estimates}");
    }
}

/// A change of a store.
#[derive(Debug, Clone)]
enum Step {
    Insert(u64),
    Delete(usize),
    Move(usize),
    Reword(usize, u64),
    Reembed,
    Reopen,
    Crash,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..10_000).prop_map(Step::Insert),
        3 => any::<usize>().prop_map(Step::Delete),
        2 => any::<usize>().prop_map(Step::Move),
        2 => (any::<usize>(), 0_u64..10_000).prop_map(|(which, seed)| Step::Reword(which, seed)),
        1 => Just(Step::Reembed),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

/// A store, and what it has to hold.
struct Pair {
    place: Place,
    store: SqliteStore,
    model: BTreeMap<ContextId, Vec<f32>>,
    limits: SearchLimits,
    model_number: u32,
}

impl Pair {
    async fn take(&mut self, step: Step) {
        let ids: Vec<ContextId> = self.model.keys().copied().collect();
        let one = |which: usize| ids.get(which % ids.len().max(1)).copied();
        match step {
            Step::Insert(seed) => {
                let mut note = note(seed);
                note.vector = Some(vector(seed));
                self.model.insert(note.id, vector(seed));
                self.store.insert(NAME, vec![note]).await.unwrap();
            }
            Step::Delete(which) => {
                let Some(id) = one(which) else { return };
                self.model.remove(&id);
                assert_eq!(self.store.delete(NAME, &[id]).await.unwrap(), 1);
            }
            Step::Move(which) => {
                let Some(id) = one(which) else { return };
                let edit = Edit {
                    level: Some(ContextLevel::ShortTerm),
                    session: Some("elsewhere".into()),
                    ..Edit::default()
                };
                self.edit(id, edit).await;
            }
            Step::Reword(which, seed) => {
                let Some(id) = one(which) else { return };
                self.model.insert(id, vector(seed));
                let edit = Edit {
                    text: Some((format!("reworded {seed}"), 3, Some(vector(seed)))),
                    ..Edit::default()
                };
                self.edit(id, edit).await;
            }
            Step::Reembed => {
                self.model_number += 1;
                let spec = VectorSpec {
                    model: format!("m{}", self.model_number),
                    dimension: DIMENSION,
                };
                self.store.begin_building(NAME, &spec).await.unwrap();
                let other = |text: &str| {
                    let number = text.bytes().fold(self.model_number, |sum, byte| {
                        sum.wrapping_mul(31).wrapping_add(byte.into())
                    });
                    vector(number.into())
                };
                let missing = self.store.missing(NAME, 1_000).await.unwrap();
                let built = missing.into_iter().map(|text| {
                    let vector = other(&text.text);
                    (text, vector)
                });
                self.store.build(NAME, built.collect()).await.unwrap();
                self.store.switch(NAME).await.unwrap();
                for context in self.store.get(NAME, &ids).await.unwrap() {
                    self.model.insert(context.id, other(&context.text));
                }
            }
            Step::Reopen => {
                self.store.shut_down();
                self.store = opened(&self.place, self.limits);
            }
            Step::Crash => {
                // What is on the disk at this moment is what a crash would leave.
                let after = Place::new();
                for name in ["hirag.db", "hirag.db-wal"] {
                    let [from, to] = [&self.place, &after].map(|p| p.folder.path().join(name));
                    if from.exists() {
                        std::fs::copy(from, to).unwrap();
                    }
                }
                self.store.shut_down();
                self.store = opened(&after, self.limits);
                self.place = after;
            }
        }
    }

    async fn edit(&self, id: ContextId, edit: Edit) {
        let change = LiveEdit {
            only_in: None,
            id,
            edit,
            merge: None,
        };
        // What moves to make room for it is of no consequence here.
        let edited = self.store.edit_all(NAME, vec![change], rules()).await;
        assert!(edited.unwrap().is_ok());
    }

    async fn check(&self, seed: u64) -> Result<(), TestCaseError> {
        let unit = vector(3_000_000 + seed);
        let hits = self
            .store
            .search(NAME, query(&unit, 5, &Filter::default()))
            .await
            .unwrap();
        let wanted = nearest(&self.model, &unit, 5);
        prop_assert_eq!(hits.len(), wanted.len());
        for (hit, wanted) in hits.iter().zip(&wanted) {
            prop_assert!((hit.score - cosine(&self.model[&hit.id], &unit)).abs() < 1e-5);
            prop_assert!(
                (hit.score - wanted.score).abs() < 1e-5,
                "{hits:?} for {wanted:?}"
            );
        }
        let check = self.store.check_search(NAME, 0).await.unwrap();
        prop_assert_eq!(check.contexts, self.model.len() as u64);
        prop_assert_eq!(check.wrong, Vec::<ContextId>::new());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// With so few, all come to be compared exactly; that the codes are those of the database is
    /// what is checked beside.
    #[test]
    fn whatever_happens_searches_find_what_the_database_has(
        held in any::<bool>(),
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (place, limits) = (Place::new(), if held { HELD } else { READ });
            let store = filled(&place, limits).await;
            let mut pair = Pair { place, store, model: BTreeMap::new(), limits, model_number: 0 };
            for (step, seed) in steps.into_iter().zip(0..) {
                pair.take(step).await;
                pair.check(seed).await?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[tokio::test]
async fn a_check_finds_what_disagrees_with_the_database() {
    let place = Place::new();
    let store = filled(&place, HELD).await;
    let notes: Vec<Record> = (0..600).map(note).collect();
    store.insert(NAME, notes.clone()).await.unwrap();
    let check = store.check_search(NAME, 40).await.unwrap();
    assert_eq!((check.contexts, check.wrong), (600, Vec::new()));
    // Some of those that were looked at have no vector.
    assert!(check.sampled >= 30, "{}", check.sampled);
    assert!(check.recall >= 0.99, "{}", check.recall);
    // Nothing but a fault of the program would do this.
    let number = 1;
    {
        let mut residents = store.shared.residents.write();
        let resident = residents.get_mut(&number).unwrap();
        let slot = resident
            .facts
            .ids
            .iter()
            .position(|id| *id == notes[17].id)
            .unwrap();
        resident.directions.set(slot, Some(&vector(999)));
    }
    let check = store.check_search(NAME, 0).await.unwrap();
    assert_eq!(check.wrong, [notes[17].id]);
}
