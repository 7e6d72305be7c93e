//! A [`VectorStore`] in memory, by brute force: slow, short, and the model that others are
//! compared with.

use std::collections::BTreeMap;

use async_trait::async_trait;
use hirag::clock::SharedClock;
use hirag::context::{
    Condition, ContentHash, Context, ContextId, ContextLevel, EmbeddingState, Field, Filter, Range,
    Test, Value, parse_time,
};
use hirag::store::{
    CollectionInfo, Hit, Order, Page, Record, ScrollRequest, StoreError, VectorQuery, VectorSpec,
    VectorStore,
};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value as Json;

/// Contexts in a map. Nothing is durable.
#[derive(Debug)]
pub struct MemoryStore {
    clock: SharedClock,
    collections: Mutex<BTreeMap<String, Collection>>,
}

#[derive(Debug)]
struct Collection {
    spec: VectorSpec,
    next: u64,
    rows: BTreeMap<u64, Row>,
}

#[derive(Debug)]
struct Row {
    context: Context,
    vector: Option<Vec<f64>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            collections: Mutex::default(),
        }
    }

    fn with<T>(
        &self,
        name: &str,
        work: impl FnOnce(&mut Collection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut collections = self.collections.lock();
        let collection = collections
            .get_mut(name)
            .ok_or_else(|| StoreError::UnknownCollection(name.to_owned()))?;
        work(collection)
    }
}

#[async_trait]
impl VectorStore for MemoryStore {
    async fn create_collection(&self, name: &str, spec: &VectorSpec) -> Result<(), StoreError> {
        let mut collections = self.collections.lock();
        match collections.get(name) {
            Some(there) if there.spec == *spec => Ok(()),
            Some(there) => Err(StoreError::CollectionDiffers {
                name: name.to_owned(),
                stored: there.spec.to_string(),
                wanted: spec.to_string(),
            }),
            None => {
                let collection = Collection {
                    spec: spec.clone(),
                    next: 1,
                    rows: BTreeMap::new(),
                };
                collections.insert(name.to_owned(), collection);
                Ok(())
            }
        }
    }

    async fn delete_collection(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.collections.lock().remove(name).is_some())
    }

    async fn collections(&self) -> Result<Vec<CollectionInfo>, StoreError> {
        let collections = self.collections.lock();
        let info = |(name, collection): (&String, &Collection)| CollectionInfo {
            name: name.clone(),
            vectors: collection.spec.clone(),
        };
        Ok(collections.iter().map(info).collect())
    }

    async fn insert(&self, collection: &str, records: Vec<Record>) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.with(collection, |collection| {
            let mut fresh: Vec<(Record, Option<Vec<f64>>)> = Vec::new();
            for record in records {
                let vector = match &record.vector {
                    Some(vector) => Some(unit(&collection.spec, vector)?),
                    None => None,
                };
                let stored = collection.rows.values().map(|row| row.context.id);
                let mut known = stored.chain(fresh.iter().map(|(record, _)| record.id));
                if known.any(|id| id == record.id) {
                    return Err(StoreError::Internal("the id is stored already".to_owned()));
                }
                fresh.push((record, vector));
            }
            for (record, vector) in fresh {
                let context = collection.context(record, vector.is_some(), now);
                collection
                    .rows
                    .insert(collection.next, Row { context, vector });
                collection.next += 1;
            }
            Ok(())
        })
    }

    async fn search(&self, collection: &str, query: VectorQuery) -> Result<Vec<Hit>, StoreError> {
        let now = self.clock.now();
        self.with(collection, |collection| {
            let wanted = unit(&collection.spec, &query.vector)?;
            let mut hits: Vec<Hit> = collection
                .rows
                .values()
                .filter(|row| row.context.expires_at.is_none_or(|at| at > now))
                .filter(|row| passes(&query.filter, &row.context))
                .filter_map(|row| {
                    let pairs = row.vector.as_ref()?.iter().zip(&wanted);
                    Some(Hit {
                        id: row.context.id,
                        score: pairs.map(|(a, b)| a * b).sum::<f64>() as f32,
                    })
                })
                .filter(|hit| query.score_threshold.is_none_or(|least| hit.score >= least))
                .collect();
            hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
            hits.truncate(query.limit);
            Ok(hits)
        })
    }

    async fn get(&self, collection: &str, ids: &[ContextId]) -> Result<Vec<Context>, StoreError> {
        self.with(collection, |collection| {
            let find = |id: &ContextId| {
                let mut contexts = collection.rows.values().map(|row| &row.context);
                contexts.find(|context| context.id == *id).cloned()
            };
            Ok(ids.iter().filter_map(find).collect())
        })
    }

    async fn delete(&self, collection: &str, ids: &[ContextId]) -> Result<u64, StoreError> {
        self.with(collection, |collection| {
            let before = collection.rows.len();
            collection
                .rows
                .retain(|_, row| !ids.contains(&row.context.id));
            Ok((before - collection.rows.len()) as u64)
        })
    }

    async fn count(&self, collection: &str, filter: &Filter) -> Result<u64, StoreError> {
        self.with(collection, |collection| {
            let rows = collection.rows.values();
            Ok(rows.filter(|row| passes(filter, &row.context)).count() as u64)
        })
    }

    async fn scroll(&self, collection: &str, request: ScrollRequest) -> Result<Page, StoreError> {
        let cursor = request.cursor.as_deref();
        let after = cursor
            .map(|cursor| place(request.order, cursor))
            .transpose()?;
        self.with(collection, |collection| {
            let mut rows: Vec<((i64, u64), &Context)> = collection
                .rows
                .iter()
                .map(|(seq, row)| ((value(request.order, &row.context), *seq), &row.context))
                .filter(|(_, context)| !request.deleted && passes(&request.filter, context))
                .collect();
            rows.sort_unstable_by_key(|(place, _)| *place);
            if request.order != Order::OldestFirst {
                rows.reverse();
            }
            rows.retain(|(place, _)| {
                after.is_none_or(|after| match request.order {
                    Order::OldestFirst => *place > after,
                    _ => *place < after,
                })
            });
            rows.drain(..request.skip.min(rows.len()));
            let more = rows.len() > request.limit;
            rows.truncate(request.limit);
            let name = request.order.name();
            Ok(Page {
                next_cursor: rows
                    .last()
                    .filter(|_| more)
                    .map(|((value, seq), _)| format!("{name} {value} {seq}")),
                contexts: rows
                    .into_iter()
                    .map(|(_, context)| context.clone())
                    .collect(),
            })
        })
    }
}

