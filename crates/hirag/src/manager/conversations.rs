//! Conversations: what was asked and answered.

use std::collections::HashSet;
use std::fmt::Write;

use super::HiragManager;
use crate::answering::{
    AnswerEnd, AnswerId, AnswerKind, AskError, Conversation, ConversationSummary,
    ConversationsRequest, Feedback, Golden, without,
};
use crate::context::{ContextId, ContextLevel, Metadata, NewContext};
use crate::error::{Error, Result};
use crate::store::StoreError;

use super::Stored;

/// Characters of a note at most.
const NOTE_CHARS: usize = 2_000;

impl HiragManager {
    /// Conversations, the latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn conversations(
        &self,
        request: ConversationsRequest,
    ) -> Result<Vec<ConversationSummary>> {
        Ok(self.inner.store.conversations(request).await?)
    }

    /// A conversation with all its questions and answers.
    ///
    /// # Errors
    /// [`AskError::UnknownConversation`].
    pub async fn conversation(&self, session: &str) -> Result<Conversation> {
        let found = self.inner.store.conversation(session, usize::MAX).await?;
        found.ok_or_else(|| AskError::UnknownConversation(session.to_owned()).into())
    }

    /// Marks a conversation as deleted; [`Self::restore_conversation`] brings it back until it is
    /// purged, as contexts are.
    ///
    /// # Errors
    /// [`AskError::UnknownConversation`]; nothing was marked then.
    pub async fn delete_conversation(&self, session: &str) -> Result<()> {
        Ok(self.inner.store.mark_conversation(session, true).await??)
    }

    /// Brings back the conversation of this name that was deleted last.
    ///
    /// # Errors
    /// [`AskError::UnknownConversation`], or [`AskError::ConversationThere`] when another has the name
    /// by now.
    pub async fn restore_conversation(&self, session: &str) -> Result<()> {
        Ok(self.inner.store.mark_conversation(session, false).await??)
    }

    /// Keeps whether an answer was useful, and why; `None` forgets what was said before.
    ///
    /// # Errors
    /// [`AskError::UnknownAnswer`], [`AskError::LongNote`]; what was said before stays then.
    pub async fn judge_answer(
        &self,
        id: AnswerId,
        useful: Option<bool>,
        note: Option<String>,
    ) -> Result<()> {
        let note = note.map(|note| note.trim().to_owned());
        let chars = note.as_ref().map_or(0, |note| note.chars().count());
        if chars > NOTE_CHARS {
            let limit = NOTE_CHARS;
            return Err(AskError::LongNote { chars, limit }.into());
        }
        let feedback = useful.map(|useful| Feedback {
            useful,
            note: note.filter(|note| !note.is_empty()),
            at: self.inner.clock.now(),
        });
        match self.inner.store.judge_answer(id, feedback).await? {
            true => Ok(()),
            false => Err(AskError::UnknownAnswer(id.to_string()).into()),
        }
    }

    /// Stores the questions and answers of a conversation as contexts of its name in L2, each with
    /// both. What was stored of it before is not stored again; passages are in the memory already, and
    /// half an answer is none.
    ///
    /// # Errors
    /// [`AskError::UnknownConversation`]; as [`Self::store`] for the first that cannot be stored, beside
    /// which the others are.
    pub async fn store_conversation(&self, session: &str) -> Result<Vec<Stored>> {
        let conversation = self.conversation(session).await?;
        let mut new = Vec::new();
        for turn in conversation.turns {
            let answer = &turn.answer;
            if (answer.kind, &answer.end) != (AnswerKind::Worded, &AnswerEnd::Complete) {
                continue;
            }
            let mut metadata = Metadata::default();
            let title = conversation.summary.title.clone();
            metadata.insert("title".to_owned(), title.into());
            metadata.insert("answer".to_owned(), turn.id.to_string().into());
            new.push(NewContext {
                // Its numbers name the sources of that question.
                text: format!("{}\n\n{}", turn.question, without(&answer.text)),
                level: Some(ContextLevel::ShortTerm),
                session: Some(session.to_owned()),
                metadata,
                source: Some(format!("conversation:{session}")),
                source_key: Some(turn.id.to_string()),
                created_at: Some(turn.asked_at),
                ..NewContext::default()
            });
        }
        let mut stored = Vec::new();
        for one in self.store_each(new).await? {
            match one {
                Ok(one) => stored.push(one),
                Err(Error::Store(StoreError::SourceTaken { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(stored)
    }

    /// Makes golden queries of the answers that were found useful: the sources that each names are
    /// what answers its question.
    ///
    /// # Errors
    /// [`AskError::NothingJudged`] when there is none.
    pub async fn golden_queries(&self) -> Result<Golden> {
        let mut golden = Golden {
            queries: String::new(),
            qrels: "query-id\tcorpus-id\tscore\n".to_owned(),
            count: 0,
        };
        for turn in self.inner.store.useful_answers().await? {
            let cited = turn.answer.sources.iter().filter(|source| source.cited);
            let ids: Vec<ContextId> = cited.map(|source| source.id).collect();
            // A source that is gone answers nothing any more.
            let names: HashSet<String> = self.document_names(&ids).await?.into_iter().collect();
            let mut names: Vec<String> = names.into_iter().collect();
            // A tab or a line end in a name would be read as the next field.
            names.retain(|name| !name.contains(|c: char| c.is_control()));
            if names.is_empty() {
                continue;
            }
            names.sort();
            let query = serde_json::json!({ "_id": turn.id, "text": turn.question });
            let _ = writeln!(golden.queries, "{query}");
            for name in names {
                let _ = writeln!(golden.qrels, "{}\t{name}\t1", turn.id);
            }
            golden.count += 1;
        }
        match golden.count {
            0 => Err(AskError::NothingJudged.into()),
            _ => Ok(golden),
        }
    }
}
