//! The tables `conversations` and `answers`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteStore;
use super::contexts::{signed, time};
use crate::answering::{
    Answer, AnswerEnd, AnswerId, AnswerKind, AnswerProblem, AnswerTimes, AskError, Conversation,
    ConversationSummary, ConversationsRequest, Feedback, Turn, WindowBudget,
};
use crate::retrieval::TraceId;
use crate::store::StoreError;

/// Conversations of a list that does not say how many.
const LISTED: usize = 50;

const SUMMARY: &str = "SELECT session, title, created_ms, updated_ms, deleted_ms,
     (SELECT count(*) FROM answers WHERE conversation = seq), seq FROM conversations";

/// An answer to keep.
#[derive(Debug, Clone)]
pub struct NewAnswer {
    /// Its id.
    pub id: AnswerId,
    /// The name of its conversation, which is begun if there is none.
    pub session: String,
    /// The title of a conversation that begins with it.
    pub title: String,
    /// The question.
    pub question: String,
    /// The answer's text, to search in.
    pub text: String,
    /// The answer as JSON.
    pub account: String,
}

impl SqliteStore {
    /// Keeps an answer as the last of its conversation.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing was kept then.
    pub async fn keep_answer(&self, answer: NewAnswer) -> Result<(), StoreError> {
        let now_ms = self.now_ms();
        self.write(move |c, _| {
            let NewAnswer {
                id,
                session,
                title,
                question,
                text,
                account,
            } = answer;
            c.prepare_cached(
                "INSERT INTO conversations (session, title, created_ms, updated_ms)
                 VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT (session) WHERE deleted_ms IS NULL
                 DO UPDATE SET updated_ms = max(updated_ms, ?3)",
            )?
            .execute(params![session, title, now_ms])?;
            c.prepare_cached(
                "INSERT INTO answers (id, conversation, position, asked_ms, question, answer, account)
                 SELECT ?1, seq, 1 + (SELECT coalesce(max(position), 0) FROM answers
                                      WHERE conversation = seq), ?3, ?4, ?5, ?6
                 FROM conversations WHERE session = ?2 AND deleted_ms IS NULL",
            )?
            .execute(params![id.as_bytes(), session, now_ms, question, text, account])?;
            Ok(())
        })
        .await
    }

