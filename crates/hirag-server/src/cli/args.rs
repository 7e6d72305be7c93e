//! What may be said on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand};
use hirag::answering::AnswerId;
use hirag::config::Period;
use hirag::context::{Condition, ContextId, ContextLevel, Filter, Priority, SearchMode};
use hirag::export::ExportFormat;
use hirag::import::Format;
use hirag::retrieval::TraceId;
use hirag::store::Order;

use crate::commands::ConversationFormat;
use crate::load::Queries;
use crate::mcp::clients;
use crate::secrets::TokenKind;

use super::source::SourceCommand;
use super::values::{
    Expiry, MetaPair, Mix, condition, export_format, format, mix, mode, order, period, queries,
    where_json,
};

/// A local-first context memory in three levels: store, search, and see why.
#[derive(Debug, Parser)]
#[command(
    name = "hirag",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.")]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Global {
    /// The settings file
    #[arg(long, global = true, value_name = "FILE", env = "HIRAG_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// The folder of the memory
    #[arg(long, global = true, value_name = "DIR", env = "HIRAG_DATA_DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Print one JSON document on standard output, and nothing else there
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Log more to standard error; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// No progress, and only errors in the log
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring in files and folders; again changes only what changed
    Import(ImportArgs),
    /// Keep folders and files up to date
    #[command(subcommand)]
    Source(SourceCommand),
    /// Store a text
    Store(StoreArgs),
    /// Find the best contexts for a query
    Search(SearchArgs),
    /// Ask for an answer with its sources
    Ask(AskArgs),
    /// What was asked and answered
    #[command(subcommand)]
    Conversations(ConversationsCommand),
    /// Show a context
    Get {
        /// The context
        id: ContextId,
    },
    /// Change a context
    Update(UpdateArgs),
    /// Move a context to another level
    Move(MoveArgs),
    /// Mark contexts as deleted; `undo` brings them back
    Delete {
        /// The contexts
        #[arg(required = true, value_name = "ID")]
        ids: Vec<ContextId>,
    },
    /// Bring back what the last deletion marked, or these contexts
    Undo {
        /// The contexts
        #[arg(value_name = "ID")]
        ids: Vec<ContextId>,
    },
    /// List contexts
    List(ListArgs),
    /// Mark everything in a level as deleted; one `undo` brings it back
    Clear {
        /// The level: L1, L2 or L3
        #[arg(long)]
        level: ContextLevel,
    },
    /// Measure retrieval on queries whose answers are known
    Eval(EvalArgs),
    /// How much is stored, and how fast it is
    Stats,
    /// Whether every component works
    Health,
    /// Check the database, embed what waits, tidy up; status 1 if anything disagrees
    Doctor,
    /// Apply the rules of the levels and purge what is due
    Gc {
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove for good what is marked as deleted
    Purge {
        /// Only what was marked longer ago, e.g. 7d or 0s; by default `levels.purge_after`
        #[arg(long, value_parser = period, value_name = "DURATION")]
        older_than: Option<Period>,
    },
    /// Build the vectors of the configured model, then switch to them
    Reembed,
    /// Why a context was not found, and the smallest change that lets it in
    Why(WhyArgs),
    /// Show the record of an earlier search
    Trace {
        /// The `trace_id` of the search
        id: TraceId,
    },
    /// Write all contexts to a file or a folder, which `import` reads
    Export(ExportArgs),
    /// Copy the database to a new file
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Put a backup in the place of the database, which is kept beside it
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Do one operation, and tell where its time went
    Profile(ProfileArgs),
    /// Put load on a running server, and measure what it does under it; status 1 if any request
    /// failed
    Load(LoadArgs),
    /// Serve the memory over HTTP until Ctrl-C
    Serve(ServeArgs),
    /// Print the settings in force, as TOML
    Settings,
    /// Serve the memory to an agent over standard input and output (MCP)
    Mcp {
        #[command(subcommand)]
        command: Option<McpCommand>,
    },
    /// Keep a token in the system's keyring, or tell whether there is one
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum McpCommand {
    /// Print the configuration for programs that use the memory
    Install {
        /// Only for this program
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(clients::names()))]
        client: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Keep a token, which is asked for or read from standard input; never given as an argument,
    /// where other programs could see it
    Set {
        /// Which: embedding, chat or server
        #[arg(default_value = "embedding")]
        kind: TokenKind,
    },
    /// Remove a token
    Clear {
        /// Which: embedding, chat or server
        #[arg(default_value = "embedding")]
        kind: TokenKind,
    },
    /// Tell whether there is a token, and where it comes from
    Status {
        /// Which: embedding, chat or server; by default all
        kind: Option<TokenKind>,
    },
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The address to listen on [default: `server.host`]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) host: Option<String>,
    /// The port; 0 takes any that is free [default: `server.port`]
    #[arg(long)]
    pub(super) port: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The file, or - for standard output; for Markdown, a new folder
    pub(super) file: PathBuf,
    /// How: jsonl, csv, markdown or parquet
    #[arg(long, default_value = "jsonl", value_parser = export_format())]
    pub(super) format: ExportFormat,
    /// With Markdown, a note a session instead of one a context
    #[arg(long)]
    pub(super) by_session: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// What they hold; `auto` tells each file by its name and content
    #[arg(long, default_value = "auto", value_parser = format())]
    pub(super) format: Format,
    /// The level of contexts that bring none along [default: L3]
    #[arg(long)]
    pub(super) level: Option<ContextLevel>,
    #[command(flatten)]
    pub(super) owner: Owner,
}

