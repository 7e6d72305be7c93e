//! `hirag source`: folders and files that are kept up to date.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Subcommand};
use hirag::context::ContextLevel;
use hirag::manager::{RunOptions, StoreAccess};
use hirag::sources::{Leave, NewSource, RunOutcome, SourcePatch, SourceRules};

use super::args::Owner;
use super::output::Output;
use super::progress::Bar;
use super::run::stop_on_ctrl_c;
use super::{DONE, FAILED, INTERRUPTED, render};
use crate::commands::{self, Error, Host, Result};

#[derive(Debug, Subcommand)]
pub(super) enum SourceCommand {
    /// Keep a folder or a file up to date from now on
    Add(AddArgs),
    /// List the sources with what came of their last runs
    List,
    /// Show a source
    Show {
        /// Its name or its id
        #[arg(value_name = "NAME|ID")]
        source: String,
    },
    /// Change a source; rules that are given replace those of their kind, and --no-… takes them away
    Change(ChangeArgs),
    /// Read what changed; all sources, or one. Status 1 if anything could not be read
    Run {
        /// Its name or its id
        #[arg(value_name = "NAME|ID")]
        source: Option<String>,
        /// The folder is empty on purpose, or a disk in it is gone for good: delete what they gave
        #[arg(long, requires = "source")]
        emptied: bool,
    },
    /// Keep a source up to date no longer; its contexts stay
    Remove {
        /// Its name or its id
        #[arg(value_name = "NAME|ID")]
        source: String,
        /// Mark its contexts as deleted; `undo` brings them back
        #[arg(long)]
        delete: bool,
    },
}

/// What is read of a source, and as what.
#[derive(Debug, Args)]
pub(super) struct RuleArgs {
    /// Only files that this glob holds for, as in a .gitignore; may be repeated
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// No files that this glob holds for; may be repeated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// The level of contexts that bring none along [default: L3]
    #[arg(long)]
    level: Option<ContextLevel>,
    /// The metadata `doc_type` of contexts that bring none along
    #[arg(long, value_name = "TYPE")]
    doc_type: Option<String>,
    #[command(flatten)]
    owner: Owner,
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The folder or the file
    path: PathBuf,
    /// What it is called [default: as the folder]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    rules: RuleArgs,
    /// Do not watch it: read it only when it is run
    #[arg(long)]
    no_watch: bool,
}

#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    /// Its name or its id
    #[arg(value_name = "NAME|ID")]
    source: String,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    without: WithoutArgs,
    /// Watch it while a window or a server runs
    #[arg(long)]
    watch: bool,
    /// Read it only when it is run
    #[arg(long, conflicts_with = "watch")]
    no_watch: bool,
}

/// Rules to take away.
#[derive(Debug, Args)]
pub(super) struct WithoutArgs {
    /// Read files of all names
    #[arg(long, conflicts_with = "include")]
    no_include: bool,
    /// Leave no files out
    #[arg(long, conflicts_with = "exclude")]
    no_exclude: bool,
    /// Store into the default level
    #[arg(long, conflicts_with = "level")]
    no_level: bool,
    /// Leave `doc_type` to the files
    #[arg(long, conflicts_with = "doc_type")]
    no_doc_type: bool,
    /// Store for no agent
    #[arg(long, conflicts_with = "agent")]
    no_agent: bool,
    /// Store into no session
    #[arg(long, conflicts_with = "session")]
    no_session: bool,
}

/// Commands that only read stand beside a running writer.
pub(super) fn access(command: &SourceCommand) -> StoreAccess {
    match command {
        SourceCommand::List | SourceCommand::Show { .. } => StoreAccess::ReadIfReady,
        _ => StoreAccess::Write,
    }
}

