//! How many files and connections the system lets this process have at once.

/// Where the system sets no bound.
#[cfg(unix)]
const ENOUGH: u64 = 65_536;

/// Asks for as many as the system gives without a privilege: what it gives unasked, often 1024, is
/// less than a thousand clients and a database need. Without more, connections are refused one by
/// one and told so.
pub fn allow_many() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};

        let mut limit = getrlimit(Resource::Nofile);
        let most = limit.maximum.unwrap_or(ENOUGH);
        if limit.current.is_some_and(|now| now < most) {
            limit.current = Some(most);
            if let Err(error) = setrlimit(Resource::Nofile, limit) {
                tracing::debug!(%error, "no more files at once than before");
            }
        }
    }
}
