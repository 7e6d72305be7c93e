//! Tells the server that runs of a token that was changed here: a keyring tells nobody.

use std::time::Duration;

use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::json;

use super::output::Output;
use crate::running::{self, Running};
use crate::secrets::TokenKind;

/// How long the server may take to ask its keyring.
const PATIENCE: Duration = Duration::from_secs(10);

/// Has `server` read the token of `kind` again, and says what came of it. It lets in one of `keys`:
/// its token from before the change, or that from now on, where it has seen the change already.
pub(super) async fn tell(
    server: &Running,
    kind: TokenKind,
    keys: impl IntoIterator<Item = SecretString>,
    output: Output,
) {
    let pid = server.pid;
    match read_again(server, kind, keys).await {
        Ok(()) => output.note(&format!(
            "Process {pid}, which has the memory open, goes by it."
        )),
        Err(why) => output.note(&format!(
            "Process {pid}, which has the memory open, does not know of it: {why}. Start it again."
        )),
    }
}

async fn read_again(
    server: &Running,
    kind: TokenKind,
    keys: impl IntoIterator<Item = SecretString>,
) -> Result<(), String> {
    let client = running::client().map_err(|error| error.to_string())?;
    let mut why = "the token that it lets in is not known here".to_owned();
    for key in keys {
        let asked = server.post(&client, "/api/v1/token-changes", &key);
        let asked = asked.timeout(PATIENCE).json(&json!({ "kind": kind }));
        match asked.send().await.map(|answer| answer.status()) {
            Ok(StatusCode::OK) => return Ok(()),
            Ok(StatusCode::UNAUTHORIZED) => "it refuses the token".clone_into(&mut why),
            Ok(status) => return Err(format!("it answers with status {status}")),
            Err(error) => return Err(error.without_url().to_string()),
        }
    }
    Err(why)
}
