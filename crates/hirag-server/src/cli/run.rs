//! From arguments to an exit status.

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hirag::clock::SystemClock;
use hirag::config::Config;
use hirag::context::{ContextId, ContextPatch, ContextRequest, NewContext};
use hirag::export::ExportFormat;
use hirag::manager::{EvalOptions, HealthState, ImportOptions, ListRequest, StoreAccess};
use hirag::store::Order;
use serde_json::Value;

use super::args::{
    AskArgs, Cli, Command, ConversationsCommand, EvalArgs, ExportArgs, ImportArgs, ListArgs,
    MoveArgs, SearchArgs, SearchOptions, StoreArgs, UpdateArgs, WhyArgs,
};
use super::output::{Output, reader_gone};
use super::places::Places;
use super::progress::Bar;
use super::values::{filter_of, metadata, text, text_or_stdin};
use super::{
    DONE, FAILED, INTERRUPTED, USAGE, asking, load, mcp, open, output, profile, render, serve,
    source, token,
};
use crate::commands::{self, Error, Host, Result};
use crate::profile::Recorder;

/// How long `store` helps along what waits for its vector, before it leaves the rest to others.
const CATCH_UP: Duration = Duration::from_secs(3);

/// Runs a command and returns the exit status.
pub(super) fn run(cli: Cli) -> u8 {
    let output = match cli.command {
        // Standard output is the client's alone.
        Command::Mcp { command: None } => Output::new(&cli.global).without_json(),
        _ => Output::new(&cli.global),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli, output)),
        Err(error) => Err(Error::Internal(format!("no threads to work with: {error}"))),
    };
    match outcome {
        Ok(status) => status,
        Err(error) if reader_gone(&error) => DONE,
        Err(error) => {
            output.failure(&error);
            FAILED
        }
    }
}

async fn dispatch(cli: Cli, output: Output) -> Result<u8> {
    let places = Places::of(&cli.global)?;
    let config = open::load(&places)?;
    let recorder = Recorder::default();
    let listens = matches!(cli.command, Command::Profile(_)).then(|| recorder.clone());
    open::start_logging(&config.logging, &cli.global, listens);
    match cli.command {
        Command::Settings => {
            let answer = commands::settings(config, &places.config_file, &places.data_dir);
            output.answer(&answer, render::settings)?;
            Ok(DONE)
        }
        Command::Restore { file } => restore(file, &places, output).await,
        Command::Token(command) => token::run(command, &places, output).await,
        Command::Load(args) => load::run(args, &places, output).await,
        Command::Profile(args) => profile::profile(args, config, &places, &recorder, output).await,
        Command::Serve(args) => serve::run(args, &places, output).await,
        Command::Mcp { command } => mcp::run(command, &config, places, output).await,
        Command::Export(ref args) if output.is_json() && args.file.as_os_str() == "-" => {
            let sentence = "`export -` prints what it exports, and --json one document; \
                            leave --json out or name a file";
            output::fail(true, "usage", sentence);
            Ok(USAGE)
        }
        Command::Export(ref args) if args.by_session && args.format != ExportFormat::Markdown => {
            let sentence = "--by-session is for --format markdown; leave it out";
            output::fail(output.is_json(), "usage", sentence);
            Ok(USAGE)
        }
        command => {
            // Whoever types at standard input must not hold the database meanwhile.
            let said = said(&command, config.limits.max_text_bytes)?;
            let host = match open::open(config.clone(), &places, access(&command)).await {
                Err(why) if matches!(command, Command::Doctor) && why.code() == "store_corrupt" => {
                    return damaged(&config, &places, &why, output).await;
                }
                opened => opened?,
            };
            let outcome = with_memory(command, said, &host, output).await;
            let closed = host.manager().shut_down().await;
            let status = outcome?;
            closed?;
            Ok(status)
        }
    }
}

/// Tells how far a database is damaged that cannot be opened.
async fn damaged(config: &Config, places: &Places, why: &Error, output: Output) -> Result<u8> {
    let (file, data_dir) = (&places.config_file, &places.data_dir);
    let found = commands::doctor_of_closed(config, file, data_dir, why).await?;
    output.answer(&found, render::doctor)?;
    Ok(FAILED)
}

