use std::error::Error;

use hirag_server::studio::{Claims, Studio, StudioOptions};
use tauri::{App, Manager};
use tauri_plugin_window_state::StateFlags;

use crate::arguments::Places;
use crate::ending::{self, Ending};
use crate::{events, fault, instance, ipc, logs, menu, tray, window};

/// Opens the window and returns when it is closed. Where one is open for this memory already, it
/// comes to the front, and the process ends.
///
/// # Errors
/// Where there is no display, or no web view.
pub(crate) fn run(places: Places) -> Result<(), Box<dyn Error>> {
    if !window::has_display() {
        return Err(
            "there is no display to open a window on; the program `hirag` needs none".into(),
        );
    }
    let state = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED;
    let mut builder = tauri::Builder::default();
    if let Some(single) = instance::plugin(&places) {
        builder = builder.plugin(single);
    }
    builder
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(state)
                .build(),
        )
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .menu(menu::build)
        .on_menu_event(|app, event| menu::chosen(app, event.id().as_ref()))
        .on_window_event(window::happened)
        .invoke_handler(ipc::handle)
        .setup(move |app| set_up(app, places))
        .build(tauri::generate_context!())?
        .run(ending::follow);
    Ok(())
}

fn set_up(app: &mut App, places: Places) -> Result<(), Box<dyn Error>> {
    logs::start(app, &places);
    let config_file = places.config_file.clone();
    let options = StudioOptions {
        claims: Claims::IfListening,
        ..StudioOptions::at(places.config_file, places.data_dir)
    };
    fault::watch(app.handle(), options.clock.clone());
    fault::rehearse();
    // Opening goes on in the background; the window does not wait for it.
    let studio = tauri::async_runtime::block_on(async {
        let studio = Studio::start(options);
        studio.open_door();
        studio
    });
    tauri::async_runtime::spawn(events::tell(
        app.handle().clone(),
        studio.events(),
        config_file.clone(),
    ));
    app.manage(studio);
    app.manage(Ending::default());
    ending::hear_signals(app.handle());
    window::open(app, &config_file)?;
    // The page is being loaded meanwhile, by processes of its own.
    tray::build(app);
    Ok(())
}