/// Who and in which conversation.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Owner {
    /// Who stored it
    #[arg(long)]
    pub(super) agent: Option<String>,
    /// In which conversation
    #[arg(long)]
    pub(super) session: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The text, or - for standard input
    pub(super) text: OsString,
    /// The level: L1, L2 or L3
    #[arg(long, default_value = "L1")]
    pub(super) level: ContextLevel,
    /// Metadata; a number, true, false, null, an array or an object in JSON, otherwise text
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) meta: Vec<MetaPair>,
    #[command(flatten)]
    pub(super) owner: Owner,
    /// Where it comes from
    #[arg(long)]
    pub(super) source: Option<String>,
    /// When it expires: a length of time (12h, 7d) or a time [default: as its level says]
    #[arg(long, value_name = "WHEN", value_parser = super::values::expiry_of_new)]
    pub(super) expires: Option<Expiry>,
    /// Its place in the embedding queue: low, normal, high or critical
    #[arg(long, default_value = "normal")]
    pub(super) priority: Priority,
}

/// Which contexts.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Which {
    /// Only where the field has this value; all must hold
    #[arg(long, value_name = "KEY=VALUE", value_parser = condition)]
    pub(super) filter: Vec<Condition>,
    /// Only where this filter in JSON holds: {"must": [...], "should": [...], "must_not": [...]}
    #[arg(long = "where", value_name = "JSON", value_parser = where_json)]
    pub(super) where_: Option<Filter>,
    #[command(flatten)]
    pub(super) owner: Owner,
}

/// How to search.
#[derive(Debug, Clone, Args)]
pub(super) struct SearchOptions {
    /// Contexts at most
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Tokens at most, all together
    #[arg(long, value_name = "N")]
    pub(super) max_tokens: Option<u32>,
    /// Only this level; may be repeated
    #[arg(long)]
    pub(super) level: Vec<ContextLevel>,
    #[command(flatten)]
    pub(super) which: Which,
    /// By vectors and words, or one alone: hybrid, vector or text
    #[arg(long, default_value = "hybrid", value_parser = mode())]
    pub(super) mode: SearchMode,
}

#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// The query, in words
    pub(super) query: OsString,
    #[command(flatten)]
    pub(super) options: SearchOptions,
    /// Show what became of every candidate, and count no access
    #[arg(long)]
    pub(super) explain: bool,
    /// Compare every context exactly, however many there are
    #[arg(long)]
    pub(super) exact: bool,
}

