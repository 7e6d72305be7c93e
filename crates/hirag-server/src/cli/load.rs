//! `hirag load`: needs no memory, only a server.

use hirag::clock::SystemClock;
use secrecy::SecretString;

use super::args::LoadArgs;
use super::output::Output;
use super::places::Places;
use super::progress::Bar;
use super::{DONE, FAILED, INTERRUPTED, USAGE, open, render, token};
use crate::commands::{Error, Result};
use crate::load::{self, LoadPlan, LoadReport, Target};
use crate::secrets::{TokenKind, TokenSource};
use crate::whole_file::WholeFile;

pub(super) async fn run(args: LoadArgs, places: &Places, output: Output) -> Result<u8> {
    match measure(args, places, output).await {
        Err(Error::Load(error)) if error.is_usage() => {
            output.failure(&Error::Load(error));
            Ok(USAGE)
        }
        other => other,
    }
}

async fn measure(args: LoadArgs, places: &Places, output: Output) -> Result<u8> {
    let plan = LoadPlan {
        warm_up_s: args.warm_up.duration().as_secs_f64(),
        rate: args.rate,
        mix: args.mix.0,
        queries: args.queries,
        time_out_s: args.timeout.duration().as_secs_f64(),
        seed: args.seed,
        ..LoadPlan::new(args.concurrency, args.duration.duration().as_secs_f64())
    };
    plan.validate()?;
    // Before the load, as it would be lost after it.
    let page = args.report.as_deref().map(WholeFile::begin).transpose()?;
    let target = target(args.url, args.token_stdin, places).await?;
    // A client needs a connection, and the system gives few unasked. Those that it does not give
    // are counted as what they are.
    open::raise_file_limit();
    let bar = Bar::counted(output, "asking");
    let stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals, it ends by its time alone.
            std::future::pending::<()>().await;
        }
    };
    let progress = |at: load::LoadProgress| {
        bar.at(at.elapsed.as_secs(), at.total.as_secs_f64().ceil() as u64);
    };
    let clock = SystemClock::shared();
    let report = load::run(&plan, &target, &clock, stop, progress).await;
    drop(bar);
    let report = report?;
    if let (Some(mut file), Some(place)) = (page, &args.report) {
        file.put(load::page(&report)?.as_bytes())?;
        file.finish()?;
        output.note(&format!("The page is in {}.", place.display()));
    }
    output.answer(&report, render::load)?;
    Ok(status(&report))
}

fn status(report: &LoadReport) -> u8 {
    match report {
        report if report.stopped => INTERRUPTED,
        report if report.failed > 0 => FAILED,
        _ => DONE,
    }
}

/// The server with its token. That of the keyring is this machine's server's, and goes to no other.
async fn target(url: Option<String>, from_stdin: bool, places: &Places) -> Result<Target> {
    let token = match from_stdin {
        true => {
            let read = tokio::task::spawn_blocking(|| token::read(TokenKind::Server));
            Some((read.await??, TokenSource::ThisRun))
        }
        false => {
            let secrets = open::secrets();
            let ask = tokio::task::spawn_blocking(move || secrets.get(TokenKind::Server));
            ask.await?
        }
    };
    let Some(url) = url else {
        let token = token.map(|(token, _)| token);
        return Ok(Target::own(&places.data_dir, token).await?);
    };
    let given = |(token, source): (SecretString, TokenSource)| {
        (source != TokenSource::Keyring).then_some(token)
    };
    let local = Target::new(&url, None)?.is_on_this_machine();
    let token = match local {
        true => token.map(|(token, _)| token),
        false => token.and_then(given),
    };
    Ok(Target::new(&url, token)?)
}
