use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};

use super::driver::{Driver, ELEMENT};
use super::{PATIENCE, picture, until};

/// Keys as WebDriver names them.
const CONTROL: char = '\u{e009}';
/// The key that goes to the end.
pub const END: char = '\u{e010}';

const FINDING: &str = include_str!("page.js");

/// What a thing in the page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Something that is said aloud at once.
    Alert,
    /// One of several like it, as a result of a search.
    Article,
    /// A button.
    Button,
    /// A box to tick.
    Checkbox,
    /// Something to write in.
    Field,
    /// A heading.
    Heading,
    /// A picture.
    Img,
    /// A link.
    Link,
    /// A list to choose from.
    Listbox,
    /// Something in such a list.
    Option,
    /// One of several of which one is chosen.
    Radio,
    /// A part of the page with a name: a panel, a dialogue, a table.
    Region,
}

impl Role {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// What the window shows, or a part of it. Everything waits until it can be done.
#[derive(Debug, Clone)]
pub struct Page {
    pub(super) driver: Arc<Driver>,
    region: Option<String>,
}

impl Page {
    pub(super) fn new(driver: Arc<Driver>) -> Self {
        Self {
            driver,
            region: None,
        }
    }

    /// The part with this name, whether it is there yet or not.
    #[must_use]
    pub fn within(&self, region: &str) -> Self {
        Self {
            driver: Arc::clone(&self.driver),
            region: Some(region.to_owned()),
        }
    }

    /// Goes to a place of the app, as a link within it does: `search`, `settings?tab=tokens`.
    pub fn go(&self, place: &str) {
        let look = "location.hash = '#/' + given[0]; return true;";
        self.wait(look, &[json!(place)]).expect("the page answers");
    }

    /// Goes to a place with something in its address, which may hold any letters.
    pub fn go_with(&self, place: &str, name: &str, value: &str) {
        let look = "location.hash = `#/${given[0]}?${new URLSearchParams({ [given[1]]: given[2] })}`; return true;";
        let given = [json!(place), json!(name), json!(value)];
        self.wait(look, &given).expect("the page answers");
    }

    /// Presses keys, one after another, while the first of them are held.
    pub fn keys(&self, held: &[char], key: char) {
        let act = |kind: &str, key: char| json!({"type": kind, "value": key});
        let mut actions: Vec<Json> = held.iter().map(|held| act("keyDown", *held)).collect();
        actions.extend([act("keyDown", key), act("keyUp", key)]);
        actions.extend(held.iter().rev().map(|held| act("keyUp", *held)));
        self.act(&json!({"type": "key", "id": "keyboard", "actions": actions}));
    }

    /// Takes the pointer to the corner, where it is over nothing that shows it.
    pub fn point_away(&self) {
        let corner = json!({"type": "pointerMove", "duration": 0, "x": 1, "y": 1});
        self.act(&json!({"type": "pointer", "id": "mouse", "actions": [corner]}));
    }

    fn act(&self, device: &Json) {
        let body = json!({"actions": [device]});
        self.driver.ask("POST", "/actions", Some(body)).unwrap();
    }

    /// Takes the latest change back, by the keyboard.
    pub fn undo(&self) {
        self.keys(&[CONTROL], 'z');
    }

    /// Waits until this text stands there.
    pub fn see(&self, text: &str) {
        let seen = self.wait("return text().includes(given[0]);", &[json!(text)]);
        assert!(seen.is_some(), "no {text:?} in: {}", self.whole().text());
    }

    /// Waits until a message says this, and puts it away, so that it covers nothing.
    pub fn hear(&self, text: &str) {
        let look =
            "const all = [...document.querySelectorAll('[aria-label=Messages] [role=group]')];
            const message = all.find((one) => plain(one.innerText).includes(given[0]));
            message?.querySelector('[aria-label=\"Dismiss message\"]').click();
            return message !== undefined;";
        let heard = self.wait(look, &[json!(text)]);
        assert!(
            heard.is_some(),
            "no message {text:?} in: {}",
            self.whole().text()
        );
    }

