//! Opening a database: the lock, the pragmas, the schema, the connections.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::classify::io_at;
use super::generation::Generation;
use super::lock::WriterLock;
use super::readers::Readers;
use super::upkeep::Counted;
use super::words::Lexicon;
use super::writer::Writer;
use super::{
    SearchLimits, Shared, SqliteStore, Watch, data_version, follow, restore, schema, slow,
};
use crate::clock::SharedClock;
use crate::files::{beside, create_private_file, create_private_folder};
use crate::metrics::SlowStatements;
use crate::store::StoreError;

/// Connections that read at the same time: more than there are cores would keep each other, and whoever
/// waits for no database, from the processor; one alone would let a long read stop all others; and with
/// the writer's there are five at most.
fn readers() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    cores.clamp(2, 4)
}

/// How long SQLite itself waits for another connection, e.g. for a checkpoint.
const BUSY: Duration = Duration::from_secs(5);

/// Who may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// This process writes; waits for its turn, then fails.
    Write,
    /// This process writes if nobody else does and the disk allows it, and reads otherwise.
    WriteIfFree,
    /// This process reads.
    Read,
    /// This process reads; a database that has to be made or migrated first, it writes if free.
    ReadIfReady,
}

/// How to open a database.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The file.
    pub path: PathBuf,
    /// Who may write.
    pub access: Access,
    /// How long to wait for another writer.
    pub lock_wait: Duration,
    /// The time.
    pub clock: SharedClock,
}

impl SqliteStore {
    /// Opens a database, making or migrating it where this process may write. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::ReadOnly`], [`StoreError::Newer`],
    /// [`StoreError::Corrupt`], [`StoreError::CannotOpen`]; nothing was changed then.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_with(options, SearchLimits::default())
    }

    /// The same with other limits from which on a search takes another way: to measure or to test
    /// a way with as many contexts as wanted.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(options: StoreOptions, limits: SearchLimits) -> Result<Self, StoreError> {
        let path = options.path.clone();
        if options.access == Access::ReadIfReady {
            let as_reader = StoreOptions {
                access: Access::Read,
                ..options.clone()
            };
            match open(as_reader, limits) {
                Err(StoreError::CannotOpen { .. }) => {}
                other => return other.map_err(|e| e.at(&path)),
            }
        }
        open(options, limits).map_err(|e| e.at(&path))
    }
}

fn open(options: StoreOptions, limits: SearchLimits) -> Result<SqliteStore, StoreError> {
    register_vector_functions();
    let path = &options.path;
    if path.is_dir() {
        let reason =
            "it is a folder, and must be a file; move it away, or choose another --data-dir";
        return Err(cannot_open(path, reason));
    }
    let lock = match options.access {
        Access::Read => None,
        Access::Write => Some(lock(path, options.lock_wait)?),
        Access::WriteIfFree | Access::ReadIfReady => match lock(path, Duration::ZERO) {
            Ok(lock) => Some(lock),
            Err(StoreError::Locked { .. } | StoreError::ReadOnly { .. }) if path.exists() => None,
            Err(e) => return Err(e),
        },
    };
    match &lock {
        Some(_) => {
            restore::finish_begun(path)?;
            create_private_file(path).map_err(io_at(path))?;
        }
        None => restore::check_not_begun(path)?,
    }
    let before = identity(path);
    let residents = Arc::new(RwLock::default());
    let lexicon = Arc::new(Lexicon::new()?);
    let generation = Arc::new(Generation::default());
    let counted = Counted::default();
    let statements = SlowStatements::new(options.clock.clone());
    let writer = match lock {
        Some(_) => {
            let mut connection = connect(path, OpenFlags::default())?;
            // Before the pragmas: they would write into a newer program's database. Up to then
            // the log is not tidied up either: of a damaged file, it may be what is left.
            let keep_log = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            connection.set_db_config(keep_log, true)?;
            schema::check(&connection, path)?;
            connection.set_db_config(keep_log, false)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
            schema::migrate(&mut connection, path)?;
            let (residents, lexicon) = (Arc::clone(&residents), Arc::clone(&lexicon));
            let generation = Arc::clone(&generation);
            let counted = counted.clone();
            Some(Writer::start(
                connection,
                path.clone(),
                statements.clone(),
                Box::new(move |connection, changes| {
                    let followed = follow(connection, &residents, &lexicon, changes);
                    generation.follow(changes);
                    counted.end();
                    followed
                }),
            )?)
        }
        None => None,
    };
    let first = connect_to_read(path)?;
    let version = schema::check(&first, path)?;
    if version < schema::known_version() {
        return Err(StoreError::CannotOpen {
            path: path.clone(),
            reason: format!(
                "its schema version {version} has to be brought to {} first, and this process may not write it",
                schema::known_version()
            ),
        });
    }
    let watch = match &writer {
        Some(_) => None,
        None => {
            let connection = connect_to_read(path)?;
            let version = data_version(&connection)?;
            Some(Watch {
                connection,
                version,
            })
        }
    };
    let mut readers = vec![first];
    while readers.len() < self::readers() {
        readers.push(connect_to_read(path)?);
    }
    if lock.is_none() {
        // All of them have one database, with its log, only where no restore came between.
        restore::check_not_begun(path)?;
        if identity(path) != before {
            return Err(restore::in_between(path));
        }
    }
    Ok(SqliteStore {
        shared: Arc::new(Shared {
            path: options.path,
            reading: Arc::new(Semaphore::new(readers.len())),
            readers: Readers::new(readers),
            writer,
            lock: Mutex::new(lock),
            residents,
            limits,
            lexicon,
            accesses: Arc::default(),
            trace_tally: Arc::default(),
            generation,
            counted,
            statements,
            watch: Mutex::new(watch),
            clock: options.clock,
        }),
    })
}

