//! A proxy between one operator and everything that it asks: the API server and the JobManagers. It keeps a record, and
//! does harm at a chosen moment.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Requests to JobManagers are below this path.
const JOB_MANAGERS: &str = "/jobmanager";
const LARGEST: usize = 16 << 20;

/// When the operator is killed, seen from one of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The request is not sent on.
    Before,
    /// It was carried out; its answer is lost.
    Lost,
    /// The answer has arrived.
    After,
}

impl Moment {
    pub const ALL: [Self; 3] = [Self::Before, Self::Lost, Self::After];
}

/// What is done to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The operator dies.
    Kill(Moment),
    /// This status is answered, with so many seconds in `Retry-After`; the request is not sent on.
    Answer(u16, Option<u32>),
    /// The connection is cut; the request is not sent on.
    Cut,
    /// The request is carried out and the connection is cut before the answer.
    CutAfter,
    /// What was answered the first time to the same question is answered again.
    Replay,
}

/// One request as it came by, and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The how-manieth request that counts.
    pub number: usize,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// What was answered; none: nothing.
    pub status: Option<u16>,
    pub at: Instant,
    pub act: Option<Act>,
}

impl Exchange {
    /// `PUT flinkbluegreendeployments/orders/status`.
    pub fn what(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let tail = match path.split_once("/namespaces/") {
            Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, tail)| tail),
            None => path,
        };
        format!("{} {tail}", self.method)
    }

    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it was carried out.
    pub fn took_effect(&self) -> bool {
        self.is_write() && self.status.is_some_and(|status| status < 300)
    }
}

type Rule = Box<dyn FnMut(&Exchange) -> Option<Act> + Send>;
type Killer = Box<dyn Fn() + Send>;

struct Inner {
    exchanges: Vec<Exchange>,
    watches: usize,
    /// The first answer to each question.
    first: HashMap<String, Bytes>,
    rules: Vec<Rule>,
    killer: Option<Killer>,
    hit: Option<Exchange>,
    began: Instant,
}

/// What becomes of the watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watches {
    /// Each time this grows, those that are open are cut.
    cuts: u64,
    /// Each time this grows, those that are open are dead and do not say so.
    deaths: u64,
}