#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    /// Also draw it as a flame graph
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Load the model and what is held to search before, as a server has
    #[arg(long, global = true)]
    pub(super) warm: bool,
    #[command(subcommand)]
    pub(super) command: Profiled,
}

#[derive(Debug, Subcommand)]
pub(super) enum Profiled {
    /// Of a search
    Search(SearchArgs),
    /// Of storing a text, which is stored
    Store(StoreArgs),
    /// Of an import, which is made
    Import(ImportArgs),
}

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The question, in words
    pub(super) question: OsString,
    /// The conversation to go on with, or to begin under this name [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(super) session: Option<String>,
    /// Tokens of sources at most, all together
    #[arg(long, value_name = "N")]
    pub(super) max_tokens: Option<u32>,
    /// Only sources where the field has this value; all must hold
    #[arg(long, value_name = "KEY=VALUE", value_parser = condition)]
    pub(super) filter: Vec<Condition>,
    /// Only sources where this filter in JSON holds
    #[arg(long = "where", value_name = "JSON", value_parser = where_json)]
    pub(super) where_: Option<Filter>,
    /// Only sources of this level; may be repeated
    #[arg(long)]
    pub(super) level: Vec<ContextLevel>,
    /// By vectors and words, or one alone: hybrid, vector or text
    #[arg(long, default_value = "hybrid", value_parser = mode())]
    pub(super) mode: SearchMode,
    /// Passages of the memory, even if somebody could word an answer
    #[arg(long)]
    pub(super) extractive: bool,
    /// Have the answer worded anew, even if the same one was worded before
    #[arg(long)]
    pub(super) fresh: bool,
    /// Keep neither question nor answer
    #[arg(long)]
    pub(super) forget: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConversationsCommand {
    /// List conversations, the latest first
    List {
        /// Only those in which all these words stand
        #[arg(long, value_name = "WORDS")]
        query: Option<String>,
        /// Conversations at most
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = super::values::limit)]
        limit: usize,
        /// Those marked as deleted, instead of the others
        #[arg(long)]
        deleted: bool,
    },
    /// Show a conversation
    Show {
        /// Its name
        session: String,
    },
    /// Write a conversation to a file
    Export {
        /// Its name
        session: String,
        /// The file, or - for standard output
        file: PathBuf,
        /// How: markdown or json
        #[arg(long, default_value = "markdown", value_parser = super::asking::format)]
        format: ConversationFormat,
    },
    /// Mark a conversation as deleted; `restore` brings it back
    Delete {
        /// Its name
        session: String,
    },
    /// Bring back a conversation that was deleted
    Restore {
        /// Its name
        session: String,
    },
    /// Store the questions and answers of a conversation as contexts in L2
    Store {
        /// Its name
        session: String,
    },
    /// Say whether an answer was useful
    Feedback(FeedbackArgs),
    /// Make golden queries of the useful answers, as `eval` reads them
    Golden {
        /// The folder for queries.jsonl and qrels.tsv
        folder: PathBuf,
        /// Write over those that are there
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct FeedbackArgs {
    /// The answer: the id that stands below it
    pub(super) answer: AnswerId,
    #[command(flatten)]
    pub(super) verdict: Verdict,
    /// Why
    #[arg(long, value_name = "TEXT", conflicts_with = "take_back")]
    pub(super) note: Option<String>,
}

/// One of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Verdict {
    /// It was useful
    #[arg(long)]
    pub(super) useful: bool,
    /// It was not
    #[arg(long)]
    pub(super) useless: bool,
    /// Take back what was said before
    #[arg(long)]
    pub(super) take_back: bool,
}