    /// Conversations, the latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn conversations(
        &self,
        request: ConversationsRequest,
    ) -> Result<Vec<ConversationSummary>, StoreError> {
        self.read(move |c| {
            let deleted = request.deleted.unwrap_or_default();
            let limit = request.limit.unwrap_or(LISTED);
            let query = request.query.unwrap_or_default().to_lowercase();
            let words: Vec<&str> = query.split_whitespace().collect();
            let mut statement = c.prepare_cached(&format!(
                "{SUMMARY} WHERE (deleted_ms IS NOT NULL) = ?1 ORDER BY updated_ms DESC, seq DESC"
            ))?;
            let mut rows = statement.query([deleted])?;
            let mut found = Vec::new();
            while found.len() < limit
                && let Some(row) = rows.next()?
            {
                if words.is_empty() || has_words(c, row.get(6)?, &words)? {
                    found.push(summary(row)?);
                }
            }
            Ok(found)
        })
        .await
    }

    /// A conversation that is not marked as deleted, with the last `turns` of its answers.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn conversation(
        &self,
        session: &str,
        turns: usize,
    ) -> Result<Option<Conversation>, StoreError> {
        let session = session.to_owned();
        self.read(move |c| {
            let found = c
                .prepare_cached(&format!(
                    "{SUMMARY} WHERE session = ?1 AND deleted_ms IS NULL"
                ))?
                .query_row([session], |row| Ok((row.get(6)?, summary(row)?)))
                .optional()?;
            let Some((number, summary)) = found else {
                return Ok(None);
            };
            let number: i64 = number;
            let mut statement = c.prepare_cached(
                "SELECT id, asked_ms, question, account, useful, note, judged_ms, answer FROM
                     (SELECT * FROM answers WHERE conversation = ?1
                      ORDER BY position DESC LIMIT ?2)
                 ORDER BY position",
            )?;
            let read = statement.query_map(params![number, signed(turns)], turn)?;
            let turns = read.collect::<Result<_, _>>()?;
            Ok(Some(Conversation { summary, turns }))
        })
        .await
    }

    /// Marks a conversation as deleted, or brings back the one of this name that was marked last.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; [`AskError`] when there is none, or when another has
    /// taken the name. Nothing was changed then.
    pub async fn mark_conversation(
        &self,
        session: &str,
        deleted: bool,
    ) -> Result<Result<(), AskError>, StoreError> {
        let (session, now_ms) = (session.to_owned(), self.now_ms());
        self.write(move |c, _| {
            let count = |sql: &str| -> Result<i64, StoreError> {
                Ok(c.prepare_cached(sql)?
                    .query_row([&session], |row| row.get(0))?)
            };
            let live = count(
                "SELECT count(*) FROM conversations WHERE session = ?1 AND deleted_ms IS NULL",
            )?;
            let marked = match (deleted, live) {
                (true, _) => c
                    .prepare_cached(
                        "UPDATE conversations SET deleted_ms = ?2
                         WHERE session = ?1 AND deleted_ms IS NULL",
                    )?
                    .execute(params![session, now_ms])?,
                (false, 0) => c
                    .prepare_cached(
                        "UPDATE conversations SET deleted_ms = NULL WHERE seq =
                             (SELECT seq FROM conversations WHERE session = ?1
                              ORDER BY deleted_ms DESC, seq DESC LIMIT 1)",
                    )?
                    .execute([&session])?,
                (false, _) => return Ok(Err(AskError::ConversationThere(session))),
            };
            Ok(match marked {
                0 => Err(AskError::UnknownConversation(session)),
                _ => Ok(()),
            })
        })
        .await
    }

    /// Keeps what someone thought of an answer, or forgets it. `false` where there is no such answer.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing was changed then.
    pub async fn judge_answer(
        &self,
        id: AnswerId,
        feedback: Option<Feedback>,
    ) -> Result<bool, StoreError> {
        self.write(move |c, _| {
            let (useful, note, at) = match feedback {
                Some(said) => (Some(said.useful), said.note, Some(said.at.as_millisecond())),
                None => (None, None, None),
            };
            let changed = c
                .prepare_cached(
                    "UPDATE answers SET useful = ?2, note = ?3, judged_ms = ?4 WHERE id = ?1
                     AND conversation IN (SELECT seq FROM conversations WHERE deleted_ms IS NULL)",
                )?
                .execute(params![id.as_bytes(), useful, note, at])?;
            Ok(changed > 0)
        })
        .await
    }

    /// The answers that were found useful, the first first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn useful_answers(&self) -> Result<Vec<Turn>, StoreError> {
        self.read(move |c| {
            let mut statement = c.prepare_cached(
                "SELECT id, asked_ms, question, account, useful, note, judged_ms, answer FROM answers
                 WHERE useful = 1
                 AND conversation IN (SELECT seq FROM conversations WHERE deleted_ms IS NULL)
                 ORDER BY asked_ms, id",
            )?;
            let read = statement.query_map([], turn)?;
            Ok(read.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Removes for good the conversations that were marked as deleted before a time.
pub(super) fn purge(c: &Connection, before_ms: i64) -> Result<(), StoreError> {
    c.prepare_cached(
        "DELETE FROM answers WHERE conversation IN
             (SELECT seq FROM conversations WHERE deleted_ms < ?1)",
    )?
    .execute([before_ms])?;
    c.prepare_cached("DELETE FROM conversations WHERE deleted_ms < ?1")?
        .execute([before_ms])?;
    Ok(())
}

/// Whether every word stands somewhere in the questions and answers of a conversation.
fn has_words(c: &Connection, conversation: i64, words: &[&str]) -> Result<bool, StoreError> {
    let mut missing: Vec<&str> = words.to_vec();
    let mut statement =
        c.prepare_cached("SELECT question, answer FROM answers WHERE conversation = ?1")?;
    let mut rows = statement.query([conversation])?;
    while !missing.is_empty()
        && let Some(row) = rows.next()?
    {
        for column in 0..2 {
            let text: String = row.get(column)?;
            let text = text.to_lowercase();
            missing.retain(|word| !text.contains(word));
        }
    }
    Ok(missing.is_empty())
}

fn summary(row: &Row<'_>) -> rusqlite::Result<ConversationSummary> {
    let answers: i64 = row.get(5)?;
    Ok(ConversationSummary {
        session: row.get(0)?,
        title: row.get(1)?,
        created_at: time(row.get(2)?),
        updated_at: time(row.get(3)?),
        deleted_at: row.get::<_, Option<i64>>(4)?.map(time),
        answers: answers.unsigned_abs(),
    })
}

fn turn(row: &Row<'_>) -> rusqlite::Result<Turn> {
    let account: String = row.get(3)?;
    let (id, asked_ms) = (AnswerId::from_bytes(row.get(0)?), row.get(1)?);
    let mut answer = serde_json::from_str(&account).unwrap_or_else(|_| unread(id, time(asked_ms)));
    // It stands in a column of its own, to be searched in.
    answer.text = row.get(7)?;
    let useful: Option<bool> = row.get(4)?;
    let feedback = match useful {
        Some(useful) => Some(Feedback {
            useful,
            note: row.get(5)?,
            at: time(row.get(6)?),
        }),
        None => None,
    };
    Ok(Turn {
        id,
        asked_at: time(asked_ms),
        question: row.get(2)?,
        answer,
        feedback,
    })
}

/// An answer of which this version can read no more than the text.
fn unread(id: AnswerId, asked_at: Timestamp) -> Answer {
    Answer {
        kind: AnswerKind::Nothing,
        text: String::new(),
        passages: Vec::new(),
        sources: Vec::new(),
        left_out: Vec::new(),
        removed: Vec::new(),
        marks: Vec::new(),
        end: AnswerEnd::Complete,
        problem: Some(AnswerProblem {
            code: "answer_unread".to_owned(),
            message: "another version kept this answer; this one can read its text alone"
                .to_owned(),
        }),
        model: None,
        cached: false,
        budget: WindowBudget::default(),
        trace_id: TraceId::new(asked_at),
        degraded: Vec::new(),
        session: None,
        id: Some(id),
        not_kept: None,
        times: AnswerTimes::default(),
    }
}
