//! What the runner answers on its socket.

mod answers;
mod documents;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::net::UnixListener;

use crate::client::SOCKET;
use crate::runner::Context;

/// The largest request: many resources of etcd's limit at once.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;
/// The longest path that a Unix socket can have on Linux, without its closing zero.
const LONGEST_SOCKET_PATH: usize = 107;

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Unix limits the path of a socket.
    #[error("{} is too long for a socket ({length} bytes, at most {LONGEST_SOCKET_PATH} are possible); use a directory with a shorter path", path.display())]
    TooLong {
        /// The socket.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// The socket cannot be made.
    #[error("the socket {} cannot be made ({detail}); check that the directory is on a local file system and belongs to you", path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// Why.
        detail: String,
    },
}

/// Makes the socket, for its owner only. The directory's lock is held: a socket that is there is a dead runner's.
pub(crate) fn bind(directory: &Path) -> Result<UnixListener, ServerError> {
    let path = directory.join(SOCKET);
    let length = path.as_os_str().len();
    if length > LONGEST_SOCKET_PATH {
        return Err(ServerError::TooLong { path, length });
    }
    let failed = |error: std::io::Error| ServerError::Bind {
        path: path.clone(),
        detail: error.to_string(),
    };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Serves the socket for ever.
pub(crate) async fn serve(context: Arc<Context>, listener: UnixListener) {
    let router = Router::new()
        .route("/v1/info", get(answers::info))
        .route("/v1/apply", post(answers::apply))
        .route("/v1/objects/{kind}", get(answers::list))
        .route(
            "/v1/objects/{kind}/{namespace}/{name}",
            get(answers::get).delete(answers::delete),
        )
        .route(
            "/v1/objects/{kind}/{namespace}/{name}/annotations",
            post(answers::annotate),
        )
        .route("/v1/events", get(answers::events))
        .route("/v1/logs/{namespace}/{name}", get(answers::logs))
        .route("/v1/observed/{namespace}/{name}", get(answers::observed))
        .route("/v1/watch", get(answers::watch))
        .route("/v1/shutdown", post(answers::shutdown))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(context);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("the socket is not served any more: {error}");
    }
}
