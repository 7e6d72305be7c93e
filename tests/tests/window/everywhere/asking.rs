//! A question is answered word by word, stopped, asked again, and its source opened.

use hirag_tests::chat::Chat;
use hirag_tests::window::{Desk, Role};

/// The key as WebDriver names it.
const ENTER: char = '\u{e007}';

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_word_by_word_is_stopped_and_asked_again_and_its_source_opens() {
    let mut chat = Chat::start().await;
    let desk = Desk::new();
    // However slow the machine is, the answer is waited for.
    desk.home.set_settings(&format!(
        "[chat]\nprovider = \"openai-compatible\"\nmodel = \"scripted\"\napi_url = {:?}\nmax_retries = 0\n\
         first_token_timeout = \"10m\"\ntoken_timeout = \"10m\"\nanswer_timeout = \"30m\"\n",
        chat.url()
    ));
    let studio = desk.open();
    studio.go("overview");
    studio.press(Role::Button, "New context");
    let new = studio.within("Store a new context");
    new.fill("Text", "Jonas keeps the deploy key in the blue safe.");
    new.press(Role::Button, "Store");
    studio.hear("Stored in L1.");

    studio.go("ask");
    studio.fill("Question", "Who keeps the deploy key?");
    studio.press(Role::Button, "Ask");
    chat.asked().await;
    studio.see("Reading 1 source");
    chat.say("It is Jonas");
    studio.see("It is Jonas");
    chat.say(", and he");
    studio.see("It is Jonas, and he");
    studio.press(Role::Button, "Stop");
    studio.see("Nothing is kept of this answer.");
    chat.left().await;

    studio.fill("Question", "Who keeps the deploy key?");
    studio.press(Role::Button, "Ask");
    chat.asked().await;
    chat.say("Jonas keeps it [1], nobody else [7].");
    chat.end();
    studio.see("Jonas keeps it [1], nobody else [?].");
    let _ = studio.read(Role::Img, "Source 7 removed: there is none");
    studio.see("Taken out, as there is no such source: [7]");
    studio.see("Worded by scripted.");
    studio.within("Conversations").see("1 answer");

    studio.press(Role::Button, "Source 1");
    let _ = studio.ask(
        "the source has the focus",
        "return document.activeElement.matches('[aria-label=Sources] a');",
    );
    studio.keys(&[], ENTER);
    let details = studio.within("Details of the context");
    details.see("Jonas keeps the deploy key in the blue safe.");
    details.see("Words of the question are marked.");
}
