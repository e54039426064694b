//! What the API server was asked, from its audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use serde::Deserialize;

/// A ConfigMap of such a name is asked for, to learn how far the log is; it never exists.
const MARKER: &str = "audit-marker-";

/// The requests that the API server has answered since a moment.
#[derive(Clone)]
pub struct Audit {
    log: PathBuf,
    from: Place,
    client: Client,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// The file, by its number: the log is renamed when it has grown long.
    file: u64,
    offset: u64,
}

/// One request, as the API server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedRequest {
    /// When it came in, as RFC 3339 with microseconds, in UTC.
    pub received: String,
    /// The user; with impersonation the one that was impersonated.
    pub user: String,
    /// What the client calls itself.
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; of a path that is no resource the HTTP
    /// method in lower case.
    pub verb: String,
    /// The resource's group; empty for the core group and for paths that are no resource.
    pub group: String,
    /// The resource in plural; empty for a path that is no resource.
    pub resource: String,
    /// `status` and the like; empty for the resource itself.
    pub subresource: String,
    /// The namespace; empty for what is in none.
    pub namespace: String,
    /// The object's name; empty for lists and watches, and for creates that were refused before the object was looked at.
    pub name: String,
    /// The HTTP status of the answer.
    pub code: u16,
    /// Path and query.
    pub uri: String,
}

impl AuditedRequest {
    /// Whether it asked for a change, granted or not.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch" | "head" | "options")
    }

    /// `flinkdeployments/status`, `pods`, or the path of what is no resource.
    pub fn target(&self) -> String {
        match (self.resource.as_str(), self.subresource.as_str()) {
            ("", _) => self.uri.split('?').next().unwrap_or_default().to_owned(),
            (resource, "") => resource.to_owned(),
            (resource, subresource) => format!("{resource}/{subresource}"),
        }
    }
}

/// Requests, in the order in which they were answered.
#[derive(Clone, Debug, Default)]
pub struct Requests(pub Vec<AuditedRequest>);

impl Requests {
    /// Those that `keep` chooses.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&AuditedRequest) -> bool) -> Self {
        Self(self.0.iter().filter(|request| keep(request)).cloned().collect())
    }

    /// Those of a user, for example `system:serviceaccount:flink:sluice`.
    #[must_use]
    pub fn by_user(&self, user: &str) -> Self {
        self.only(|request| request.user == user)
    }

    /// Those of clients whose name for themselves begins so.
    #[must_use]
    pub fn by_user_agent(&self, prefix: &str) -> Self {
        self.only(|request| request.user_agent.starts_with(prefix))
    }

    /// Those in a namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        self.only(|request| request.namespace == namespace)
    }

    /// Those that asked for a change.
    #[must_use]
    pub fn writes(&self) -> Self {
        self.only(AuditedRequest::is_write)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of each kind, for example `patch flinkdeployments/status 200`; shown as a table.
    pub fn counts(&self) -> Counts {
        let mut counts = BTreeMap::new();
        for request in &self.0 {
            let kind = format!("{} {} {}", request.verb, request.target(), request.code);
            *counts.entry(kind).or_default() += 1;
        }
        Counts(counts)
    }

    /// How many asked for this, whatever the answer: `count("patch", "flinkdeployments/status")`.
    pub fn count(&self, verb: &str, target: &str) -> usize {
        self.0
            .iter()
            .filter(|request| request.verb == verb && request.target() == target)
            .count()
    }
}

/// Requests of each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<String, usize>);

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.0 {
            writeln!(formatter, "{count:>6}  {kind}")?;
        }
        write!(formatter, "{:>6}  in all", self.0.values().sum::<usize>())
    }
}

impl Audit {
    /// Begins now: what was answered before is not seen.
    pub(crate) async fn begin(log: PathBuf, client: Client) -> Result<Self> {
        let mut audit = Self {
            log,
            from: Place { file: 0, offset: 0 },
            client,
        };
        let current = fs::metadata(&audit.log);
        let current =
            current.with_context(|| format!("The audit log {} is not there.", audit.log.display()))?;
        audit.from = Place {
            file: current.ino(),
            offset: current.len(),
        };
        // What is still being written when the log is looked at belongs to what was before.
        let (_, end) = audit.read().await?;
        audit.from = end;
        Ok(audit)
    }

    /// The requests that were answered since this began; of a watch the beginning of its answer counts.
    pub async fn requests(&self) -> Result<Requests> {
        let (requests, _) = self.read().await?;
        Ok(requests)
    }

