//! Compares the contexts of a file with what is stored.

use std::collections::{HashMap, HashSet};

use super::Unit;
use super::planner::Planner;
use crate::context::{
    ContentHash, Context, ContextId, ContextLevel, Metadata, NewContext, Priority,
};
use crate::error::{Error, Result};
use crate::import::Problem;
use crate::manager::writing::check;
use crate::store::VectorStore;
use crate::store::sqlite::{Edit, Known};

/// Sorts the contexts of one file.
pub(super) struct Placing<'a> {
    planner: &'a Planner,
    file: &'a str,
    /// What is stored of the sources that they name, by source and key.
    known: HashMap<String, HashMap<String, Known>>,
    /// Keys of the file itself that were met.
    seen: HashSet<String>,
}

impl<'a> Placing<'a> {
    pub(super) fn of(planner: &'a Planner, file: &'a str) -> Self {
        Self {
            planner,
            file,
            known: HashMap::new(),
            seen: HashSet::new(),
        }
    }

    /// Sorts a context into what is new, changed, moved or as it was. `false` for one that may not
    /// be stored, which is told.
    pub(super) fn place(&mut self, mut new: NewContext, unit: &mut Unit) -> Result<bool> {
        let config = self.planner.manager.config();
        let now = self.planner.manager.inner.clock.now();
        let options = &self.planner.options;
        // What the file says itself holds for what is stored as well.
        let said = Edit {
            created_ms: new.created_at.map(|at| at.as_millisecond()),
            agent: new.agent.clone(),
            session: new.session.clone(),
            ..Edit::default()
        };
        new.level = new.level.or(options.level).or(Some(ContextLevel::LongTerm));
        new.session = new.session.or_else(|| options.session.clone());
        new.agent = new.agent.or_else(|| options.agent.clone());
        new.priority = Priority::Low;
        // Documents have it from the reader; entries that stand for contexts have none there.
        let kept = self.planner.kept.as_ref();
        if let Some(kind) = kept.and_then(|kept| kept.doc_type.clone()) {
            let own = new.metadata.entry("doc_type");
            own.or_insert_with(|| kind.into());
        }
        if let Err(error) = check(&new, &config, now) {
            unit.tally.failed.push(Problem {
                path: self.file.to_owned(),
                line: new.position.and_then(|p| u64::try_from(p + 1).ok()),
                code: error.code().to_owned(),
                message: error.to_string(),
            });
            return Ok(false);
        }
        let stored = match (self.known_by_key(&new)?, new.id) {
            (None, Some(id)) => self.known_by_id(id, &mut new)?,
            (stored, _) => stored,
        };
        match stored {
            None => unit.insert.push(new),
            Some(stored) if stored.content_hash != ContentHash::of(&new.text) => {
                let edit = moved(said, &stored);
                unit.edit.push((stored.id, new, edit));
            }
            Some(stored) => {
                let other_metadata = stored.metadata_hash != hash_of(&new.metadata)?;
                let edit = Edit {
                    metadata: other_metadata.then_some(new.metadata),
                    ..moved(said, &stored)
                };
                let is_other = edit != Edit::default();
                let edit = Edit {
                    position: new.position.filter(|p| *p != stored.position),
                    ..edit
                };
                if edit != Edit::default() {
                    unit.kept_text.push((stored.id, edit));
                }
                unit.tally.updated += u64::from(is_other);
                unit.tally.unchanged += u64::from(!is_other);
            }
        }
        Ok(true)
    }

    /// Contexts of the file that are stored and were not met.
    pub(super) fn gone(&mut self) -> Result<Vec<ContextId>> {
        self.look_up(self.file)?;
        let stored = self.known.get(self.file).into_iter().flatten();
        let gone = stored.filter(|(key, _)| !self.seen.contains(*key));
        Ok(gone.map(|(_, one)| one.id).collect())
    }

    /// The context that has the source and the key already.
    fn known_by_key(&mut self, new: &NewContext) -> Result<Option<Known>> {
        let (Some(source), Some(key)) = (&new.source, &new.source_key) else {
            return Ok(None);
        };
        if source == self.file {
            self.seen.insert(key.clone());
        }
        self.look_up(source)?;
        let stored = self.known.get(source);
        Ok(stored.and_then(|stored| stored.get(key)).cloned())
    }

    /// The context that has the id already. One that is marked as deleted keeps it, and the new
    /// one gets another; it is known by its old one, within the file, from then on.
    fn known_by_id(&mut self, id: ContextId, new: &mut NewContext) -> Result<Option<Known>> {
        let planner = self.planner;
        let inner = &planner.manager.inner;
        let ids = [id];
        let found = inner.store.get(&inner.collection, &ids);
        let Some(context) = planner.handle.block_on(found)?.pop() else {
            return Ok(None);
        };
        if context.deleted_at.is_none() {
            return of(context).map(Some);
        }
        new.id = None;
        if new.source_key.is_some() && new.source.is_some() {
            return Ok(None);
        }
        if let Some(source) = new.source.replace(self.file.to_owned()) {
            let kept = new.metadata.entry("original_source");
            kept.or_insert_with(|| source.into());
        }
        new.source_key = Some(id.to_string());
        self.known_by_key(new)
    }

    fn look_up(&mut self, source: &str) -> Result<()> {
        if !self.known.contains_key(source) {
            let inner = &self.planner.manager.inner;
            let stored = inner.store.known(&inner.collection, source);
            let stored = self.planner.handle.block_on(stored)?;
            self.known.insert(source.to_owned(), stored);
        }
        Ok(())
    }
}

/// What of a file's word on time, agent and session is not so yet.
fn moved(said: Edit, stored: &Known) -> Edit {
    Edit {
        created_ms: said.created_ms.filter(|at| *at != stored.created_ms),
        agent: said.agent.filter(|it| Some(it) != stored.agent.as_ref()),
        session: said
            .session
            .filter(|it| Some(it) != stored.session.as_ref()),
        ..said
    }
}

fn of(context: Context) -> Result<Known> {
    Ok(Known {
        id: context.id,
        content_hash: context.content_hash,
        metadata_hash: hash_of(&context.metadata)?,
        position: context.position,
        created_ms: context.created_at.as_millisecond(),
        agent: context.agent,
        session: context.session,
    })
}

fn hash_of(metadata: &Metadata) -> Result<ContentHash> {
    let json = serde_json::to_string(metadata).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(ContentHash::of(&json))
}
