//! Writes the TypeScript types of everything that the program says in JSON.
//!
//!     cargo run -p hirag-server --example export_types -- FOLDER

use std::process::ExitCode;

use hirag::context::{ContextPatch, ContextRequest, ContextResponse, NewContext};
use hirag::embedding::{Drill, DrillFault};
use hirag::eval::EvalReport;
use hirag::import::{Format, ImportProgress, ImportReport};
use hirag::manager::{
    ContextDetails, EmbeddingProgress, Health, ListRequest, Purge, Reembedded, Stored,
};
use hirag::metrics::{Bucket, Span};
use hirag::resilience::BreakerEvent;
use hirag::retrieval::{Trace, WhyNot};
use hirag::store::sqlite::{Deletion, Restored};
use hirag::store::{Order, Page};
use hirag_server::commands::studio as window;
use hirag_server::commands::{
    Backup, Collected, DeleteRequest, Doctor, Exported, Failure, RestoredDatabase, SearchResponse,
    Settings, StatsResponse, UndoRequest, UpdateRequest, WhyRequest,
};
use hirag_server::pictures::{Chart, ChartRequest};
use hirag_server::secrets::TokenStatus;
use hirag_server::studio::{Activity, History, Job, StartupState};
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

/// What the commands of the window take and give, beside the above.
fn export_for_the_window(config: &Config) -> Result<(), ExportError> {
    macro_rules! all {
        ($($type:ty),* $(,)?) => { $(<$type>::export_all(config)?;)* };
    }
    all!(
        Activity,
        Bucket,
        Chart,
        ChartRequest,
        ContextDetails,
        ContextPatch,
        DeleteRequest,
        Drill,
        DrillFault,
        Failure,
        History,
        Job,
        ListRequest,
        NewContext,
        Span,
        StartupState,
        TokenStatus,
        UndoRequest,
        UpdateRequest,
        WhyRequest,
    );
    all!(
        window::ActivityRequest,
        window::ActivityResponse,
        window::ChangeSettingsRequest,
        window::CleanUpRequest,
        window::ClearRequest,
        window::CountRequest,
        window::CountResponse,
        window::CsvResponse,
        window::DetailsRequest,
        window::DrillStart,
        window::ExportStart,
        window::FileRequest,
        window::GetRequest,
        window::HistoryRequest,
        window::ImportPreview,
        window::ImportPreviewRequest,
        window::ImportStart,
        window::JobRequest,
        window::JobStarted,
        window::JobsResponse,
        window::ListResponse,
        window::MoveAllRequest,
        window::Moved,
        window::Nothing,
        window::PauseRequest,
        window::PerformanceRequest,
        window::ProviderTest,
        window::Replay,
        window::ReportResponse,
        window::RerankRequest,
        window::Reranked,
        window::Resilience,
        window::SettingProblems,
        window::StudioSettings,
        window::TestProviderRequest,
        window::TextsRequest,
        window::TextsResponse,
        window::TokenRequest,
        window::TokenSetRequest,
        window::TraceRequest,
        window::TracesRequest,
        window::TracesResponse,
        window::UsesRequest,
        window::UsesResponse,
    );
    Ok(())
}

fn fail(sentence: &str) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "export_types: {sentence}");
    ExitCode::FAILURE
}
