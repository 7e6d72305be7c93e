//! Retrieval quality.

use hirag::eval::EvalReport;
use hirag::manager::EvalOptions;

use super::{Host, Result};

/// Measures a golden set; `progress` gets the queries done and their number.
///
/// # Errors
/// As [`hirag::HiragManager::evaluate`].
pub async fn eval(
    host: &Host,
    options: EvalOptions,
    progress: impl FnMut(usize, usize) + Send,
) -> Result<EvalReport> {
    Ok(host.manager().evaluate(options, progress).await?)
}
