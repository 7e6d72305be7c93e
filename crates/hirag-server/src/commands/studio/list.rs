/// Hands the list of the window's commands to another macro: the name of each, what it takes and
/// what it gives. The transports and the interface's types are made from it, so that none of them
/// can know another command than the rest. Whoever uses the types brings them into scope; the
/// desktop's build script, which takes this file by itself, needs the names only.
#[macro_export]
macro_rules! window_commands {
    ($then:ident) => {
        $then! {
            startup: Nothing => StartupState,
            stats: Nothing => StatsResponse,
            health: Nothing => Health,
            activity: ActivityRequest => ActivityResponse,

            list: ListRequest => ListResponse,
            count: CountRequest => CountResponse,
            get: GetRequest => Context,
            details: DetailsRequest => ContextDetails,
            texts: TextsRequest => TextsResponse,
            uses: UsesRequest => UsesResponse,
            store: NewContext => Stored,
            update: UpdateRequest => Context,
            move_to: MoveAllRequest => Moved,
            delete: DeleteRequest => Deletion,
            undo: UndoRequest => Restored,
            clear: ClearRequest => Deletion,

            search: ContextRequest => SearchResponse,
            reasons: TraceRequest => Reasons,
            look_up: ContextRequest => LookUpResponse,
            why: WhyRequest => WhyNot,
            trace: TraceRequest => Trace,
            traces: TracesRequest => TracesResponse,
            rerank: RerankRequest => Reranked,
            replay: TraceRequest => Replay,

            ask: AskRequest => Answer,
            ask_start: AskStart => Nothing,
            ask_status: AskName => AskStatus,
            ask_stop: AskName => Nothing,
            conversations: ConversationsRequest => Conversations,
            conversation: ConversationRequest => Conversation,
            conversation_delete: ConversationRequest => Nothing,
            conversation_restore: ConversationRequest => Nothing,
            conversation_store: ConversationRequest => ConversationStored,
            conversation_export: ConversationExport => ConversationText,
            answer_judge: JudgeRequest => Nothing,
            golden_queries: Nothing => GoldenQueries,

            performance: PerformanceRequest => PerformanceMetrics,
            requests: Nothing => RequestsResponse,
            database_parts: Nothing => DatabaseParts,
            history: HistoryRequest => History,
            chart: ChartRequest => Chart,
            performance_csv: HistoryRequest => CsvResponse,
            performance_report: HistoryRequest => ReportResponse,

            resilience: Nothing => Resilience,
            drill_start: DrillStart => Drill,
            drill_stop: Nothing => Nothing,
            pause_embedding: PauseRequest => Nothing,
            breaker_reset: BreakerReset => Nothing,

            import_preview: ImportPreviewRequest => ImportPreview,
            import_start: ImportStart => JobStarted,
            sample_start: Nothing => JobStarted,
            reembed_start: Nothing => JobStarted,
            export_start: ExportStart => JobStarted,
            load_start: LoadPlan => JobStarted,
            load_result: JobRequest => LoadReport,
            load_page: JobRequest => ReportResponse,
            jobs: Nothing => JobsResponse,
            job_cancel: JobRequest => Nothing,

            sources: Nothing => SourcesResponse,
            source: SourceRequest => SourceStatus,
            source_add: NewSource => SourceStatus,
            source_change: SourceChange => SourceStatus,
            source_remove: SourceRemoval => RemovedSource,
            source_run: SourceRunRequest => JobStarted,

            settings: Nothing => StudioSettings,
            change_settings: ChangeSettingsRequest => StudioSettings,
            validate_settings: ChangeSettingsRequest => SettingProblems,
            clean_up: CleanUpRequest => Collected,
            backup_start: FileRequest => JobStarted,
            backup_file: FileRequest => Backup,
            restore: FileRequest => RestoredDatabase,
            test_provider: TestProviderRequest => ProviderTest,
            token_status: TokenRequest => TokenStatus,
            token_set: TokenSetRequest => TokenStatus,
            token_clear: TokenRequest => TokenStatus,
            token_test: TokenRequest => ProviderTest,
            mcp_config: Nothing => McpConfig,

            server: Nothing => ServerStatus,
            server_retry: Nothing => ServerStatus,
            server_token_replace: Nothing => NewServerToken,
            server_link: Nothing => ServerLink,
        }
    };
}

/// The same for the commands that only a window has: dialogs, links, and the report of a fault.
#[macro_export]
macro_rules! shell_commands {
    ($then:ident) => {
        $then! {
            pick_paths: PickPathsRequest => PickedPaths,
            pick_save: PickSaveRequest => PickedPath,
            save_file: SaveRequest => PickedPath,
            open_link: OpenLinkRequest => Nothing,
            crash_report: Nothing => CrashReport,
        }
    };
}
