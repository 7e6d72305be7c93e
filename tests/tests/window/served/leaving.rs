//! The server goes away while its page is open.

use hirag_tests::window::{Desk, Role};

#[test]
fn the_page_says_that_the_server_is_gone() {
    let desk = Desk::new();
    let studio = desk.open();
    studio.see("The memory is empty");
    studio.end_program();
    studio.see("The server does not answer");
    let _ = studio.read(Role::Alert, "The server does not answer");
}
