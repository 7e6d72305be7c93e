//! Links, which open in the browser and never in the window.

use hirag_server::commands::studio::{Nothing, OpenLinkRequest};
use hirag_server::commands::{Error, Result};
use tauri::{Manager, Url, WebviewWindow};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons};
use tokio::sync::oneshot;

/// Opens a link outside, after a person has seen where it leads.
///
/// # Errors
/// [`Error::BadRequest`] for what is not a link for a browser or a mail program.
pub(super) async fn open_link(window: &WebviewWindow, request: OpenLinkRequest) -> Result<Nothing> {
    let (url, place) = check(&request.url)?;
    let (tell, told) = oneshot::channel();
    window
        .app_handle()
        .dialog()
        .message(format!("This opens {place}, outside of HiRAG Studio."))
        .title("Open a link")
        .parent(window)
        .buttons(MessageDialogButtons::OkCancelCustom(
            "Open".to_owned(),
            "Cancel".to_owned(),
        ))
        .show(move |yes| {
            // Whoever asked may be gone by then.
            let _ = tell.send(yes);
        });
    if told.await.unwrap_or(false) {
        tauri_plugin_opener::open_url(url, None::<&str>)
            .map_err(|error| Error::Internal(error.to_string()))?;
    }
    Ok(Nothing {})
}

/// The link as it is opened, and the place to show. The host is in its ASCII form, so that no
/// letter looks like another.
fn check(link: &str) -> Result<(Url, String)> {
    let refused = |rule| Error::BadRequest {
        key: "url",
        value: format!("{link:?}"),
        rule,
    };
    let url = Url::parse(link).map_err(|_| refused("must be a whole address, with https://"))?;
    match url.scheme() {
        "http" | "https" => {
            if !url.username().is_empty() || url.password().is_some() {
                return Err(refused("must not carry a name or a password"));
            }
            let host = url.host_str().ok_or_else(|| refused("must name a host"))?;
            let host = host.to_owned();
            Ok((url, host))
        }
        "mailto" => {
            let place = format!("a mail to {}", url.path());
            Ok((url, place))
        }
        _ => Err(refused("must begin with https, http or mailto")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_page_and_a_mail_address_are_opened_and_their_place_is_shown() {
        assert_eq!(check("https://example.org/a?b#c").unwrap().1, "example.org");
        assert_eq!(
            check("mailto:ada@example.org").unwrap().1,
            "a mail to ada@example.org"
        );
    }

    #[test]
    fn a_host_that_looks_like_another_is_shown_as_it_is() {
        assert_eq!(
            check("https://еxample.org").unwrap().1,
            "xn--xample-2of.org"
        );
    }

    #[test]
    fn what_could_run_something_or_hides_its_host_is_refused() {
        for link in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,<script>",
            "ssh://host",
            "https://example.org@evil.example",
            "//example.org",
            "",
            "--help",
        ] {
            let error = check(link).unwrap_err();
            assert_eq!(error.code(), "invalid_request", "{link}");
        }
    }
}
