use std::path::PathBuf;

/// What can go wrong with the database. Nothing that was acknowledged is damaged by any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk is full.
    #[error(
        "the disk that holds {path} is full; free some space and try again, nothing was changed"
    )]
    DiskFull {
        /// The database.
        path: PathBuf,
    },
    /// The database or its folder cannot be written.
    #[error(
        "{path} cannot be written (read-only file, folder or file system); change its permissions or choose another --data-dir"
    )]
    ReadOnly {
        /// The database or folder.
        path: PathBuf,
    },
    /// The database cannot be opened.
    #[error("{path} cannot be opened: {reason}")]
    CannotOpen {
        /// The database or folder.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// Another process writes.
    #[error(
        "{path} is being written by {holder}; wait for it or stop it, store through it where it is a window or a server, or use another --data-dir"
    )]
    Locked {
        /// The database.
        path: PathBuf,
        /// Who holds it.
        holder: String,
    },
    /// The file is no database or damaged.
    #[error(
        "{path} is not a usable database: {reason}; it is left as it is, and a backup can be restored in its place"
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The database was written by a newer program.
    #[error(
        "{path} has the schema version {found}, but this program knows versions up to {known}; use a newer HiRAG Studio"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// No such collection.
    #[error("there is no collection `{0}`")]
    UnknownCollection(String),
    /// A collection of that name exists with another model or dimension.
    #[error("the collection `{name}` exists with {stored}, not {wanted}")]
    CollectionDiffers {
        /// Its name.
        name: String,
        /// Model and dimension that it has.
        stored: String,
        /// Model and dimension that were asked for.
        wanted: String,
    },
    /// A vector of the wrong dimension, or with unusable values.
    #[error("the vector does not fit the collection `{collection}`: {reason}")]
    BadVector {
        /// The collection.
        collection: String,
        /// The rule.
        reason: String,
    },
    /// A page cursor that this program did not give out, or gave out for another order.
    #[error(
        "`{0}` is not a page cursor of this order; take `next_cursor` of the page before, or leave it out to begin anew"
    )]
    BadCursor(String),
    /// A context of that id is there, or is marked as deleted.
    #[error("the id {0} is taken by another context; leave it out to get a new one")]
    IdTaken(crate::context::ContextId),
    /// A context of that part of the source is there.
    #[error(
        "the part `{key}` of the source `{from}` is stored already; change that context, or \
         leave `source_key` out"
    )]
    SourceTaken {
        /// The source.
        from: String,
        /// The part of it.
        key: String,
    },
    /// Nothing to bring back.
    #[error("there is nothing to undo")]
    NothingToUndo,
    /// The store has been shut down.
    #[error("the store is closed")]
    Closed,
    /// Any other answer of SQLite.
    #[error("the database {path} failed: {source}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// A file beside the database.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A fault of this program, e.g. a panic in a database job.
    #[error("internal fault in the store: {0}; please report it")]
    Internal(String),
}

impl StoreError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DiskFull { .. } => "disk_full",
            Self::ReadOnly { .. } => "store_read_only",
            Self::CannotOpen { .. } => "store_cannot_open",
            Self::Locked { .. } => "store_locked",
            Self::Corrupt { .. } => "store_corrupt",
            Self::Newer { .. } => "store_newer",
            Self::UnknownCollection(_) => "unknown_collection",
            Self::CollectionDiffers { .. } => "collection_differs",
            Self::BadVector { .. } => "invalid_vector",
            Self::BadCursor(_) => "invalid_cursor",
            Self::IdTaken(_) => "id_taken",
            Self::SourceTaken { .. } => "source_taken",
            Self::NothingToUndo => "nothing_to_undo",
            Self::Closed => "store_closed",
            Self::Sqlite { .. } => "store_failed",
            Self::Io { .. } => "io_failed",
            Self::Internal(_) => "internal",
        }
    }
}
