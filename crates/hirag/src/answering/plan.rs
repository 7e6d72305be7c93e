//! How the tokens of a question are divided, and what goes into it.

use super::pack::{Packing, pack};
use super::prompt::{Exchange, Prompt, rules, text_of};
use super::words::QueryWords;
use super::{AnswerSource, LeftOut, WindowBudget};
use crate::context::RetrievedContext;
use crate::tokens::TokenEstimator;

/// Tokens of a message beside its text, with room to spare: chat models need three to eight.
const AROUND_MESSAGE: u32 = 8;
/// Tokens of a source's marks and facts beside its title, section and name.
const AROUND_SOURCE: u32 = 60;
/// The part of the window that is kept free because models count otherwise than we do.
const MARGIN: u32 = 20;

/// What there is to plan with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanRequest<'a> {
    /// The question.
    pub(crate) question: &'a str,
    /// The conversation so far, the oldest first.
    pub(crate) history: &'a [Exchange],
    /// What was found, the best first.
    pub(crate) found: &'a [RetrievedContext],
    /// Tokens of the window, the answer, the history and the sources, each at most.
    pub(crate) window: u32,
    pub(crate) answer: u32,
    pub(crate) history_tokens: u32,
    pub(crate) sources: u32,
}

/// What goes into a question.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    request: PlanRequest<'a>,
    history: &'a [Exchange],
    packing: Packing<'a>,
    budget: WindowBudget,
}

impl<'a> Plan<'a> {
    /// Divides the tokens: rules, question and answer have theirs, the latest of the conversation gets
    /// its part, whole questions with their answers, and the sources get what is left.
    pub(crate) fn make(request: PlanRequest<'a>, tokens: &TokenEstimator) -> Self {
        let count = |text: &str| tokens.count(text).saturating_add(AROUND_MESSAGE);
        let mut budget = WindowBudget {
            window: request.window,
            answer: request.answer,
            rules: count(&rules("0123456789abcdef")),
            question: count(request.question),
            margin: request.window / MARGIN,
            ..WindowBudget::default()
        };
        let taken = [budget.answer, budget.rules, budget.question, budget.margin];
        let mut free = taken
            .iter()
            .fold(request.window, |free, n| free.saturating_sub(*n));
        // Half of what is free at most: a question without sources is of no use.
        let room = request.history_tokens.min(free / 2);
        let mut first = request.history.len();
        for exchange in request.history.iter().rev() {
            let size = count(&exchange.question).saturating_add(count(&exchange.answer));
            if budget.history.saturating_add(size) > room {
                break;
            }
            budget.history += size;
            first -= 1;
        }
        free -= budget.history;
        budget.sources = free.min(request.sources);
        let texts: Vec<&str> = request.found.iter().map(|f| &*f.context.text).collect();
        let around = request
            .found
            .iter()
            .map(|found| AROUND_SOURCE + names(found, tokens))
            .max();
        let words = QueryWords::of(request.question);
        let packing = pack(
            &texts,
            budget.sources,
            around.unwrap_or_default(),
            &words,
            tokens,
        );
        budget.used = packing.used;
        Self {
            history: &request.history[first..],
            request,
            packing,
            budget,
        }
    }

    /// How the tokens are divided.
    pub(crate) fn budget(&self) -> WindowBudget {
        self.budget
    }

    /// What a model is told, with the question as given here.
    pub(crate) fn prompt(&self, question: &'a str) -> Prompt<'a> {
        let sources = self.packing.taken.iter();
        Prompt {
            history: self.history,
            sources: sources
                .map(|taken| (&self.request.found[taken.index].context, *taken))
                .collect(),
            question,
        }
    }

    /// The sources as they are told.
    pub(crate) fn sources(&self) -> Vec<AnswerSource> {
        let sources = (1..).zip(&self.packing.taken).map(|(number, taken)| {
            let found = &self.request.found[taken.index];
            let context = &found.context;
            AnswerSource {
                number,
                id: context.id,
                source: context.source.clone(),
                title: text_of(context, "title").map(str::to_owned),
                section: text_of(context, "heading").map(str::to_owned),
                session: context.session.clone(),
                level: context.level,
                score: found.score,
                tokens: taken.tokens,
                trimmed: taken.trimmed,
                cited: false,
                text: Some(taken.text.to_owned()),
            }
        });
        sources.collect()
    }

    /// What was found and did not fit.
    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        let left_out = self.packing.left_out.iter().map(|index| {
            let context = &self.request.found[*index].context;
            LeftOut {
                id: context.id,
                source: context.source.clone(),
                title: text_of(context, "title").map(str::to_owned),
                section: text_of(context, "heading").map(str::to_owned),
                tokens: context.token_count,
            }
        });
        left_out.collect()
    }
}

/// Tokens of what a source is called.
fn names(found: &RetrievedContext, tokens: &TokenEstimator) -> u32 {
    let context = &found.context;
    let names = [
        text_of(context, "title"),
        text_of(context, "heading"),
        context.source.as_deref(),
    ];
    names
        .into_iter()
        .flatten()
        .map(|name| tokens.count(name))
        .sum()
}

#[cfg(test)]
mod tests;
