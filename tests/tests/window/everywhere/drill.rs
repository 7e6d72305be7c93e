//! A provider fails on purpose, and the window shows what becomes of it.

use hirag_tests::endpoint::Endpoint;
use hirag_tests::window::{Desk, Page, Role};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_threshold_a_drill_opens_the_breaker_and_words_decide() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new();
    // However slow the machine is, no failure is forgotten, and the breaker neither tries nor closes by itself.
    desk.home.set_settings(&format!(
        "provider = \"http\"\nmodel = \"scripted\"\napi_url = {:?}\nmax_retries = 0\n
         [circuit_breaker]\nwindow_size = \"1h\"\ntimeout = \"1h\"\n",
        endpoint.url()
    ));
    let studio = desk.open();
    store(&studio, "Owls hunt at night.");
    studio.hear("Stored in L1.");

    studio.go("resilience");
    let breaker = studio.within("Breaker");
    breaker.fill("Opens after", "2");
    breaker.press(Role::Button, "Apply");
    studio.hear("Applied.");
    let settings = std::fs::read_to_string(desk.home.config_file()).unwrap();
    assert!(settings.contains("failure_threshold = 2"), "{settings}");
    studio
        .within("Breaker now")
        .see("Calls go through. 0 failures of 2");

    let drill = studio.within("Drill");
    drill.press(Role::Radio, "500");
    drill.fill("Seconds", "300");
    drill.press(Role::Button, "Start the drill");
    drill.see("The provider fails, for another");
    for query in ["owls by day", "owls at night"] {
        studio.go("overview");
        studio.go_with("search", "query", query);
        studio.see("words alone decided");
        let best = studio.read(Role::Article, "Result 1");
        assert!(best.contains("Owls hunt at night."), "{best}");
    }
    store(&studio, "Bats hunt at night, too.");
    studio.see("Its vector is pending");

    studio.go("resilience");
    studio
        .within("Breaker now")
        .see("Calls are refused at once");
    studio.within("Timeline").see("Open 2 failures");
    studio
        .within("Waiting for vectors")
        .see("1 Searches find them by their words meanwhile");

    studio
        .within("Drill")
        .press(Role::Button, "End the drill now");
    studio
        .within("Breaker now")
        .press(Role::Button, "Close it now");
    studio.hear("The breaker is closed.");
    studio
        .within("Waiting for vectors")
        .see("Every context has its vector");
}

fn store(studio: &Page, text: &str) {
    studio.go("overview");
    studio.press(Role::Button, "New context");
    let new = studio.within("Store a new context");
    new.fill("Text", text);
    new.press(Role::Button, "Store");
}
