//! Who comes in and who does not.

use std::time::Duration;

use reqwest::header::{COOKIE, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Served, TOKEN, told};

const GUARDED: [&str; 12] = [
    "/",
    "/index.html",
    "/assets/index.js",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/health",
    "/health/ready",
    "/contexts",
    "/api/v1/contexts",
    "/api/v1/events",
    "/no/such/path",
];

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_answers_but_that_it_lives() {
    let served = Served::new().await;
    for path in GUARDED {
        let answer = served.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert!(answer.headers().contains_key(WWW_AUTHENTICATE), "{path}");
    }
    let (status, alive) = told(served.bare(Method::GET, "/health/live")).await;
    assert_eq!((status, alive), (StatusCode::OK, json!({ "status": "ok" })));
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_are_limited_and_the_right_one_is_not() {
    let served = Served::new().await;
    let wrong = || {
        served
            .bare(Method::GET, "/api/v1/stats")
            .bearer_auth("wrong")
            .send()
    };
    let mut refused = Vec::new();
    for _ in 0..25 {
        refused.push(wrong().await.unwrap());
    }
    assert_eq!(refused[0].status(), StatusCode::UNAUTHORIZED);
    let last = refused.last().unwrap();
    assert_eq!(last.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = last.headers()[RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    served.serves_on().await;
    served.place.clock.advance(Duration::from_secs(wait));
    assert_eq!(wrong().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_no_tokens_are_wrong_ones() {
    let served = Served::new().await;
    for header in ["Bearer", "Bearer ", "Basic dTpw", TOKEN] {
        let request = served.bare(Method::GET, "/api/v1/stats");
        let (status, problem) = told(request.header("authorization", header)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{header}");
        assert_eq!(problem["code"], "unauthorized");
        assert!(!problem.to_string().contains(TOKEN));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_is_refused_everywhere_even_with_the_token() {
    let served = Served::new().await;
    let port = served.address().port();
    for path in GUARDED.iter().chain(&["/health/live", "/open?key=x"]) {
        for host in [format!("evil.example:{port}"), "evil.example".to_owned()] {
            let answer = served
                .raw(&format!(
                    "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\
                     Connection: close\r\n\r\n"
                ))
                .await;
            assert!(answer.starts_with("HTTP/1.1 421"), "{path}: {answer}");
            assert!(answer.contains("foreign_host"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_elsewhere_is_refused_everywhere_even_with_the_token() {
    let served = Served::new().await;
    for path in GUARDED.iter().chain(&["/health/live", "/open?key=x"]) {
        for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
            let (status, problem) =
                told(served.ask(Method::GET, path).header(ORIGIN, origin)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {origin}");
            assert_eq!(problem["code"], "foreign_origin");
        }
    }
    let own = served
        .ask(Method::GET, "/api/v1/stats")
        .header(ORIGIN, &served.url);
    assert_eq!(told(own).await.0, StatusCode::OK);
}

/// The cookie that a new link leads to.
async fn sign_in(served: &Served) -> String {
    let (status, link) = served.post("/api/v1/link", json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    let link = link["url"].as_str().unwrap();
    let path = link.strip_prefix(&served.url).unwrap();
    let answer = served.bare(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[LOCATION], "/");
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    // A link that was used is used up.
    let again = served.bare(Method::GET, path).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_a_session_once_and_a_new_token_ends_it() {
    let served = Served::new().await;
    let cookie = sign_in(&served).await;
    let with = |path: &str| served.bare(Method::GET, path).header(COOKIE, &cookie);
    assert_eq!(told(with("/api/v1/stats")).await.0, StatusCode::OK);
    assert_eq!(told(with("/")).await.0, StatusCode::OK);
    let stranger = with("/api/v1/stats").header(ORIGIN, "http://127.0.0.1:1");
    assert_eq!(told(stranger).await.0, StatusCode::FORBIDDEN);
    let forged = served
        .bare(Method::GET, "/api/v1/stats")
        .header(COOKIE, "hirag_session_1=x");
    assert_eq!(told(forged).await.0, StatusCode::UNAUTHORIZED);

    let (status, new) = served
        .post("/api/v1/commands/server_token_replace", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let new = new["token"].as_str().unwrap();
    assert_eq!(new.len(), 43);
    assert_eq!(
        told(with("/api/v1/stats")).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        served.get("/api/v1/stats").await.0,
        StatusCode::UNAUTHORIZED
    );
    let right = served.bare(Method::GET, "/api/v1/stats").bearer_auth(new);
    assert_eq!(told(right).await.0, StatusCode::OK);
    let kept = served.place.vault.get("server").unwrap().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&kept), new);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_not_used_for_long_has_ended() {
    let served = Served::new().await;
    let cookie = sign_in(&served).await;
    served.place.clock.advance(Duration::from_secs(13 * 3_600));
    let late = served
        .bare(Method::GET, "/api/v1/stats")
        .header(COOKIE, cookie);
    assert_eq!(told(late).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_a_session_sees_how_to_get_in() {
    let served = Served::new().await;
    for path in ["/", "/open?key=old"] {
        let request = served
            .bare(Method::GET, path)
            .header("accept", "text/html,*/*");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert!(
            answer.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("'none'")
        );
        let page = answer.text().await.unwrap();
        assert!(page.contains("hirag serve"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_over_its_share_is_told_when_to_come_back_and_live_is_not_counted() {
    let limit = "[rate_limit]\nrequests_per_window = 3\nwindow_secs = 30\nburst_size = 3\n";
    let served = Served::with(limit).await;
    for left in ["2", "1", "0"] {
        let answer = served
            .ask(Method::GET, "/api/v1/contexts")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let told = answer.headers()["ratelimit"].to_str().unwrap();
        assert!(
            told.starts_with(&format!("\"client\";r={left};t=")),
            "{told}"
        );
        assert_eq!(answer.headers()["ratelimit-policy"], "\"client\";q=3;w=30");
    }
    let answer = served
        .ask(Method::GET, "/api/v1/contexts")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()[RETRY_AFTER], "10");
    assert!(
        answer.headers()["ratelimit"]
            .to_str()
            .unwrap()
            .starts_with("\"client\";r=0")
    );
    for _ in 0..5 {
        assert_eq!(
            told(served.bare(Method::GET, "/health/live")).await.0,
            StatusCode::OK
        );
    }
    let other = served
        .ask(Method::GET, "/api/v1/contexts")
        .header("user-agent", "other/1");
    assert_eq!(told(other).await.0, StatusCode::OK);
    served.place.clock.advance(Duration::from_secs(10));
    assert_eq!(served.get("/api/v1/contexts").await.0, StatusCode::OK);
}