    /// Waits until this text does not stand there.
    pub fn miss(&self, text: &str) {
        let gone = self.wait("return !text().includes(given[0]);", &[json!(text)]);
        assert!(gone.is_some(), "still {text:?} in: {}", self.text());
    }

    /// Waits for something, and returns its text, or its name where it has none.
    #[must_use]
    pub fn read(&self, role: Role, name: &str) -> String {
        // What is not drawn yet has a content that cannot be seen.
        let look = "const it = find(given[0], given[1], place());
            const text = plain(it?.innerText);
            return it && (text || !plain(it.textContent)) && { name: nameOf(it), text };";
        let found = self.wait(look, &[json!(role.name()), json!(name)]);
        let found = found.unwrap_or_else(|| self.no(role, name));
        let text = found["text"].as_str().unwrap();
        let text = if text.is_empty() {
            found["name"].as_str().unwrap()
        } else {
            text
        };
        text.to_owned()
    }

    /// Presses a button, follows a link, chooses an option.
    pub fn press(&self, role: Role, name: &str) {
        until(&format!("{name:?} is pressed"), || {
            let element = self.find(role, name);
            let path = format!("/element/{element}/click");
            self.driver.ask("POST", &path, Some(json!({}))).ok()
        });
    }

    /// Writes into a field, in the place of what stood there.
    pub fn fill(&self, name: &str, text: &str) {
        self.press(Role::Field, name);
        let element = self.find(Role::Field, name);
        let path = format!("/element/{element}/clear");
        self.driver.ask("POST", &path, Some(json!({}))).unwrap();
        let path = format!("/element/{element}/value");
        let text = json!({"text": text});
        self.driver.ask("POST", &path, Some(text)).unwrap();
    }

    /// All the text.
    #[must_use]
    pub fn text(&self) -> String {
        let text = self.wait("return text();", &[]);
        text.and_then(|text| Some(text.as_str()?.to_owned()))
            .unwrap_or_default()
    }

    /// Waits until a function's body in JavaScript returns something, and returns that. It may use what
    /// `page.js` gives.
    #[must_use]
    pub fn ask(&self, what: &str, look: &str) -> Json {
        let found = self.wait(look, &[]);
        found.unwrap_or_else(|| panic!("still waiting until {what}: {}", self.whole().text()))
    }

    /// The page's source as it stands now.
    #[must_use]
    pub fn source(&self) -> String {
        let source = self.driver.ask("GET", "/source", None).unwrap();
        source.as_str().unwrap().to_owned()
    }

    /// A picture of the page, as PNG of few colours.
    #[must_use]
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.driver.ask("GET", "/screenshot", None).unwrap();
        picture::small(&BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap())
    }

    fn find(&self, role: Role, name: &str) -> String {
        // What is chosen by a label is pressed there: the box itself may be out of sight.
        let look = "const it = find(given[0], given[1], place());
            return it && !it.disabled && (given[0] === 'radio' ? it.closest('label') : it);";
        let found = self.wait(look, &[json!(role.name()), json!(name)]);
        let found = found.unwrap_or_else(|| self.no(role, name));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn no(&self, role: Role, name: &str) -> Json {
        let region = self.region.as_deref().unwrap_or("the page");
        panic!("no {role:?} {name:?} in {region}: {}", self.whole().text())
    }

    fn whole(&self) -> Self {
        Self::new(Arc::clone(&self.driver))
    }

    fn wait(&self, look: &str, given: &[Json]) -> Option<Json> {
        let script = format!("{FINDING}\nuntil(() => {{ {look} }});");
        // A little less than the driver waits for the script.
        let limit = PATIENCE.as_millis() as u64 - 2_000;
        let mut arguments = vec![json!(self.region), json!(limit)];
        arguments.extend_from_slice(given);
        let found = self.driver.run(&script, &arguments);
        let found = found.unwrap_or_else(|error| panic!("{look}: {error}"));
        Some(found).filter(|found| !found.is_null())
    }
}