#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// The context that was missed
    pub(super) id: ContextId,
    /// The query, in words
    pub(super) query: OsString,
    #[command(flatten)]
    pub(super) options: SearchOptions,
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// The context
    pub(super) id: ContextId,
    /// A new text, or - for standard input
    #[arg(long)]
    pub(super) text: Option<OsString>,
    /// Metadata to set, beside what is there
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) meta: Vec<MetaPair>,
    /// Metadata to remove
    #[arg(long, value_name = "KEY")]
    pub(super) unset: Vec<String>,
    /// A new level: L1, L2 or L3
    #[arg(long)]
    pub(super) level: Option<ContextLevel>,
    /// When it expires: a length of time (12h, 7d), a time, or never
    #[arg(long, value_name = "WHEN")]
    pub(super) expires: Option<Expiry>,
}

#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// The context
    pub(super) id: ContextId,
    /// The level: L1, L2 or L3
    #[arg(
        value_name = "LEVEL",
        required_unless_present = "level",
        conflicts_with = "level"
    )]
    pub(super) to: Option<ContextLevel>,
    /// The level: L1, L2 or L3
    #[arg(long)]
    pub(super) level: Option<ContextLevel>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only this level
    #[arg(long)]
    pub(super) level: Option<ContextLevel>,
    #[command(flatten)]
    pub(super) which: Which,
    /// Contexts at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = super::values::limit)]
    pub(super) limit: usize,
    /// Where the page before ended: its `next_cursor`
    #[arg(long)]
    pub(super) cursor: Option<String>,
    /// Contexts to pass over from the start
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "cursor")]
    pub(super) skip: usize,
    /// What comes first
    #[arg(long, default_value = "newest-first", value_parser = order())]
    pub(super) order: Order,
    /// What was stored first comes first: --order oldest-first
    #[arg(long, conflicts_with = "order")]
    pub(super) oldest_first: bool,
    /// What is marked as deleted, instead of what is not
    #[arg(long)]
    pub(super) deleted: bool,
}

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// The golden set's queries (JSONL)
    #[arg(long, value_name = "FILE")]
    pub(super) queries: PathBuf,
    /// The golden set's judgements (TSV)
    #[arg(long, value_name = "FILE")]
    pub(super) qrels: PathBuf,
    /// Each query sees only contexts whose metadata field equals its own field of this name
    #[arg(long, value_name = "FIELD")]
    pub(super) filter_field: Option<String>,
    /// The rank to which results count
    #[arg(short, default_value_t = 10, value_parser = super::values::limit)]
    pub(super) k: usize,
    /// By vectors and words, or one alone: hybrid, vector or text
    #[arg(long, default_value = "hybrid", value_parser = mode())]
    pub(super) mode: SearchMode,
}

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// The server's address; by default the running server of this memory. The token is that of
    /// HIRAG_SERVER_TOKEN or, for a server on this machine, of the keyring
    #[arg(long)]
    pub(super) url: Option<String>,
    /// Read the token from standard input
    #[arg(long)]
    pub(super) token_stdin: bool,
    /// Clients at once, 1 to 10000
    #[arg(long, short, value_name = "N", default_value_t = 10)]
    pub(super) concurrency: u32,
    /// How long to measure, e.g. 30s or 5m
    #[arg(long, short, value_name = "DURATION", value_parser = period, default_value = "10s")]
    pub(super) duration: Period,
    /// How long to go on before that, uncounted
    #[arg(long, value_name = "DURATION", value_parser = period, default_value = "0s")]
    pub(super) warm_up: Period,
    /// What to ask for, with weights: of store, search, health and metrics
    #[arg(long, default_value = "search", value_parser = mix)]
    pub(super) mix: Mix,
    /// Requests a second, whether the server keeps up or not (an open loop): a latency counts from
    /// when its request was due. Without it, each client asks again when it was answered
    #[arg(long, value_name = "R")]
    pub(super) rate: Option<f64>,
    /// Ask a few queries again and again (repeated), or each for the first time (fresh)
    #[arg(long, default_value = "repeated", value_parser = queries())]
    pub(super) queries: Queries,
    /// After how long a request has failed
    #[arg(long, value_name = "DURATION", value_parser = period, default_value = "30s")]
    pub(super) timeout: Period,
    /// Makes the same queries, texts and order again
    #[arg(long)]
    pub(super) seed: Option<u32>,
    /// Also write the result as a page with pictures
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
}