    /// Asks for something that cannot be mistaken, and reads until that. The API server writes a request into the log when
    /// it has answered it, which may be a moment after the answer arrived.
    async fn read(&self) -> Result<(Requests, Place)> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let marker = format!("{MARKER}{}", uuid::Uuid::new_v4());
        let config_maps: Api<ConfigMap> = Api::default_namespaced(self.client.clone());
        config_maps
            .get_opt(&marker)
            .await
            .context("The API server could not be asked, which has to be done to read its audit log.")?;
        let started = Instant::now();
        loop {
            let audit = self.clone();
            let sought = marker.clone();
            let found = tokio::task::spawn_blocking(move || read_until(&audit.log, audit.from, &sought))
                .await
                .context("Reading the audit log was interrupted.")??;
            if let Some(found) = found {
                return Ok(found);
            }
            if started.elapsed() > PATIENCE {
                bail!(
                    "A request did not appear in the audit log {} within {} s.",
                    self.log.display(),
                    PATIENCE.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// All requests from a place on, and where the marker's line ends; `None` while the marker is not there.
fn read_until(log: &Path, from: Place, marker: &str) -> Result<Option<(Requests, Place)>> {
    let mut requests = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, file) in files_from(log, from)?.into_iter().enumerate() {
        let problem = || format!("The audit log {} could not be read.", file.display());
        let opened = File::open(&file).with_context(problem)?;
        let inode = opened.metadata().with_context(problem)?.ino();
        let mut reader = BufReader::new(opened);
        let mut offset = if number == 0 { from.offset } else { 0 };
        reader.seek(SeekFrom::Start(offset)).with_context(problem)?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).with_context(problem)?;
            // Nothing more, or a line that is still being written.
            if !line.ends_with(b"\n") {
                break;
            }
            offset += u64::try_from(read).unwrap_or_default();
            let event: Event = serde_json::from_slice(&line).with_context(problem)?;
            if event.object.as_ref().is_some_and(|it| it.name == marker) {
                return Ok(Some((Requests(requests), Place { file: inode, offset })));
            }
            let own = event
                .object
                .as_ref()
                .is_some_and(|it| it.name.starts_with(MARKER));
            // A watch is written twice: when its answer begins, and when it ends.
            if !own && seen.insert(event.id.clone()) {
                requests.push(event.into());
            }
        }
    }
    Ok(None)
}

/// The file in which the place is, and those written after it. Files that were renamed have the time in their names.
fn files_from(log: &Path, from: Place) -> Result<Vec<PathBuf>> {
    let directory = log.parent().context("The audit log has no directory.")?;
    let problem = || format!("The audit logs in {} could not be listed.", directory.display());
    let mut earlier = Vec::new();
    for entry in fs::read_dir(directory).with_context(problem)? {
        let path = entry.with_context(problem)?.path();
        if path != log {
            earlier.push(path);
        }
    }
    earlier.sort();
    earlier.push(log.to_path_buf());
    let first = earlier
        .iter()
        .position(|path| fs::metadata(path).is_ok_and(|it| it.ino() == from.file));
    let first = first.with_context(|| {
        format!(
            "The part of the audit log {} from which requests are to be counted is gone; the log has grown too long in between.",
            log.display()
        )
    })?;
    Ok(earlier.split_off(first))
}

/// A line of the log: `audit.k8s.io/v1`, as far as it is needed here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    id: String,
    #[serde(rename = "requestURI")]
    uri: String,
    verb: String,
    user: User,
    impersonated_user: Option<User>,
    #[serde(default)]
    user_agent: String,
    #[serde(rename = "objectRef")]
    object: Option<Object>,
    response_status: Option<Answer>,
    request_received_timestamp: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Object {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    code: u16,
}

impl From<Event> for AuditedRequest {
    fn from(event: Event) -> Self {
        let object = event.object.unwrap_or_default();
        Self {
            received: event.request_received_timestamp,
            user: event.impersonated_user.unwrap_or(event.user).username,
            user_agent: event.user_agent,
            verb: event.verb,
            group: object.api_group,
            resource: object.resource,
            subresource: object.subresource,
            namespace: object.namespace,
            name: object.name,
            code: event.response_status.unwrap_or_default().code,
            uri: event.uri,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, stage: &str, verb: &str, name: &str) -> String {
        let event = serde_json::json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": id, "stage": stage,
            "requestURI": "/api/v1/namespaces/flink/configmaps", "verb": verb,
            "user": {"username": "admin", "groups": ["system:masters"]},
            "impersonatedUser": {"username": "alice"},
            "objectRef": {"resource": "configmaps", "namespace": "flink", "name": name, "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": 200},
            "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
        });
        format!("{event}\n")
    }

    #[test]
    fn requests_are_found_across_the_renaming_of_the_log_and_a_watch_counts_once() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("audit.log");
        let renamed = directory.path().join("audit-2026-01-01T00-00-00.000.log");
        let before = line("0", "ResponseComplete", "get", "before");
        let begun = line("1", "ResponseStarted", "watch", "");
        fs::write(&renamed, format!("{before}{begun}")).unwrap();
        let from = Place {
            file: fs::metadata(&renamed).unwrap().ino(),
            offset: u64::try_from(before.len()).unwrap(),
        };
        let ended = line("1", "ResponseComplete", "watch", "");
        let patched = line("2", "ResponseComplete", "patch", "one");
        let marker = line("3", "ResponseComplete", "get", "audit-marker-mine");
        let (written, being_written) = marker.split_at(40);
        fs::write(&log, format!("{ended}{patched}{written}")).unwrap();
        assert!(read_until(&log, from, "audit-marker-mine").unwrap().is_none());

        fs::write(&log, format!("{ended}{patched}{written}{being_written}")).unwrap();
        let (requests, end) = read_until(&log, from, "audit-marker-mine").unwrap().unwrap();
        assert_eq!(
            requests.by_user("alice").counts().to_string(),
            "     1  patch configmaps 200\n     1  watch configmaps 200\n     2  in all"
        );
        assert_eq!(end.offset, fs::metadata(&log).unwrap().len());

        fs::remove_file(&renamed).unwrap();
        let problem = read_until(&log, from, "audit-marker-mine")
            .unwrap_err()
            .to_string();
        assert!(problem.contains("has grown too long"), "{problem}");
    }
}
