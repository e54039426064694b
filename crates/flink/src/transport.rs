//! One request and its answer: addresses, limits, and the sorting of what goes wrong.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::trace::StackTrace;

/// How a [`Client`] connects and what it accepts.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long making a connection may take. Default 2 s.
    pub connect_timeout: Duration,
    /// How long one request may take, from connecting to the last byte of the answer. Default 10 s.
    pub request_timeout: Duration,
    /// The largest answer that is accepted, in bytes; reading stops there. Default 16 MiB.
    pub max_body_bytes: usize,
    /// For `https` addresses: whom to trust and who we are. Without it, the system's root certificates are trusted.
    pub tls: Option<Tls>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(10),
            max_body_bytes: 16 * 1024 * 1024,
            tls: None,
        }
    }
}

/// The TLS side of a connection, for JobManagers with `security.ssl.rest.enabled`.
#[derive(Clone, Default)]
pub struct Tls {
    /// Root certificates in PEM form. Where given, only these are trusted; else the system's.
    pub root_certificates_pem: Option<Vec<u8>>,
    /// Client certificate and private key in PEM form, one after the other, for mutual authentication.
    pub identity_pem: Option<Vec<u8>>,
}

// By hand, because the identity holds a private key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field(
                "root_certificates_pem",
                &self.root_certificates_pem.as_ref().map(Vec::len),
            )
            .field("identity_pem", &self.identity_pem.as_ref().map(|_| "(not shown)"))
            .finish()
    }
}

/// The client for one JobManager. Cheap to clone: clones share their connections.
///
/// It never repeats a request by itself; whoever calls knows whether that is right, and [`Error`] tells what is known.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<Base>,
}

struct Base {
    url: Url,
    /// The address as it stands in messages: without a trailing slash.
    address: String,
    options: Options,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.base.address)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the JobManager whose REST API is at `base_url`, for example `http://orders-blue-rest:8081`.
    ///
    /// A path in the address is kept as a prefix (a JobManager behind an Ingress). Nothing is sent yet.
    /// Errors: [`Error::Misconfigured`] for an address that is not `http` or `https`, or unusable certificates.
    pub fn new(base_url: &str, options: Options) -> Result<Self, Error> {
        let base = Base::new(base_url, options)?;
        let http = http_client(&base.options, base.url.scheme() == "https")?;
        Ok(Self {
            http,
            base: Arc::new(base),
        })
    }

    /// The same on an HTTP client that others use, too: one pool of connections for many JobManagers.
    ///
    /// Make that client with [`http_client`]: the connect timeout, TLS, no proxy and no redirects are its own
    /// settings; the other options apply here.
    pub fn with_http(http: reqwest::Client, base_url: &str, options: Options) -> Result<Self, Error> {
        Ok(Self {
            http,
            base: Arc::new(Base::new(base_url, options)?),
        })
    }

    /// The address of the JobManager, as it stands in messages.
    pub fn address(&self) -> &str {
        &self.base.address
    }

    /// Sends a request that answers with JSON.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, Error> {
        let call = request.call();
        let (status, body) = self.exchange(&call, request).await?;
        if !status.is_success() {
            return Err(self.refusal(call, status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| self.unreadable(&call, not_json(&body, &error)))
    }

    /// Sends a request of whose answer only the status matters.
    pub(crate) async fn tell(&self, request: Request<'_>) -> Result<(), Error> {
        let call = request.call();
        let (status, body) = self.exchange(&call, request).await?;
        if status.is_success() {
            Ok(())
        } else {
            Err(self.refusal(call, status, &body))
        }
    }

    /// An answer that is JSON of the right form and still makes no sense.
    pub(crate) fn unreadable(&self, call: &str, detail: String) -> Error {
        Error::Unreadable {
            call: call.to_owned(),
            address: self.base.address.clone(),
            detail,
        }
    }

    async fn exchange(&self, call: &str, request: Request<'_>) -> Result<(StatusCode, Vec<u8>), Error> {
        let url = self.url(&request)?;
        let mut builder = self
            .http
            .request(request.method, url)
            .timeout(self.base.options.request_timeout);
        if let Some(body) = request.body {
            builder = builder
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let response = builder
            .send()
            .await
            .map_err(|error| self.no_answer(call, &error))?;
        let status = response.status();
        let body = self.read(call, response).await?;
        tracing::trace!(
            call,
            address = self.base.address,
            status = status.as_u16(),
            bytes = body.len(),
            "answered"
        );
        Ok((status, body))
    }

    /// Reads the body, but never more than the limit into memory.
    async fn read(&self, call: &str, mut response: Response) -> Result<Vec<u8>, Error> {
        let limit = self.base.options.max_body_bytes;
        let too_large = || Error::TooLarge {
            call: call.to_owned(),
            address: self.base.address.clone(),
            limit,
        };
        let announced = response.content_length();
        if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_large()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(self.no_answer(call, &error)),
                Err(error) => {
                    let detail = format!("it broke off after {} bytes: {}", body.len(), innermost(&error));
                    return Err(self.unreadable(call, detail));
                }
            }
        }
    }

    fn url(&self, request: &Request<'_>) -> Result<Url, Error> {
        let mut url = self
            .base
            .url
            .join(request.path.trim_start_matches('/'))
            .map_err(|error| Error::Misconfigured {
                what: format!(
                    "{} under {} is no address: {error}",
                    request.path, self.base.address
                ),
            })?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        Ok(url)
    }

    fn no_answer(&self, call: &str, error: &reqwest::Error) -> Error {
        let (call, address) = (call.to_owned(), self.base.address.clone());
        let sent = !error.is_connect();
        if error.is_timeout() {
            let options = &self.base.options;
            let after = if sent {
                options.request_timeout
            } else {
                options.connect_timeout
            };
            Error::TimedOut {
                call,
                address,
                after,
                sent,
            }
        } else {
            Error::Unreachable {
                call,
                address,
                detail: innermost(error),
                sent,
            }
        }
    }

    /// Sorts an answer that is not a success. Only Flink's own error form counts as the JobManager's word: a proxy or
    /// an Ingress in front of it answers 404 and 503 as well, and must not be taken for it.
    fn refusal(&self, call: String, status: StatusCode, body: &[u8]) -> Error {
        #[derive(Deserialize)]
        struct Errors {
            errors: Vec<String>,
        }
        let address = self.base.address.clone();
        let Ok(Errors { errors }) = serde_json::from_slice(body) else {
            let detail = format!(
                "status {status} with {}, which is not Flink's error form",
                excerpt(body)
            );
            return Error::Unreadable {
                call,
                address,
                detail,
            };
        };
        // What Flink's file server says about a path that has no handler.
        if errors
            .iter()
            .any(|error| error.starts_with("Unable to load requested file"))
        {
            let detail = "this version of Flink does not offer the call".to_owned();
            return Error::Unreadable {
                call,
                address,
                detail,
            };
        }
        let lines: Vec<String> = errors
            .into_iter()
            .map(|error| StackTrace::new(error).summary())
            .collect();
        let message = if lines.is_empty() {
            "no reason given".to_owned()
        } else {
            lines.join("; ")
        };
        if status == StatusCode::NOT_FOUND {
            Error::NotFound {
                call,
                address,
                message,
            }
        } else {
            Error::Refused {
                call,
                address,
                status: status.as_u16(),
                message,
            }
        }
    }
}