/// What an order sorts by before the number; 0 where the number alone decides.
fn value(order: Order, context: &Context) -> i64 {
    match order {
        Order::NewestFirst | Order::OldestFirst => 0,
        Order::RecentlyChanged => context.updated_at.as_millisecond(),
        Order::RecentlyUsed => context.accessed_at.as_millisecond(),
        Order::MostUsed => context.access_count as i64,
        Order::LongestFirst => context.token_count.into(),
    }
}

/// The value and the number of a cursor.
fn place(order: Order, cursor: &str) -> Result<(i64, u64), StoreError> {
    let parsed = || {
        let (value, seq) = cursor.strip_prefix(order.name())?.trim().split_once(' ')?;
        Some((value.parse().ok()?, seq.parse().ok()?))
    };
    parsed().ok_or_else(|| StoreError::BadCursor(cursor.to_owned()))
}

impl Collection {
    fn context(&self, record: Record, embedded: bool, now: Timestamp) -> Context {
        let created_at = millis(record.created_at);
        let same_session = |context: &&Context| {
            context.session == record.session
                && context.agent == record.agent
                && context.source == record.source
        };
        let contexts = self.rows.values().map(|row| &row.context);
        let next = match record.session {
            Some(_) => contexts.filter(same_session).map(|c| c.position + 1).max(),
            None => None,
        };
        Context {
            id: record.id,
            level: record.level,
            created_at,
            updated_at: created_at.min(millis(now)),
            accessed_at: record.accessed_at.map_or(created_at, millis),
            access_count: record.access_count,
            token_count: record.token_count,
            content_hash: ContentHash::of(&record.text),
            expires_at: record.expires_at.map(millis),
            deleted_at: None,
            embedding: if embedded {
                EmbeddingState::Ready
            } else {
                EmbeddingState::Pending
            },
            position: record.position.or(next).unwrap_or(0),
            text: record.text,
            agent: record.agent,
            session: record.session,
            metadata: record.metadata,
            source: record.source,
            source_key: record.source_key,
        }
    }
}

fn millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