/// Commands that only read stand beside a running writer. Those that may take long leave the
/// place of the writer to others.
fn access(command: &Command) -> StoreAccess {
    match command {
        Command::Why(_)
        | Command::Get { .. }
        | Command::List(_)
        | Command::Stats
        | Command::Trace { .. }
        | Command::Eval(_)
        | Command::Export(_)
        | Command::Backup { .. } => StoreAccess::ReadIfReady,
        Command::Source(command) => source::access(command),
        Command::Conversations(
            ConversationsCommand::List { .. }
            | ConversationsCommand::Show { .. }
            | ConversationsCommand::Export { .. }
            | ConversationsCommand::Golden { .. },
        ) => StoreAccess::ReadIfReady,
        Command::Ask(_)
        | Command::Search(_)
        | Command::Health
        | Command::Doctor
        | Command::Gc { dry_run: true } => StoreAccess::WriteIfFree,
        _ => StoreAccess::Write,
    }
}

/// The text or the query of a command, read to its end.
fn said(command: &Command, limit: usize) -> Result<Option<String>> {
    match command {
        Command::Store(StoreArgs { text, .. })
        | Command::Update(UpdateArgs {
            text: Some(text), ..
        }) => text_or_stdin(text.clone(), limit).map(Some),
        Command::Search(SearchArgs { query, .. }) | Command::Why(WhyArgs { query, .. }) => {
            text(query.clone(), "the query").map(Some)
        }
        Command::Ask(AskArgs { question, .. }) => text(question.clone(), "the question").map(Some),
        _ => Ok(None),
    }
}

/// Runs a command on an open memory; `said` is its text or query.
async fn with_memory(
    command: Command,
    said: Option<String>,
    host: &Host,
    output: Output,
) -> Result<u8> {
    match command {
        Command::Import(args) => return import(args, host, output).await,
        Command::Source(command) => return source::run(command, host, output).await,
        Command::Store(args) => store(args, said.unwrap_or_default(), host, output).await?,
        Command::Search(args) => search(args, said.unwrap_or_default(), host, output).await?,
        Command::Ask(args) => {
            return asking::ask(args, said.unwrap_or_default(), host, output).await;
        }
        Command::Conversations(command) => asking::conversations(command, host, output).await?,
        Command::Get { id } => {
            output.answer(&commands::get(host, id).await?, render::context)?;
        }
        Command::Update(args) => update(args, said, host, output).await?,
        Command::Move(args) => move_to(args, host, output).await?,
        Command::Delete { ids } => {
            let request = commands::DeleteRequest { ids };
            output.answer(&commands::delete(host, request).await?, render::deletion)?;
        }
        Command::Undo { ids } => {
            let ids = (!ids.is_empty()).then_some(ids);
            let restored = commands::undo(host, commands::UndoRequest { ids }).await?;
            output.answer(&restored, render::restored)?;
        }
        Command::List(args) => list(args, host, output).await?,
        Command::Clear { level } => {
            output.answer(&commands::clear(host, level).await?, render::deletion)?;
        }
        Command::Eval(args) => eval(args, host, output).await?,
        Command::Stats => output.answer(&commands::stats(host).await?, render::stats)?,
        Command::Health => {
            let health = commands::health(host).await;
            output.answer(&health, render::health)?;
            return Ok(status_of(health.state != HealthState::Unhealthy));
        }
        Command::Doctor => {
            let bar = Bar::counted(output, "embedding");
            let doctor = commands::doctor(host, |p| bar.embedded(p)).await?;
            drop(bar);
            output.answer(&doctor, render::doctor)?;
            return Ok(status_of(doctor.ok));
        }
        Command::Gc { dry_run } => {
            output.answer(&commands::collect(host, dry_run).await?, render::collected)?;
        }
        Command::Purge { older_than } => {
            let older_than = older_than.map(|period| period.duration());
            output.answer(&commands::purge(host, older_than).await?, render::purge)?;
        }
        Command::Reembed => {
            let bar = Bar::counted(output, "embedding");
            let reembedded = commands::reembed(host, |p| bar.embedded(p)).await?;
            drop(bar);
            output.answer(&reembedded, render::reembedded)?;
        }
        Command::Why(WhyArgs { id, options, .. }) => {
            let request = request_of(said.unwrap_or_default(), options)?;
            let why = commands::why(host, commands::WhyRequest { id, request }).await?;
            output.answer(&why, render::why)?;
        }
        Command::Trace { id } => {
            let trace = commands::trace(host, id).await?;
            let known = known(Some(render::named(&trace, true)), host, output).await?;
            output.answer(&trace, |trace, style| render::trace(trace, &known, style))?;
        }
        Command::Export(args) => export(args, host, output).await?,
        Command::Backup { file } => {
            let bar = Bar::bytes(output, "copying");
            let watch = move |p| {
                bar.copied(p);
                ControlFlow::Continue(())
            };
            let backup = commands::backup(host, &file, watch).await?;
            output.answer(&backup, render::backup)?;
        }
        // These need no open memory, or open it themselves.
        Command::Settings
        | Command::Restore { .. }
        | Command::Token(_)
        | Command::Load(_)
        | Command::Profile(_)
        | Command::Serve(_)
        | Command::Mcp { .. } => {}
    }
    Ok(DONE)
}

