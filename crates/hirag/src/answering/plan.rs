//! How the tokens of a question are divided, and what goes into it.

use std::borrow::Cow;

use super::pack::{Packing, Room, pack};
use super::prompt::{Exchange, Names, Prompt, rules};
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
    /// Tokens of the sources at most.
    pub(crate) sources: u32,
    /// What the model that reads it can take; `None` where nobody words an answer.
    pub(crate) window: Option<Window>,
}

/// What a model can take, each in tokens at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) tokens: u32,
    pub(crate) answer: u32,
    pub(crate) history: u32,
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
        let (mut budget, history, room) = match request.window {
            Some(window) => divide(request, window, tokens),
            None => (WindowBudget::default(), &[][..], u32::MAX),
        };
        budget.sources = room.min(request.sources);
        let around = |found: &'a RetrievedContext| match request.window {
            Some(_) => AROUND_SOURCE + names(found, tokens),
            None => 0,
        };
        let found = request.found.iter();
        let passages: Vec<(&str, u32)> = found
            .map(|found| (&*found.context.text, around(found)))
            .collect();
        let room = Room {
            passages: request.sources,
            all: room,
        };
        let words = QueryWords::of(request.question);
        let packing = pack(&passages, room, &words, tokens);
        budget.used = packing.used;
        Self {
            request,
            history,
            packing,
            budget,
        }
    }

    /// Whether there is anything that an answer can be worded from.
    pub(crate) fn says_something(&self) -> bool {
        !self.packing.taken.is_empty()
            || (self.request.found.is_empty() && !self.history.is_empty())
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
            let names = Names::of(context);
            AnswerSource {
                number,
                id: context.id,
                source: names.source.map(Cow::into_owned),
                title: names.title.map(Cow::into_owned),
                section: names.section.map(Cow::into_owned),
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
            let names = Names::of(context);
            LeftOut {
                id: context.id,
                source: names.source.map(Cow::into_owned),
                title: names.title.map(Cow::into_owned),
                section: names.section.map(Cow::into_owned),
                tokens: context.token_count,
            }
        });
        left_out.collect()
    }
}

/// What a question to a model divides its window into, the part of the conversation that goes along,
/// and the tokens that are left for sources with what stands around them.
fn divide<'a>(
    request: PlanRequest<'a>,
    window: Window,
    tokens: &TokenEstimator,
) -> (WindowBudget, &'a [Exchange], u32) {
    let count = |text: &str| tokens.count(text).saturating_add(AROUND_MESSAGE);
    let mut budget = WindowBudget {
        window: window.tokens,
        answer: window.answer,
        rules: count(&rules("0123456789abcdef")),
        question: count(request.question),
        margin: window.tokens / MARGIN,
        ..WindowBudget::default()
    };
    let taken = [budget.answer, budget.rules, budget.question, budget.margin];
    let free = taken
        .iter()
        .fold(window.tokens, |free, n| free.saturating_sub(*n));
    // Half of what is free at most: a question without sources is of little use.
    let room = window.history.min(free / 2);
    let mut first = request.history.len();
    for exchange in request.history.iter().rev() {
        let size = count(&exchange.question).saturating_add(count(&exchange.answer));
        if budget.history.saturating_add(size) > room {
            break;
        }
        budget.history += size;
        first -= 1;
    }
    let left = free - budget.history;
    (budget, &request.history[first..], left)
}

/// Tokens of what a source is called.
fn names(found: &RetrievedContext, tokens: &TokenEstimator) -> u32 {
    let names = Names::of(&found.context);
    let names = [names.title, names.section, names.source];
    let names = names.iter().flatten();
    names.map(|name| tokens.count(name)).sum()
}

#[cfg(test)]
mod tests;