fn unit(spec: &VectorSpec, vector: &[f32]) -> Result<Vec<f64>, StoreError> {
    let wide: Vec<f64> = vector.iter().map(|x| f64::from(*x)).collect();
    let norm = wide.iter().map(|x| x * x).sum::<f64>().sqrt();
    if vector.len() != spec.dimension || !norm.is_finite() || norm == 0.0 {
        return Err(StoreError::BadVector {
            collection: spec.to_string(),
            reason: "it has no direction in this space".to_owned(),
        });
    }
    Ok(wide.iter().map(|x| x / norm).collect())
}

fn passes(filter: &Filter, context: &Context) -> bool {
    let holds = |condition: &Condition| holds(condition, context);
    filter.must.iter().all(holds)
        && (filter.should.is_empty() || filter.should.iter().any(holds))
        && !filter.must_not.iter().any(holds)
}

/// A value as it is compared.
#[derive(Debug, PartialEq, PartialOrd)]
enum Plain {
    Bool(bool),
    Number(f64),
    Text(String),
}

fn holds(condition: &Condition, context: &Context) -> bool {
    let values = values(
        &condition.field,
        context,
        matches!(condition.test, Test::Exists(_)),
    );
    match &condition.test {
        Test::AnyOf(wanted) => wanted
            .iter()
            .any(|wanted| values.contains(&comparable(&condition.field, wanted))),
        Test::Range(range) => values
            .iter()
            .any(|value| within(&condition.field, value, range)),
        Test::Exists(exists) => values.is_empty() != *exists,
    }
}

fn within(field: &Field, value: &Plain, range: &Range) -> bool {
    range.bounds().all(|(operator, bound)| {
        let bound = comparable(field, bound);
        let same_kind = std::mem::discriminant(value) == std::mem::discriminant(&bound);
        same_kind
            && match operator {
                ">" => *value > bound,
                ">=" => *value >= bound,
                "<" => *value < bound,
                _ => *value <= bound,
            }
    })
}

fn comparable(field: &Field, value: &Value) -> Plain {
    match (field, value) {
        (Field::Level, Value::Text(level)) => {
            Plain::Number(level.parse::<ContextLevel>().unwrap().number().into())
        }
        (Field::CreatedAt | Field::UpdatedAt | Field::AccessedAt, Value::Text(time)) => {
            at(parse_time(time).unwrap())
        }
        (_, Value::Bool(b)) => Plain::Bool(*b),
        (_, Value::Int(i)) => Plain::Number(*i as f64),
        (_, Value::Float(f)) => Plain::Number(*f),
        (_, Value::Text(t)) => Plain::Text(t.clone()),
    }
}

fn at(time: Timestamp) -> Plain {
    Plain::Number(time.as_millisecond() as f64)
}

/// What a field of a context holds; with `deep`, everything below a path of the metadata, too.
fn values(field: &Field, context: &Context, deep: bool) -> Vec<Plain> {
    let text = |text: &Option<String>| text.iter().cloned().map(Plain::Text).collect();
    match field {
        Field::Level => vec![Plain::Number(context.level.number().into())],
        Field::Agent => text(&context.agent),
        Field::Session => text(&context.session),
        Field::Source => text(&context.source),
        Field::CreatedAt => vec![at(context.created_at)],
        Field::UpdatedAt => vec![at(context.updated_at)],
        Field::AccessedAt => vec![at(context.accessed_at)],
        Field::AccessCount => vec![Plain::Number(context.access_count as f64)],
        Field::TokenCount => vec![Plain::Number(context.token_count.into())],
        Field::Metadata(path) => {
            let mut found = Vec::new();
            let parts: Vec<&str> = path.split('.').collect();
            descend(
                &Json::Object(context.metadata.clone()),
                &parts,
                deep,
                &mut found,
            );
            found
        }
    }
}

/// Follows a path: through arrays into each element, through objects by key.
fn descend(value: &Json, path: &[&str], deep: bool, found: &mut Vec<Plain>) {
    match (value, path) {
        (Json::Array(items), path) => {
            for item in items {
                descend(item, path, deep, found);
            }
        }
        (Json::Object(inner), [first, rest @ ..]) => {
            if let Some(value) = inner.get(*first) {
                descend(value, rest, deep, found);
            }
        }
        (Json::Object(inner), []) if deep => {
            for value in inner.values() {
                descend(value, path, deep, found);
            }
        }
        (Json::Bool(b), []) => found.push(Plain::Bool(*b)),
        (Json::Number(n), []) => found.extend(n.as_f64().map(Plain::Number)),
        (Json::String(s), []) => found.push(Plain::Text(s.clone())),
        _ => {}
    }
}