fn status_of(ok: bool) -> u8 {
    if ok { DONE } else { FAILED }
}

/// What the arguments of `import` say.
pub(super) fn import_options(args: ImportArgs) -> (Vec<PathBuf>, ImportOptions) {
    let options = ImportOptions {
        format: args.format,
        level: args.level,
        session: args.owner.session,
        agent: args.owner.agent,
        cancel: Arc::default(),
    };
    (args.paths, options)
}

async fn import(args: ImportArgs, host: &Host, output: Output) -> Result<u8> {
    let (paths, options) = import_options(args);
    let watch = tokio::spawn(stop_on_ctrl_c(Arc::clone(&options.cancel), output));
    let bar = Bar::import(output);
    let report = commands::import(host, paths, options, |p| bar.imported(p)).await;
    drop(bar);
    watch.abort();
    let report = report?;
    let embedded = match report.cancelled {
        true => 0,
        false => {
            let bar = Bar::counted(output, "embedding what waits");
            commands::catch_up(host, |p| bar.embedded(p)).await
        }
    };
    output.answer(&report, render::import)?;
    if embedded > 0 {
        output.note(&match embedded {
            1 => "1 context that had waited got its vector.".to_owned(),
            _ => format!("{embedded} contexts that had waited got their vectors."),
        });
    }
    Ok(match report.cancelled {
        true => INTERRUPTED,
        false => status_of(report.failed.is_empty()),
    })
}

/// The first Ctrl-C asks the import to end; the second ends the program.
pub(super) async fn stop_on_ctrl_c(cancel: Arc<AtomicBool>, output: Output) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    cancel.store(true, Ordering::Relaxed);
    output.note("Stopping after the batch under way; Ctrl-C again stops at once.");
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(INTERRUPTED.into());
    }
}

/// What the arguments of `store` say.
pub(super) fn new_context(args: StoreArgs, text: String) -> NewContext {
    let now = SystemClock::shared().now();
    NewContext {
        text,
        level: Some(args.level),
        agent: args.owner.agent,
        session: args.owner.session,
        metadata: metadata(args.meta),
        source: args.source,
        expires_at: args.expires.and_then(|expiry| expiry.moment(now)),
        priority: args.priority,
        ..NewContext::default()
    }
}

async fn store(args: StoreArgs, text: String, host: &Host, output: Output) -> Result<()> {
    let stored = commands::store(host, new_context(args, text)).await?;
    output.answer(&stored, render::stored)?;
    if stored.pending_because.is_none() {
        // What was embedded before the time is up is stored; the rest waits on.
        let _ = tokio::time::timeout(CATCH_UP, commands::catch_up(host, |_| ())).await;
    }
    Ok(())
}

fn request_of(query: String, options: SearchOptions) -> Result<ContextRequest> {
    Ok(ContextRequest {
        max_tokens: options.max_tokens,
        limit: options.limit,
        levels: options.level,
        filter: filter_of(options.which, None)?,
        mode: options.mode,
        ..ContextRequest::new(query)
    })
}

