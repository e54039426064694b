//! The same against upstream's own definitions, which users may keep.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;
use sluice_api::Kind;

use crate::outcomes::{Outcome, of_everything_malformed};
use crate::server::Server;

/// They are not part of the repository; named as for the tests of `sluice-api`, or beside the checkout.
fn directory() -> Option<PathBuf> {
    let named = env::var_os("SLUICE_UPSTREAM_CRDS").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/crds");
    Some(named.unwrap_or_else(beside)).filter(|it| it.is_dir())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_upstreams_definitions_let_through_is_read_or_told_in_sentences_too() {
    let Some(directory) = directory() else {
        println!(
            "SKIPPED: upstream's definitions are not here; name their directory in SLUICE_UPSTREAM_CRDS"
        );
        return;
    };
    let definitions: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| {
            let name = format!("{}.flink.apache.org-v1.yml", kind.plural());
            serde_saphyr::from_str(&fs::read_to_string(directory.join(name)).unwrap()).unwrap()
        })
        .collect();
    let server = Server::with_definitions("upstream", &definitions).await;
    for kind in Kind::ALL {
        let outcomes = of_everything_malformed(&server, kind).await;
        outcomes.print(&format!("{kind:?}, with upstream's definition"));
        assert_eq!(outcomes.of(Outcome::Panics), 0);
        assert_eq!(outcomes.of(Outcome::CannotBeRead), 0);
    }
    server.remove().await;
}