struct Shared {
    client: reqwest::Client,
    upstream: Mutex<String>,
    job_managers: SocketAddr,
    inner: Mutex<Inner>,
    watches: watch::Sender<Watches>,
    hits: watch::Sender<u64>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The proxy; it ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    /// Begins to pass on what is asked of the API server at `upstream`, whose certificate `authority` signed.
    pub async fn open(upstream: String, authority: &Path, job_managers: SocketAddr) -> Self {
        let authority = reqwest::Certificate::from_pem(&std::fs::read(authority).unwrap()).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([authority])
            .no_proxy()
            .build()
            .unwrap();
        let shared = Arc::new(Shared {
            client,
            upstream: Mutex::new(upstream),
            job_managers,
            inner: Mutex::new(Inner {
                exchanges: Vec::new(),
                watches: 0,
                first: HashMap::new(),
                rules: Vec::new(),
                killer: None,
                hit: None,
                began: Instant::now(),
            }),
            watches: watch::Sender::new(Watches { cuts: 0, deaths: 0 }),
            hits: watch::Sender::new(0),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self {
            address,
            shared,
            server,
        }
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// For `--rest-address`.
    pub fn rest_address(&self) -> String {
        format!("http://{}{JOB_MANAGERS}/{{namespace}}/{{name}}", self.address)
    }

    /// How the operator is killed.
    pub fn kills(&self, killer: impl Fn() + Send + 'static) {
        self.shared.lock().killer = Some(Box::new(killer));
    }

    /// Numbers begin anew, and what was recorded is forgotten.
    pub fn begin(&self) {
        let mut inner = self.shared.lock();
        inner.exchanges.clear();
        inner.hit = None;
        inner.began = Instant::now();
    }

    /// Something is done to the request of this number.
    pub fn at(&self, number: usize, act: Act) {
        self.when(move |exchange| (exchange.number == number).then_some(act));
    }

    /// Something is done to those requests that the rule chooses.
    pub fn when(&self, rule: impl FnMut(&Exchange) -> Option<Act> + Send + 'static) {
        self.shared.lock().rules.push(Box::new(rule));
    }

    /// No more harm.
    pub fn peace(&self) {
        self.shared.lock().rules.clear();
    }

    /// The request at which the operator was killed.
    pub fn hit(&self) -> Option<Exchange> {
        self.shared.lock().hit.clone()
    }

    /// Waits until the operator was killed.
    pub async fn until_hit(&self) {
        let mut hits = self.shared.hits.subscribe();
        hits.wait_for(|hits| *hits > 0).await.unwrap();
    }

    pub fn cut_watches(&self) {
        self.shared.watches.send_modify(|watches| watches.cuts += 1);
    }

    /// Those that are open deliver nothing more, and stay open.
    pub fn deafen_watches(&self) {
        self.shared.watches.send_modify(|watches| watches.deaths += 1);
    }

    /// Everything that counts, in order.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.lock().exchanges.clone()
    }

    /// How many requests there were that count.
    pub fn count(&self) -> usize {
        self.shared.lock().exchanges.len()
    }

    /// How many watches were opened.
    pub fn watches(&self) -> usize {
        self.shared.lock().watches
    }

    /// What was carried out, a line each.
    pub fn writes(&self) -> Vec<String> {
        let exchanges = self.exchanges();
        exchanges
            .iter()
            .filter(|exchange| exchange.took_effect())
            .map(Exchange::what)
            .collect()
    }

    /// The record for people.
    pub fn story(&self) -> String {
        let exchanges = self.exchanges();
        let Some(first) = exchanges.first() else {
            return "nothing was asked".to_owned();
        };
        let lines: Vec<String> = exchanges
            .iter()
            .map(|exchange| {
                format!(
                    "{:>8.3} {:>4} {} -> {}{}",
                    exchange.at.duration_since(first.at).as_secs_f64(),
                    exchange.number,
                    exchange.what(),
                    exchange
                        .status
                        .map_or("nothing".to_owned(), |status| status.to_string()),
                    exchange.act.map_or(String::new(), |act| format!(" ({act:?})")),
                )
            })
            .collect();
        lines.join("\n")
    }

    /// Returns once nothing was asked for so long; fails after `patience`.
    pub async fn quiet(&self, length: Duration, patience: Duration) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        loop {
            let still = {
                let inner = self.shared.lock();
                let last = inner.exchanges.last().map_or(inner.began, |exchange| exchange.at);
                last.elapsed()
            };
            if still >= length {
                return Ok(());
            }
            let left = length.saturating_sub(still);
            if Instant::now() + left > deadline {
                return Err(format!(
                    "within {} s there were no {} s without a request",
                    patience.as_secs_f64(),
                    length.as_secs_f64()
                ));
            }
            tokio::time::sleep(left + Duration::from_millis(5)).await;
        }
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let is_watch = path.contains("watch=true") || path.contains("watch=1");
    let is_read = parts.method == "GET";
    let of_flink = path.starts_with(JOB_MANAGERS);
    let counts = !is_watch && !path.contains("/leases") && (!of_flink || !is_read);
    let base = if of_flink {
        format!("http://{}", shared.job_managers)
    } else {
        shared
            .upstream
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    };
    let url = format!("{base}{}", path.strip_prefix(JOB_MANAGERS).unwrap_or(&path));
    let (index, act) = number(&shared, &parts.method, &path, is_watch, counts);
    if let Some(answer) = before(&shared, index, act, &path) {
        return answer;
    }
    let mut headers = parts.headers;
    for hop in [
        header::HOST,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(hop);
    }
    let asked = shared
        .client
        .request(parts.method, url)
        .headers(headers)
        .body(body)
        .send()
        .await;
    // Whatever is wrong behind the proxy is a broken connection before it.
    let Ok(answer) = asked else { return cut() };
    let (status, headers) = (answer.status(), kept(answer.headers()));
    if is_watch {
        return (
            status,
            headers,
            Body::from_stream(watched(answer, shared.watches.subscribe())),
        )
            .into_response();
    }
    let Ok(content) = answer.bytes().await else {
        return cut();
    };
    note(&shared, index, status.as_u16());
    if is_read && status.is_success() {
        shared.lock().first.entry(path).or_insert_with(|| content.clone());
    }
    match act {
        Some(Act::Kill(Moment::Lost)) => {
            kill(&shared, index);
            silence()
        }
        Some(Act::CutAfter) => cut(),
        Some(Act::Kill(_)) => {
            tokio::spawn(async move {
                // The answer is on its way by then.
                tokio::time::sleep(Duration::from_millis(2)).await;
                kill(&shared, index);
            });
            (status, headers, content).into_response()
        }
        _ => (status, headers, content).into_response(),
    }
}

/// Counts a request and asks the rules what is to be done with it.
fn number(
    shared: &Shared,
    method: &reqwest::Method,
    path: &str,
    is_watch: bool,
    counts: bool,
) -> (Option<usize>, Option<Act>) {
    let mut inner = shared.lock();
    if is_watch {
        inner.watches += 1;
    }
    if !counts {
        return (None, None);
    }
    let mut exchange = Exchange {
        number: inner.exchanges.len() + 1,
        method: method.to_string(),
        path: path.to_owned(),
        status: None,
        at: Instant::now(),
        act: None,
    };
    exchange.act = inner.rules.iter_mut().find_map(|rule| rule(&exchange));
    let act = exchange.act;
    inner.exchanges.push(exchange);
    (Some(inner.exchanges.len() - 1), act)
}

/// The answer where the request is not to go on.
fn before(shared: &Shared, index: Option<usize>, act: Option<Act>, path: &str) -> Option<Response> {
    match act? {
        Act::Kill(Moment::Before) => {
            kill(shared, index);
            Some(silence())
        }
        Act::Answer(status, seconds) => {
            note(shared, index, status);
            Some(refusal(status, seconds))
        }
        Act::Cut => Some(cut()),
        Act::Replay => {
            let first = shared.lock().first.get(path).cloned()?;
            note(shared, index, 200);
            let json = [(header::CONTENT_TYPE, "application/json")];
            Some((StatusCode::OK, json, first).into_response())
        }
        Act::Kill(_) | Act::CutAfter => None,
    }
}

/// The record is emptied when a test begins to count; what was under way then is in it no more.
fn note(shared: &Shared, index: Option<usize>, status: u16) {
    if let Some(index) = index
        && let Some(exchange) = shared.lock().exchanges.get_mut(index)
    {
        exchange.status = Some(status);
    }
}

fn kill(shared: &Shared, index: Option<usize>) {
    {
        let mut inner = shared.lock();
        inner.hit = index.and_then(|index| inner.exchanges.get(index).cloned());
        inner.rules.clear();
        if let Some(killer) = &inner.killer {
            killer();
        }
    }
    shared.hits.send_modify(|hits| *hits += 1);
}

fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for hop in [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(hop);
    }
    headers
}

fn refusal(status: u16, seconds: Option<u32>) -> Response {
    let reason = match status {
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status, "reason": reason,
        "message": format!("the proxy answers {status}"),
        "details": seconds.map(|seconds| json!({ "retryAfterSeconds": seconds })),
    });
    let status = StatusCode::from_u16(status).unwrap();
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A body that breaks off at once: the connection is closed before anything was sent on it.
fn cut() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    Response::new(Body::from_stream(broken))
}

/// Headers, and then nothing: whoever waits for it is dead.
fn silence() -> Response {
    Response::new(Body::from_stream(futures::stream::pending::<
        Result<Bytes, Infallible>,
    >()))
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>;

/// The events of a watch, as far as they are let through.
fn watched(answer: reqwest::Response, watches: watch::Receiver<Watches>) -> Chunks {
    let began = *watches.borrow();
    let chunks = answer.bytes_stream().boxed();
    Box::pin(futures::stream::unfold(
        (chunks, watches, false),
        move |(mut chunks, mut watches, over)| async move {
            if over {
                return None;
            }
            loop {
                let now = *watches.borrow_and_update();
                if now.cuts > began.cuts {
                    return Some((Err(std::io::Error::other("cut")), (chunks, watches, true)));
                }
                tokio::select! {
                    changed = watches.changed() => if changed.is_err() { return None },
                    chunk = chunks.next(), if now.deaths == began.deaths => {
                        let chunk = chunk?.map_err(std::io::Error::other);
                        return Some((chunk, (chunks, watches, false)));
                    }
                }
            }
        },
    ))
}
