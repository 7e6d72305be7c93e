use serde::Serialize;

/// How changes to a source are noticed by this process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum WatchState {
    /// Not at all: it is not to be watched, or this process does not watch.
    #[default]
    Off,
    /// The system tells.
    Told,
    /// By looking again after a while, because the system cannot tell.
    Polled {
        /// Why it cannot.
        because: String,
    },
}