/// What tells a file from the one that takes its name. Elsewhere than on Unix, a file that is open
/// keeps its name.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    // Without opening it: that would end the locks that SQLite has on it.
    let facts = std::fs::metadata(path).ok()?;
    Some((facts.dev(), facts.ino()))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<(u64, u64)> {
    None
}

fn lock(path: &Path, patience: Duration) -> Result<WriterLock, StoreError> {
    if let Some(folder) = path.parent() {
        create_private_folder(folder).map_err(io_at(folder))?;
    }
    WriterLock::acquire(path, patience)
}

/// Pages that the writer holds; negative counts KiB. What it writes lies all over the file.
const WRITER_CACHE_KIB: i64 = -16_000;

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    slow::listen(&connection);
    Ok(connection)
}

/// A reading connection. In a folder that cannot be written, WAL's shared memory cannot be made;
/// then nobody writes the file and it is read as it is.
pub(super) fn connect_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !path.exists() {
        return Err(cannot_open(path, "there is no such file"));
    }
    let attempt = connect(path, flags).and_then(|c| data_version(&c).map(|_| c));
    match attempt {
        Err(StoreError::CannotOpen { .. } | StoreError::ReadOnly { .. }) if !has_wal(path) => {
            let uri = format!("file:{}?immutable=1", escaped(path));
            match connect(Path::new(&uri), flags) {
                // Nothing but the file itself is opened like that.
                Err(StoreError::CannotOpen { .. }) => Err(cannot_open(
                    path,
                    "it is there, but cannot be read; change its permissions, or choose another --data-dir",
                )),
                other => other,
            }
        }
        other => other,
    }
}

fn cannot_open(path: &Path, reason: &str) -> StoreError {
    StoreError::CannotOpen {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Lets SQLite take an empty log away that a reader made, unless somebody else has the database
/// open. A log with something in it is left to a writer. What fails here is of no consequence.
pub(super) fn remove_idle_log(path: &Path) {
    if !beside(path, "-wal").exists() || has_wal(path) {
        return;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // The log is opened by the first question, and gone when the connection is.
    let _ = connect(path, flags).and_then(|connection| data_version(&connection));
}

fn has_wal(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|facts| facts.len() > 0)
}

/// The path as the body of a `file:` URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .map(|c| match c {
            '%' => "%25".to_owned(),
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

/// Makes sqlite-vec's functions and tables known to every connection opened from now on.
pub(crate) fn register_vector_functions() {
    static ONCE: Once = Once::new();
    type Init = unsafe extern "C" fn(
        *mut rusqlite::ffi::sqlite3,
        *mut *mut std::os::raw::c_char,
        *const rusqlite::ffi::sqlite3_api_routines,
    ) -> std::os::raw::c_int;
    ONCE.call_once(|| {
        // SAFETY: `sqlite3_vec_init` is an extension entry point of exactly this C signature; the
        // crate declares it without parameters. It is linked statically and lives for ever.
        #[allow(unsafe_code, reason = "sqlite-vec offers no safe registration")]
        unsafe {
            let init: Init = std::mem::transmute(sqlite_vec::sqlite3_vec_init as *const ());
            rusqlite::ffi::sqlite3_auto_extension(Some(init));
        }
    });
}
