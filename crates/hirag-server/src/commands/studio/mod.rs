//! What a window asks for: each command takes the [`Studio`](crate::studio::Studio) and one
//! request, and waits while the memory is being opened.

mod asking;
mod contexts;
mod conversations;
mod dispatch;
mod files;
mod jobs;
mod list;
mod load;
mod mcp;
mod performance;
mod resilience;
mod retrieval;
mod sample;
mod server;
mod settings;
mod sources;
mod status;
mod tokens;
mod traces;
mod upkeep;

pub use asking::{
    AnswerEvent, AnswerPart, AskName, AskStart, AskStatus, answering, ask, ask_start, ask_status,
    ask_stop,
};
pub use contexts::{
    ClearRequest, CountRequest, CountResponse, DetailsRequest, GetRequest, ListResponse,
    MoveAllRequest, Moved, TextsRequest, TextsResponse, clear, count, delete, details, get, list,
    move_to, store, store_each, texts, undo, update, update_in,
};
pub use conversations::{
    ConversationExport, ConversationText, GoldenQueries, answer_judge, conversation,
    conversation_delete, conversation_export, conversation_restore, conversation_store,
    conversations, golden_queries,
};
pub use dispatch::{NAMES, answer, call};
pub use files::{
    CrashReport, Encoding, OpenLinkRequest, PickPathsRequest, PickSaveRequest, PickedPath,
    PickedPaths, SaveRequest, write_file,
};
pub use jobs::{
    ExportStart, ImportFile, ImportPreview, ImportPreviewRequest, ImportStart, JobRequest,
    JobStarted, JobsResponse, export_start, import_preview, import_start, job_cancel, jobs,
    reembed_start,
};
pub use load::{load_page, load_result, load_start};
pub use mcp::{McpConfig, config_for, mcp_config};
pub use performance::{
    CsvResponse, HistoryRequest, PerformanceRequest, ReportResponse, RequestsResponse, chart,
    database_parts, history, performance, performance_csv, performance_report, requests,
};
pub use resilience::{
    BreakerOf, BreakerReset, ChatResilience, DrillStart, PauseRequest, Resilience,
    ResilienceDefaults, breaker_reset, drill_start, drill_stop, pause_embedding, resilience,
};
pub use retrieval::{
    LookUpResponse, Reasons, RerankRequest, Reranked, RerankedContext, look_up, reasons, recall,
    rerank, search, why,
};
pub use sample::sample_start;
pub use server::{
    NewServerToken, ServerLink, server, server_link, server_retry, server_token_replace,
};
pub use settings::{
    ChangeSettingsRequest, SettingProblems, StudioSettings, change_settings, settings,
    validate_settings,
};
pub(crate) use sources::note_run;
pub use sources::{source, source_add, source_change, source_remove, source_run, sources};
pub use status::{
    ActivityRequest, ActivityResponse, activity, health, recent_health, startup, stats,
};
pub use tokens::{
    ProviderTest, TestProviderRequest, TokenRequest, TokenSetRequest, test_provider, token_changed,
    token_clear, token_set, token_status, token_test,
};
pub use traces::{
    Moves, Replay, TraceRequest, TraceSummary, TracesRequest, TracesResponse, Use, UsesRequest,
    UsesResponse, replay, trace, traces, uses,
};
pub use upkeep::{CleanUpRequest, FileRequest, backup_file, backup_start, clean_up, restore};

use serde::{Deserialize, Serialize};

/// A request or an answer that says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The first words of a text, for a line of activity.
fn preview(text: &str) -> String {
    const CHARS: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