pub(super) async fn run(command: SourceCommand, host: &Host, output: Output) -> Result<u8> {
    match command {
        SourceCommand::Add(args) => {
            let added = commands::source_add(host, new(args)?).await?;
            output.answer(&added, render::source_added)?;
        }
        SourceCommand::List => output.answer(&commands::sources(host).await?, render::sources)?,
        SourceCommand::Show { source } => {
            let found = commands::source_called(host, &source).await?;
            output.answer(&found, render::source)?;
        }
        SourceCommand::Change(args) => {
            let before = commands::source_called(host, &args.source).await?.source;
            let request = commands::SourceChange {
                id: before.id,
                patch: patch(args, before.rules),
            };
            let changed = commands::source_change(host, request).await?;
            output.answer(&changed, render::source)?;
        }
        SourceCommand::Run { source, emptied } => {
            return run_sources(source, emptied, host, output).await;
        }
        SourceCommand::Remove { source, delete } => {
            let request = commands::SourceRemoval {
                id: commands::source_called(host, &source).await?.source.id,
                leave: match delete {
                    true => Leave::Nothing,
                    false => Leave::Contexts,
                },
            };
            let removed = commands::source_remove(host, request).await?;
            output.answer(&removed, render::source_removed)?;
        }
    }
    Ok(DONE)
}

fn new(args: AddArgs) -> Result<NewSource> {
    let path = std::path::absolute(&args.path)?;
    let path = path.into_os_string().into_string();
    Ok(NewSource {
        path: path.map_err(|_| Error::BadRequest {
            key: "path",
            value: args.path.display().to_string(),
            rule: "must be UTF-8",
        })?,
        name: args.name,
        watch: !args.no_watch,
        rules: rules(args.rules, SourceRules::default()),
    })
}

fn patch(args: ChangeArgs, before: SourceRules) -> SourcePatch {
    SourcePatch {
        name: args.name,
        watch: (args.watch || args.no_watch).then_some(args.watch),
        rules: Some(rules(args.rules, without(&args.without, before))),
    }
}

fn without(args: &WithoutArgs, before: SourceRules) -> SourceRules {
    let globs = |without: bool, before| if without { Vec::new() } else { before };
    SourceRules {
        include: globs(args.no_include, before.include),
        exclude: globs(args.no_exclude, before.exclude),
        level: before.level.filter(|_| !args.no_level),
        doc_type: before.doc_type.filter(|_| !args.no_doc_type),
        agent: before.agent.filter(|_| !args.no_agent),
        session: before.session.filter(|_| !args.no_session),
    }
}

fn rules(given: RuleArgs, before: SourceRules) -> SourceRules {
    let globs = |given: Vec<String>, before| if given.is_empty() { before } else { given };
    SourceRules {
        include: globs(given.include, before.include),
        exclude: globs(given.exclude, before.exclude),
        level: given.level.or(before.level),
        doc_type: given.doc_type.or(before.doc_type),
        agent: given.owner.agent.or(before.agent),
        session: given.owner.session.or(before.session),
    }
}

async fn run_sources(
    source: Option<String>,
    emptied: bool,
    host: &Host,
    output: Output,
) -> Result<u8> {
    let id = match source {
        Some(source) => Some(commands::source_called(host, &source).await?.source.id),
        None => None,
    };
    let cancel = Arc::new(AtomicBool::new(false));
    let options = RunOptions {
        cancel: Arc::clone(&cancel),
        emptied,
    };
    let watch = tokio::spawn(stop_on_ctrl_c(cancel, output));
    let bar = Bar::import(output);
    let ran = commands::source_run(host, id, options, |_, at| bar.imported(at)).await;
    drop(bar);
    watch.abort();
    let ran = ran?;
    let stopped = |one: &commands::RanSource| one.run.outcome == RunOutcome::Stopped;
    let stopped = ran.runs.iter().any(stopped);
    if !stopped {
        let bar = Bar::counted(output, "embedding what waits");
        commands::catch_up(host, |p| bar.embedded(p)).await;
    }
    output.answer(&ran, render::ran_sources)?;
    Ok(match (stopped, ran.ok) {
        (true, _) => INTERRUPTED,
        (_, true) => DONE,
        (_, false) => FAILED,
    })
}
