//! The memory over standard input and output: one client, which started this process.

use std::io::Read;
use std::path::PathBuf;

use rmcp::service::{QuitReason, ServerInitializeError, serve_server};
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Handle;

use super::door::{Door, Places, Shared};
use super::handler::Memory;
use crate::commands::{Error, Result};

/// Bytes of a message: the largest text, all of it escaped. A longer line is passed over.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that are read ahead.
const AHEAD: usize = 64 * 1024;

/// Serves the memory in `data_dir` until standard input ends or `stop` does. What was asked for
/// before is answered.
///
/// # Errors
/// What the client's first messages or the end of the memory come to.
pub async fn serve(
    config_file: PathBuf,
    data_dir: PathBuf,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let shared = Shared::new(Places {
        config_file,
        data_dir,
    });
    tokio::spawn({
        let shared = shared.clone();
        async move { shared.look().await }
    });
    let memory = Memory::new(Door::Shared(shared.clone()));
    let transport = AsyncRwTransport::new_server(input()?, tokio::io::stdout())
        .with_max_line_length(MOST_BYTES);
    let served = converse(memory, transport, stop).await;
    let closed = shared.shut_down().await;
    served?;
    closed
}

async fn converse(
    memory: Memory,
    transport: AsyncRwTransport<rmcp::RoleServer, DuplexStream, tokio::io::Stdout>,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let mut stop = std::pin::pin!(stop);
    let begun = tokio::select! {
        begun = serve_server(memory, transport) => begun,
        () = &mut stop => return Ok(()),
    };
    let service = match begun {
        Ok(service) => service,
        // A client that leaves before it has said anything is no fault.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Error::Protocol(error.to_string())),
    };
    let end = service.cancellation_token();
    let mut waiting = std::pin::pin!(service.waiting());
    let ended = tokio::select! {
        ended = &mut waiting => ended,
        () = &mut stop => {
            end.cancel();
            waiting.await
        }
    };
    match ended {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Standard input, read on a thread that the end of the process does not wait for: a read cannot be
/// broken off.
fn input() -> Result<DuplexStream> {
    let (reader, mut writer) = duplex(AHEAD);
    let runtime = Handle::current();
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut bytes = vec![0; AHEAD];
            while let Ok(read @ 1..) = input.read(&mut bytes) {
                if runtime.block_on(writer.write_all(&bytes[..read])).is_err() {
                    return;
                }
            }
        })?;
    Ok(reader)
}
