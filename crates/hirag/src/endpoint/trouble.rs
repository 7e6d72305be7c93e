use std::time::Duration;

/// Why an endpoint gave nothing. What comes from outside in it is one short line without the token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// It could not be reached, or went away.
    Unreachable { reason: String },
    /// It did not answer within the time of a request, if that is limited.
    Timeout,
    /// It refused the credentials.
    Unauthorized { status: u16 },
    /// It is overloaded, or limits us.
    Busy {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// It sends us elsewhere, where nothing is sent.
    Redirects { status: u16 },
    /// There is nothing at this address, or no such model.
    NotThere { status: u16, reason: String },
    /// It does not take what it was sent.
    Refused { status: u16, reason: String },
    /// Its answer is longer than this many bytes.
    TooLong { limit: usize },
}
