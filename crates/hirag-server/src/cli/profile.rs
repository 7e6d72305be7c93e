//! `hirag profile`: does one operation, and tells where its time went.

use hirag::config::Config;
use hirag::context::{ContextRequest, SearchMode};
use hirag::manager::StoreAccess;

use super::args::{ProfileArgs, Profiled};
use super::output::Output;
use super::places::Places;
use super::values::{text, text_or_stdin};
use super::{DONE, open, render, run};
use crate::commands::{self, Error, Host, Result};
use crate::pictures::{self, Theme};
use crate::profile::{Profile, Recorder};
use crate::whole_file::WholeFile;

/// Pixels of a flame graph's width.
const WIDTH: u32 = 1_200;

pub(super) async fn profile(
    args: ProfileArgs,
    config: Config,
    places: &Places,
    recorder: &Recorder,
    output: Output,
) -> Result<u8> {
    // Before the work, as its picture would be lost after it.
    let picture = args.svg.as_deref().map(WholeFile::begin).transpose()?;
    let said = said(&args.command, config.limits.max_text_bytes)?;
    let access = match args.command {
        Profiled::Search(_) => StoreAccess::WriteIfFree,
        Profiled::Store(_) | Profiled::Import(_) => StoreAccess::Write,
    };
    let host = open::open(config, places, access).await?;
    let outcome = profiled(args.command, said, args.warm, &host, recorder).await;
    let closed = host.manager().shut_down().await;
    let profile = outcome?;
    closed?;
    if let (Some(mut file), Some(place)) = (picture, &args.svg) {
        let chart = pictures::draw_flames(&profile, Theme::Light, WIDTH)?;
        file.put(chart.svg.as_bytes())?;
        file.finish()?;
        output.note(&format!("The flame graph is in {}.", place.display()));
    }
    output.answer(&profile, render::profile)?;
    Ok(DONE)
}

fn said(command: &Profiled, limit: usize) -> Result<String> {
    match command {
        Profiled::Search(args) => text(args.query.clone(), "the query"),
        Profiled::Store(args) => text_or_stdin(args.text.clone(), limit),
        Profiled::Import(_) => Ok(String::new()),
    }
}

async fn profiled(
    command: Profiled,
    said: String,
    warm: bool,
    host: &Host,
    recorder: &Recorder,
) -> Result<Profile> {
    if warm {
        warm_up(host).await?;
    }
    let (done, profile) = match command {
        Profiled::Search(args) => {
            let request = run::search_request(said, args)?;
            let work = async { commands::search(host, request).await.map(drop) };
            recorder.record("search", work).await
        }
        Profiled::Store(args) => {
            let new = run::new_context(args, said);
            let work = async { commands::store(host, new).await.map(drop) };
            recorder.record("store", work).await
        }
        Profiled::Import(args) => {
            let (paths, options) = run::import_options(args);
            let work = async {
                let import = commands::import(host, paths, options, |_| ());
                import.await.map(drop)
            };
            recorder.record("import", work).await
        }
    };
    done?;
    profile.ok_or_else(|| {
        Error::Internal("another log was started in this process; nothing was recorded".to_owned())
    })
}

/// Loads what the first operation of a process loads: the model, and what is held to search. Nothing
/// is counted or kept of it; a model that cannot be had is left to the operation.
async fn warm_up(host: &Host) -> Result<()> {
    let manager = host.manager();
    let _ = manager.probe_provider().await;
    let request = ContextRequest {
        mode: SearchMode::Text,
        ..ContextRequest::new("warm")
    };
    manager.look_up(request).await?;
    Ok(())
}
