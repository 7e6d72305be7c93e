//! The door of a program that runs on: opened and closed as the settings say.

use std::net::TcpListener;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Served, anywhere, place, told};
use crate::commands::studio::{self as ask, ChangeSettingsRequest, Nothing};
use crate::http::{Instead, ServerStatus};
use crate::settings_file::SettingChange;
use crate::studio::tests::next;
use crate::studio::{Studio, StudioEvent};

async fn change(studio: &Studio, key: &str, value: Value) {
    let changes = vec![SettingChange {
        key: key.to_owned(),
        value,
    }];
    ask::change_settings(studio, ChangeSettingsRequest { changes })
        .await
        .unwrap();
}

/// The next word of the server that is `wanted`.
async fn status(
    events: &mut tokio::sync::broadcast::Receiver<StudioEvent>,
    wanted: impl Fn(&ServerStatus) -> bool,
) -> ServerStatus {
    next(events, |event| match event {
        StudioEvent::Server(status) if wanted(&status) => Some(status),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_opens_moves_and_closes_with_the_settings() {
    let place = place("[server]\nport = 0\nenabled = false\n");
    let studio = place.start();
    let mut events = studio.events();
    studio.open_door();
    assert!(!status(&mut events, |_| true).await.running);
    change(&studio, "server.enabled", json!(true)).await;
    let open = status(&mut events, |status| status.running).await;
    let url = open.url.unwrap();
    let client = crate::running::client().unwrap();
    let live = |url: &str| told(client.get(format!("{url}/health/live")));
    assert_eq!(live(&url).await.0, StatusCode::OK);
    let found = crate::running::find(&place.path("data")).await.unwrap();
    assert_eq!(found.url, url);

    // What is read with each request needs no other door.
    change(&studio, "server.max_body_bytes", json!(2_000)).await;
    let same = status(&mut events, |_| true).await;
    assert_eq!(same.url.as_deref(), Some(url.as_str()));

    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    change(&studio, "server.port", json!(free.port())).await;
    let moved = status(&mut events, |status| status.url.as_deref() != Some(&url)).await;
    assert_eq!(
        moved.url.as_deref(),
        Some(format!("http://{free}").as_str())
    );
    change(&studio, "server.enabled", json!(false)).await;
    status(&mut events, |status| !status.running).await;
    assert!(std::net::TcpStream::connect(free).is_err());
    assert!(crate::running::find(&place.path("data")).await.is_none());
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_and_tried_again_when_asked() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let place = place(&format!("[server]\nport = {port}\n"));
    let studio = place.start();
    let mut events = studio.events();
    studio.open_door();
    let told = status(&mut events, |status| status.problem.is_some()).await;
    let problem = told.problem.unwrap();
    assert_eq!(problem.code, "port_taken");
    assert!(
        problem.message.contains(&port.to_string()),
        "{}",
        problem.message
    );
    // Nothing else suffers from it.
    studio.host().await.unwrap();
    drop(taken);
    let status = ask::server_retry(&studio, Nothing {}).await.unwrap();
    assert!(status.running && status.problem.is_none(), "{status:?}");
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_fails_leaves_the_door_where_it_was() {
    let served = Served::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let instead = Instead {
        port: Some(taken.local_addr().unwrap().port()),
        ..anywhere()
    };
    let error = served.studio.open_door_at(instead).await.unwrap_err();
    assert_eq!(error.code(), "port_taken");
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_is_listened_to_only_with_leave_and_certificate() {
    let place = place("");
    let studio = place.start();
    for host in ["0.0.0.0", "192.168.0.7", "::"] {
        let instead = Instead {
            host: Some(host.to_owned()),
            ..anywhere()
        };
        let error = studio.open_door_at(instead).await.unwrap_err();
        assert_eq!(error.code(), "invalid_settings");
        assert!(error.to_string().contains("server.allow_remote"), "{error}");
    }
    assert!(!studio.server_status().running);
    assert_eq!(
        ask::server_link(&studio, Nothing {})
            .await
            .unwrap_err()
            .code(),
        "server_not_running"
    );
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls_and_without_a_good_one_it_says_so() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let place = place("");
    let (cert, key) = (place.path("cert.pem"), place.path("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, "no key").unwrap();
    let settings = format!(
        "[server]\nport = 0\ntls_cert = {:?}\ntls_key = {:?}\n",
        cert.display().to_string(),
        key.display().to_string()
    );
    let config = std::fs::read_to_string(place.path("config.toml")).unwrap();
    std::fs::write(place.path("config.toml"), config + &settings).unwrap();
    let studio = place.start();
    let error = studio.open_door_at(anywhere()).await.unwrap_err();
    assert_eq!(error.code(), "bad_certificate");
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let url = studio.open_door_at(anywhere()).await.unwrap();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    // The project's own client for a server of this machine.
    let client = crate::running::client().unwrap();
    let live = told(client.get(format!("{url}/health/live"))).await;
    assert_eq!(live.0, StatusCode::OK);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_makes_a_token_and_keeps_it() {
    let place = crate::studio::tests::Place::with("[server]\nport = 0\n");
    let studio = place.start();
    studio.open_door_at(anywhere()).await.unwrap();
    let kept = place.vault.get("server").unwrap().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&kept).len(), 43);
    studio.shut_down().await.unwrap();
    let again = place.start();
    again.open_door_at(anywhere()).await.unwrap();
    let same = place.vault.get("server").unwrap().unwrap();
    assert_eq!(
        secrecy::ExposeSecret::expose_secret(&same),
        secrecy::ExposeSecret::expose_secret(&kept)
    );
    again.shut_down().await.unwrap();
}