/// What the arguments of `search` say.
pub(super) fn search_request(query: String, args: SearchArgs) -> Result<ContextRequest> {
    Ok(ContextRequest {
        explain: args.explain,
        exact: args.exact,
        ..request_of(query, args.options)?
    })
}

async fn search(args: SearchArgs, query: String, host: &Host, output: Output) -> Result<()> {
    let request = search_request(query.clone(), args)?;
    let answer = commands::search(host, request).await?;
    let named = answer.trace.as_ref();
    let known = known(named.map(|trace| render::named(trace, false)), host, output).await?;
    output.answer(&answer, |answer, style| {
        render::search(&query, answer, &known, style)
    })
}

/// The contexts of a record that its text names.
async fn known(
    named: Option<Vec<ContextId>>,
    host: &Host,
    output: Output,
) -> Result<render::Known> {
    let named = named.filter(|_| !output.is_json()).unwrap_or_default();
    let contexts = host.manager().get_many(&named).await?;
    Ok(contexts
        .into_iter()
        .map(|context| (context.id, context))
        .collect())
}

async fn update(args: UpdateArgs, text: Option<String>, host: &Host, output: Output) -> Result<()> {
    let now = SystemClock::shared().now();
    let mut merge = metadata(args.meta);
    merge.extend(args.unset.into_iter().map(|key| (key, Value::Null)));
    let patch = ContextPatch {
        text,
        metadata: None,
        merge_metadata: (!merge.is_empty()).then_some(merge),
        level: args.level,
        expires_at: args.expires.map(|expiry| expiry.moment(now)),
    };
    let request = commands::UpdateRequest { id: args.id, patch };
    output.answer(&commands::update(host, request).await?, render::context)
}

async fn move_to(args: MoveArgs, host: &Host, output: Output) -> Result<()> {
    let Some(level) = args.level.or(args.to) else {
        return Err(Error::Internal("a move without a level".to_owned()));
    };
    let request = commands::MoveRequest { id: args.id, level };
    output.answer(&commands::move_to(host, request).await?, render::moved)
}

async fn list(args: ListArgs, host: &Host, output: Output) -> Result<()> {
    let request = ListRequest {
        filter: filter_of(args.which, args.level)?,
        order: match args.oldest_first {
            true => Order::OldestFirst,
            false => args.order,
        },
        cursor: args.cursor,
        skip: args.skip,
        limit: args.limit,
        deleted: args.deleted,
    };
    output.answer(&commands::list(host, request).await?, render::list)
}

async fn eval(args: EvalArgs, host: &Host, output: Output) -> Result<()> {
    let options = EvalOptions {
        queries: args.queries,
        qrels: args.qrels,
        filter_field: args.filter_field,
        k: args.k,
        mode: args.mode,
    };
    let bar = Bar::counted(output, "asking");
    let report = commands::eval(host, options, |done, total| {
        bar.at(done as u64, total as u64);
    });
    let report = report.await?;
    drop(bar);
    if report.recall == 0.0 && report.queries > 0 {
        output.note(
            "None of the right answers was found. Answers are known by the metadata `source_id`, or by the \
             context's id: are they in this memory?",
        );
    }
    output.answer(&report, render::eval)
}

async fn export(args: ExportArgs, host: &Host, output: Output) -> Result<()> {
    let bar = Bar::open_ended(output, "exporting");
    if args.file.as_os_str() == "-" {
        // The lock cannot be held across awaits; the buffer keeps the writes few.
        let out = BufWriter::new(std::io::stdout());
        let done = commands::export(host, args.format, out, |done| bar.count(done));
        let (mut out, _) = done.await?;
        return Ok(out.flush()?);
    }
    let request = commands::ExportRequest {
        place: args.file,
        format: args.format,
        by_session: args.by_session,
    };
    let exported = commands::export_file(host, &request, |done| bar.count(done)).await?;
    drop(bar);
    output.answer(&exported, render::exported)
}

async fn restore(file: PathBuf, places: &Places, output: Output) -> Result<u8> {
    let request = commands::RestoreRequest {
        backup: file,
        data_dir: places.data_dir.clone(),
    };
    let restored = commands::restore(request, SystemClock::shared()).await?;
    output.answer(&restored, render::restored_database)?;
    Ok(DONE)
}
