//! The window is started twice, and closed.

use hirag_tests::window::{Desk, until};

#[test]
fn a_second_start_on_the_same_memory_ends_well_and_leaves_the_first_open() {
    let desk = Desk::new();
    let studio = desk.open();
    let mut second = desk.start_again();
    let status = until("the second has ended", || {
        second.child().try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(0));
    assert!(studio.is_open());
    studio.see("The memory is empty");
}

#[test]
fn closing_it_closes_the_memory_first() {
    let desk = Desk::new();
    desk.home.set_settings("[logging]\nlevel = \"info\"\n");
    let studio = desk.open();
    studio.see("The memory is empty");
    studio.close();
    let log = desk.home.log();
    assert!(log.contains("the memory is closed"), "{log}");
    // With nothing beside it that belongs to it.
    for name in ["hirag.db-wal", "hirag.db-shm"] {
        assert!(!desk.home.data_dir().join(name).exists(), "{name}");
    }
}
