//! The end of the server.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Held, PATIENCE, Served, anywhere, place};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_finished_before_the_memory_is_closed() {
    let held = Held::new();
    let mut place = place("");
    place.provider = Some(held.clone());
    let served = Served::at(place).await;
    let request = served
        .ask(Method::POST, "/api/v1/contexts")
        .json(&json!({ "text": "last" }));
    let asked = tokio::spawn(request.send());
    held.is_asked().await;
    let ending = tokio::spawn({
        let studio = served.studio.clone();
        async move { studio.shut_down().await }
    });
    // It takes no more: that is seen from outside as soon as nobody listens.
    let nobody_listens = async {
        while tokio::net::TcpStream::connect(served.address())
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, nobody_listens).await.unwrap();
    assert!(!ending.is_finished());
    held.go_on();
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let stored: Value = answer.json().await.unwrap();
    timeout(PATIENCE, ending).await.unwrap().unwrap().unwrap();

    let again = served.place.start();
    let url = again.open_door_at(anywhere()).await.unwrap();
    let path = format!("{url}/api/v1/contexts/{}", stored["id"].as_str().unwrap());
    let found = served
        .client
        .get(path)
        .bearer_auth(super::TOKEN)
        .send()
        .await
        .unwrap();
    assert_eq!(found.status(), StatusCode::OK);
    again.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_waited_for_is_cut_off_when_the_time_is_up() {
    let held = Held::new();
    let mut place = place("[server]\nshutdown_secs = 0\n");
    place.provider = Some(held.clone());
    let served = Served::at(place).await;
    let request = served
        .ask(Method::POST, "/api/v1/contexts")
        .json(&json!({ "text": "never" }));
    let asked = tokio::spawn(request.send());
    held.is_asked().await;
    served.studio.door().close().await;
    assert!(asked.await.unwrap().is_err());
    held.go_on();
    served.studio.shut_down().await.unwrap();
}
