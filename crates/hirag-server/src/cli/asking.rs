//! `hirag ask` and `hirag conversations`.

use futures::StreamExt;
use hirag::answering::{
    AnswerEnd, AnswerKind, AskEvent, AskRequest, Conversation, ConversationsRequest,
};
use hirag::config::ChatProviderKind;
use serde::Serialize;

use super::args::{AskArgs, ConversationsCommand, Which};
use super::output::Output;
use super::values::filter_of;
use super::{DONE, FAILED, INTERRUPTED, open, render};
use crate::commands::{self, ConversationFormat, ConversationRequest, Host, JudgeRequest, Result};
use crate::secrets::TokenKind;
use crate::whole_file::WholeFile;

/// What was done about a conversation or an answer.
#[derive(Debug, Serialize)]
struct Told {
    done: String,
}

/// Answers a question, word by word. Ctrl-C stops the answer, and the model with it.
pub(super) async fn ask(
    args: AskArgs,
    question: String,
    host: &Host,
    output: Output,
) -> Result<u8> {
    bring_token(host).await;
    let filter = filter_of(
        Which {
            filter: args.filter,
            where_: args.where_,
            ..Which::default()
        },
        None,
    )?;
    let request = AskRequest {
        session: args.session,
        keep: !args.forget,
        max_tokens: args.max_tokens,
        levels: args.level,
        filter,
        mode: args.mode,
        extractive: args.extractive,
        fresh: args.fresh,
        ..AskRequest::new(question)
    };
    let told = tell(request, host, output);
    tokio::select! {
        told = told => told,
        _ = tokio::signal::ctrl_c() => {
            output.stream("\n")?;
            output.note("Stopped; nothing is kept of this answer.");
            Ok(INTERRUPTED)
        }
    }
}

/// Half an answer is a failure to whoever goes on with it.
async fn tell(request: AskRequest, host: &Host, output: Output) -> Result<u8> {
    let mut status = DONE;
    let mut events = commands::ask(host, request).await?;
    let mut worded = false;
    while let Some(event) = events.next().await {
        match event {
            AskEvent::Begun(begun) => worded = begun.kind == AnswerKind::Worded,
            // Passages are told with their marks, when all are there.
            AskEvent::Text(words) if worded => {
                output.stream(&render::harmless(&words))?;
            }
            AskEvent::Done(answer) => {
                output.answer(&*answer, render::answer)?;
                if let Some(problem) = &answer.not_kept {
                    output.note(&render::harmless(&problem.message));
                }
                if answer.end == AnswerEnd::BrokenOff {
                    status = FAILED;
                }
            }
            AskEvent::Found(_) | AskEvent::Text(_) => {}
        }
    }
    Ok(status)
}

/// The token of the chat endpoint; no keyring is unlocked where nobody words answers.
async fn bring_token(host: &Host) {
    let manager = host.manager();
    if manager.config().chat.provider == ChatProviderKind::None {
        return;
    }
    let found = tokio::task::spawn_blocking(|| open::secrets().get(TokenKind::Chat));
    let token = found.await.ok().flatten().map(|(token, _)| token);
    manager.set_chat_token(token);
}

pub(super) async fn conversations(
    command: ConversationsCommand,
    host: &Host,
    output: Output,
) -> Result<()> {
    let done =
        |output: Output, done: String| output.answer(&Told { done }, |told, _| told.done.clone());
    match command {
        ConversationsCommand::List {
            query,
            limit,
            deleted,
        } => {
            let request = ConversationsRequest {
                query,
                limit: Some(limit),
                deleted: Some(deleted),
            };
            let found = commands::conversations(host, request).await?;
            output.answer(&found, render::conversations)
        }
        ConversationsCommand::Show { session } => {
            let found = commands::conversation(host, ConversationRequest { session }).await?;
            output.answer(&found, |found: &Conversation, _| {
                render::harmless(&hirag::answering::markdown(found))
            })
        }
        ConversationsCommand::Export {
            session,
            file,
            format,
        } => {
            let request = ConversationRequest { session };
            let text = commands::conversation_text(host, request, format).await?;
            if file.as_os_str() == "-" {
                return output.raw(&text);
            }
            let mut out = WholeFile::begin(&file)?;
            out.put(text.as_bytes())?;
            out.finish()?;
            done(output, format!("Written to {}.", file.display()))
        }
        ConversationsCommand::Delete { session } => {
            let request = ConversationRequest { session };
            commands::delete_conversation(host, request.clone()).await?;
            let session = request.session;
            done(
                output,
                format!("Deleted; `hirag conversations restore {session}` brings it back."),
            )
        }
        ConversationsCommand::Restore { session } => {
            commands::restore_conversation(host, ConversationRequest { session }).await?;
            done(output, "It is there again.".to_owned())
        }
        ConversationsCommand::Store { session } => {
            let request = ConversationRequest { session };
            let stored = commands::store_conversation(host, request).await?;
            output.answer(&stored, |stored, _| {
                format!("Stored {} in L2.", render::contexts(stored.contexts.len()))
            })
        }
        ConversationsCommand::Feedback(said) => {
            let request = JudgeRequest {
                id: said.answer,
                useful: (!said.verdict.take_back).then_some(said.verdict.useful),
                note: said.note,
            };
            commands::judge(host, request).await?;
            done(output, "Kept.".to_owned())
        }
        ConversationsCommand::Golden { folder, force } => {
            let written = commands::golden(host, &folder, force).await?;
            output.answer(&written, |written, _| {
                format!(
                    "{}; measure with `hirag eval --queries {} --qrels {}`.",
                    render::queries(written.count),
                    written.queries,
                    written.qrels
                )
            })
        }
    }
}

/// What a format of conversations is called.
pub(super) fn format(name: &str) -> Result<ConversationFormat, String> {
    match name {
        "markdown" => Ok(ConversationFormat::Markdown),
        "json" => Ok(ConversationFormat::Json),
        _ => Err(format!("unknown format `{name}`; use markdown or json")),
    }
}