/// The HTTP client that [`Client::new`] would make, for sharing by [`Client::with_http`].
///
/// `https` says whether addresses with TLS will be asked: without it the system's root certificates are neither
/// loaded nor needed. Proxies of the environment are not used (a JobManager is inside the cluster or on this
/// machine), and redirects are not followed (a JobManager sends none; a login page in front of one does).
pub fn http_client(options: &Options, https: bool) -> Result<reqwest::Client, Error> {
    let bad = |what: &str, error: &reqwest::Error| Error::Misconfigured {
        what: format!(
            "the {what} cannot be used ({}); give it in PEM form",
            innermost(error)
        ),
    };
    let mut builder = reqwest::Client::builder()
        .connect_timeout(options.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
    let tls = options.tls.clone().unwrap_or_default();
    if let Some(pem) = &tls.root_certificates_pem {
        let roots =
            reqwest::Certificate::from_pem_bundle(pem).map_err(|error| bad("root certificate", &error))?;
        if roots.is_empty() {
            let what =
                "the root certificate file holds no certificate; give at least one in PEM form".to_owned();
            return Err(Error::Misconfigured { what });
        }
        builder = builder.tls_certs_only(roots);
    } else if !https {
        builder = builder.tls_certs_only([]);
    }
    if let Some(pem) = &tls.identity_pem {
        let identity = reqwest::Identity::from_pem(pem)
            .map_err(|error| bad("client certificate with its key", &error))?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|error| Error::Misconfigured {
        what: format!(
            "the HTTP client cannot be made ({}); check the certificates",
            innermost(&error)
        ),
    })
}

impl Base {
    fn new(base_url: &str, options: Options) -> Result<Self, Error> {
        let bad = |why: &str| Error::Misconfigured {
            what: format!(
                "the JobManager's address \"{base_url}\" cannot be used: {why}; write it as http://host:8081"
            ),
        };
        // A user name or password would stand in every message and log line, this one included.
        if base_url.contains('@') {
            let what =
                "the JobManager's address must not hold a user name or password; Flink's REST API has none";
            return Err(Error::Misconfigured {
                what: what.to_owned(),
            });
        }
        let mut url = Url::parse(base_url).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it must begin with http:// or https://"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it must end with the path"));
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let address = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            url,
            address,
            options,
        })
    }
}

/// What is asked.
pub(crate) struct Request<'a> {
    method: Method,
    path: String,
    query: &'a [(&'a str, &'a str)],
    body: Option<serde_json::Value>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::with(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>, body: serde_json::Value) -> Self {
        Self {
            body: Some(body),
            ..Self::with(Method::POST, path)
        }
    }

    pub(crate) fn with(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: &[],
            body: None,
        }
    }

    pub(crate) fn query(mut self, query: &'a [(&'a str, &'a str)]) -> Self {
        self.query = query;
        self
    }

    /// How the call is named in messages.
    pub(crate) fn call(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The deepest cause: reqwest's own layers say only "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    if error.source().is_some() {
        deepest.to_string()
    } else {
        error.to_string()
    }
}

fn not_json(body: &[u8], error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => format!("{} is incomplete JSON: {error}", excerpt(body)),
        serde_json::error::Category::Data => format!("its JSON is not what this call answers: {error}"),
        _ => format!("{} is not JSON: {error}", excerpt(body)),
    }
}

/// The beginning of a body, fit for a message.
fn excerpt(body: &[u8]) -> String {
    const SHOWN: usize = 60;
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let line: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(SHOWN)
        .collect();
    format!("\"{line}{}\"", if body.len() > SHOWN { "..." } else { "" })
}
