//! Writes the TypeScript types of everything that the program says in JSON.
//!
//!     cargo run -p hirag-server --example export_types -- FOLDER

use std::collections::BTreeSet;
use std::process::ExitCode;

use hirag::answering::{Answer, AskRequest, Conversation, Conversations, ConversationsRequest};
use hirag::context::{Context, ContextRequest, ContextResponse, NewContext};
use hirag::embedding::{Drill, DrillFault};
use hirag::eval::EvalReport;
use hirag::import::{Format, ImportProgress, ImportReport};
use hirag::manager::{
    ContextDetails, EmbeddingProgress, Health, ListRequest, Purge, Reembedded, Stored,
};
use hirag::metrics::{Bucket, PerformanceMetrics, Span};
use hirag::resilience::BreakerEvent;
use hirag::retrieval::{Trace, WhyNot};
use hirag::sources::{NewSource, RemovedSource, SourceStatus};
use hirag::store::sqlite::{DatabaseParts, Deletion, Restored};
use hirag::store::{Order, Page};
use hirag_server::commands::studio::{
    ActivityRequest, ActivityResponse, AnswerPart, AskName, AskStart, AskStatus, BreakerReset,
    ChangeSettingsRequest, CleanUpRequest, ClearRequest, ConversationExport, ConversationText,
    CountRequest, CountResponse, CrashReport, CsvResponse, DetailsRequest, DrillStart, ExportStart,
    FileRequest, GetRequest, GoldenQueries, HistoryRequest, ImportPreview, ImportPreviewRequest,
    ImportStart, JobRequest, JobStarted, JobsResponse, ListResponse, LookUpResponse, McpConfig,
    MoveAllRequest, Moved, NewServerToken, Nothing, OpenLinkRequest, PauseRequest,
    PerformanceRequest, PickPathsRequest, PickSaveRequest, PickedPath, PickedPaths, ProviderTest,
    Reasons, Replay, ReportResponse, RequestsResponse, RerankRequest, Reranked, Resilience,
    SaveRequest, ServerLink, SettingProblems, StudioSettings, TestProviderRequest, TextsRequest,
    TextsResponse, TokenRequest, TokenSetRequest, TraceRequest, TracesRequest, TracesResponse,
    UsesRequest, UsesResponse,
};
use hirag_server::commands::{
    Backup, Collected, ConversationRequest, ConversationStored, DeleteRequest, Doctor, Exported,
    Failure, JudgeRequest, RanSources, RestoredDatabase, SearchResponse, Settings, SourceChange,
    SourceRemoval, SourceRequest, SourceRunRequest, SourcesResponse, StatsResponse, UndoRequest,
    UpdateRequest, WhyRequest,
};
use hirag_server::http::ServerStatus;
use hirag_server::load::{LoadPlan, LoadReport};
use hirag_server::pictures::{Chart, ChartRequest};
use hirag_server::secrets::TokenStatus;
use hirag_server::studio::{Activity, History, Job, StartupState};
use hirag_server::{shell_commands, window_commands};
use ts_rs::{Config, ExportError, TS};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        return fail("name the folder for the types");
    };
    let config = Config::new()
        .with_out_dir(std::path::PathBuf::from(folder))
        // JSON numbers are JavaScript numbers, whatever their Rust type.
        .with_large_int("number");
    match export(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

/// Each with all types that it is made of.
fn export(config: &Config) -> Result<(), ExportError> {
    BreakerEvent::export_all(config)?;
    Answer::export_all(config)?;
    Backup::export_all(config)?;
    Collected::export_all(config)?;
    ContextRequest::export_all(config)?;
    ContextResponse::export_all(config)?;
    Deletion::export_all(config)?;
    Doctor::export_all(config)?;
    EmbeddingProgress::export_all(config)?;
    EvalReport::export_all(config)?;
    Exported::export_all(config)?;
    Format::export_all(config)?;
    Health::export_all(config)?;
    ImportProgress::export_all(config)?;
    ImportReport::export_all(config)?;
    Order::export_all(config)?;
    Page::export_all(config)?;
    Purge::export_all(config)?;
    RanSources::export_all(config)?;
    Reembedded::export_all(config)?;
    Restored::export_all(config)?;
    RestoredDatabase::export_all(config)?;
    SearchResponse::export_all(config)?;
    Settings::export_all(config)?;
    StatsResponse::export_all(config)?;
    Stored::export_all(config)?;
    Trace::export_all(config)?;
    WhyNot::export_all(config)?;
    export_for_the_window(config)
}

/// The commands of the window with what they take and give, and what it is told without asking.
fn export_for_the_window(config: &Config) -> Result<(), ExportError> {
    Activity::export_all(config)?;
    AnswerPart::export_all(config)?;
    Bucket::export_all(config)?;
    DrillFault::export_all(config)?;
    Failure::export_all(config)?;
    Job::export_all(config)?;
    Span::export_all(config)?;

    let mut used = BTreeSet::new();
    let mut lines = Vec::new();
    macro_rules! commands {
        ($($name:ident: $request:ident => $response:ident,)*) => {$(
            <$request>::export_all(config)?;
            <$response>::export_all(config)?;
            used.extend([stringify!($request), stringify!($response)]);
            lines.push(format!(
                "  {}: {{ request: {}; response: {} }};",
                stringify!($name),
                stringify!($request),
                stringify!($response),
            ));
        )*};
    }
    window_commands!(commands);
    shell_commands!(commands);
    let imports = used
        .iter()
        .map(|name| format!("import type {{ {name} }} from \"./{name}\";\n"));
    let page = format!(
        "// This file was generated by `make types`. Do not edit this file manually.\n{}\n\
         /** Every command of the window: what it takes and what it gives. */\n\
         export interface Commands {{\n{}\n}}\n",
        imports.collect::<String>(),
        lines.join("\n"),
    );
    std::fs::write(config.out_dir().join("Commands.ts"), page).map_err(ExportError::Io)
}

fn fail(sentence: &str) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "export_types: {sentence}");
    ExitCode::FAILURE
}
