//! What a user meets when the JobManager is not there, not well, or not a JobManager: each case has its own kind of
//! error and a sentence that names the call and the address.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail the test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sluice_flink::{
    Client, Error, JobId, JobState, OperationStatus, Options, SavepointFormat, Tls, TriggerId,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does once it has read the request.
#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    /// Sends this and then keeps the connection open without another word.
    ThenSilence(Vec<u8>),
    /// Sends the head of an answer of unknown length and then bytes without end.
    Endless,
}

/// An answer with a correct length.
fn whole(status: &str, content_type: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes(),
    )
}

fn json(status: &str, body: &str) -> Answer {
    whole(status, "application/json", body)
}

/// A server on a port of its own that answers every request in the same way.
async fn server(answer: Answer) -> String {
    server_of(move |_| answer.clone()).await
}

/// A server on a port of its own that chooses its answer by the path.
async fn server_of(choose: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let choose = Arc::new(choose);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, choose.clone()));
        }
    });
    format!("http://{address}")
}

async fn serve(mut stream: TcpStream, choose: Arc<impl Fn(&str) -> Answer>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    match choose(head.split(' ').nth(1).unwrap_or_default()) {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Answer::ThenSilence(bytes) => {
            let _ = stream.write_all(&bytes).await;
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        Answer::Endless => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                .await;
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
        }
    }
    let _ = stream.shutdown().await;
}

/// A port on which nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

fn impatient() -> Options {
    Options {
        request_timeout: Duration::from_millis(300),
        max_body_bytes: 64 * 1024,
        ..Options::default()
    }
}

fn client(address: &str) -> Client {
    Client::new(address, impatient()).unwrap()
}

fn job() -> JobId {
    JobId::from_bytes([0xab; 16])
}

fn trigger() -> TriggerId {
    TriggerId::from_bytes([0xcd; 16])
}

/// Every message is one sentence with the call and the address in it.
fn check_sentence(error: &Error, call: &str, address: &str) {
    let message = error.to_string();
    assert!(message.starts_with(call), "{message}");
    assert!(message.contains(address), "{message}");
    assert!(!message.contains('\n'), "{message}");
}

#[tokio::test]
async fn nobody_listens() {
    let address = format!("http://{}", nobody().await);
    let error = client(&address).jobs().await.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { sent: false, .. }),
        "{error:?}"
    );
    check_sentence(&error, "GET /jobs/overview", &address);
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(error.could_not_ask() && !error.may_have_taken_effect());
}

#[tokio::test]
async fn the_host_does_not_exist() {
    let error = Client::new("http://no-such-host.invalid:8081", Options::default())
        .unwrap()
        .overview()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { sent: false, .. }),
        "{error:?}"
    );
    check_sentence(&error, "GET /overview", "http://no-such-host.invalid:8081");
}

#[tokio::test]
async fn the_connection_breaks_before_the_answer() {
    let address = server(Answer::Bytes(Vec::new())).await;
    let error = client(&address)
        .trigger_savepoint(job(), trigger(), "file:///tmp/s", &SavepointFormat::Canonical)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { sent: true, .. }),
        "{error:?}"
    );
    assert!(
        error.may_have_taken_effect(),
        "the JobManager may have got the request"
    );
}

#[tokio::test]
async fn no_answer_in_time() {
    let address = server(Answer::ThenSilence(Vec::new())).await;
    let started = Instant::now();
    let error = client(&address).jobs().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { sent: true, .. }), "{error:?}");
    check_sentence(&error, "GET /jobs/overview", &address);
    assert!(error.to_string().contains("300ms"), "{error}");
    assert!(error.could_not_ask());
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_answer_stops_in_the_middle_and_the_connection_stays() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"jobs\":".to_vec();
    let error = client(&server(Answer::ThenSilence(head)).await)
        .jobs()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn the_answer_is_truncated() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"jobs\":".to_vec();
    let address = server(Answer::Bytes(head)).await;
    let error = client(&address).jobs().await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    check_sentence(&error, "GET /jobs/overview", &address);
    assert!(error.to_string().contains("broke off after 8 bytes"), "{error}");
}

#[tokio::test]
async fn the_answer_is_incomplete_json() {
    let error = client(&server(json("200 OK", "{\"jobs\": [")).await)
        .jobs()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { detail, .. } if detail.contains("incomplete JSON")),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_answer_is_other_json() {
    let error = client(&server(json("200 OK", "{\"kind\": \"Status\"}")).await)
        .jobs()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { detail, .. } if detail.contains("missing field `jobs`")),
        "{error:?}"
    );
    assert!(error.could_not_ask());
}

#[tokio::test]
async fn the_answer_is_a_web_page() {
    let page = "<html><body>Please log in</body></html>";
    let error = client(&server(whole("200 OK", "text/html", page)).await)
        .job(job())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { detail, .. } if detail.contains("Please log in")),
        "{error:?}"
    );
    check_sentence(&error, &format!("GET /jobs/{}", job()), "http://127.0.0.1:");
}

#[tokio::test]
async fn a_redirect_to_a_login_page_is_not_followed() {
    let answer =
        Answer::Bytes(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n".to_vec());
    let error = client(&server(answer).await).overview().await.unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { detail, .. } if detail.contains("302")),
        "{error:?}"
    );
}

#[tokio::test]
async fn after_a_restart_the_trigger_id_is_not_known_and_not_failed() {
    let body = format!(
        "{{\"errors\":[\"org.apache.flink.runtime.rest.handler.RestHandlerException: There is no savepoint operation \
         with triggerId={} for job {}.\\n\\tat org.apache.flink.X(X.java:1)\\n\"]}}",
        trigger(),
        job()
    );
    let client = client(&server(json("404 Not Found", &body)).await);
    assert_eq!(
        client.savepoint_status(job(), trigger()).await.unwrap(),
        OperationStatus::NotKnown
    );
    assert_eq!(
        client.checkpoint_status(job(), trigger()).await.unwrap(),
        OperationStatus::NotKnown
    );
    assert_eq!(
        client.disposal_status(trigger()).await.unwrap(),
        OperationStatus::NotKnown
    );
    let error = client.job(job()).await.unwrap_err();
    assert!(error.is_not_found() && error.is_definitive(), "{error:?}");
    assert!(
        error.to_string().ends_with(&format!(
            "(There is no savepoint operation with triggerId={} for job {}.)",
            trigger(),
            job()
        )),
        "{error}"
    );
}

#[tokio::test]
async fn a_404_from_an_ingress_says_nothing_about_the_savepoint() {
    let client = client(&server(whole("404 Not Found", "text/html", "<html>nginx</html>")).await);
    let error = client.savepoint_status(job(), trigger()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { detail, .. } if detail.contains("404")),
        "{error:?}"
    );
    assert!(!error.is_definitive());
}

#[tokio::test]
async fn a_call_that_this_flink_does_not_offer_says_nothing_either() {
    let body = "{\"errors\":[\"Unable to load requested file /jobs/x/checkpoints/y.\"]}";
    let error = client(&server(json("404 Not Found", body)).await)
        .checkpoint_status(job(), trigger())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not offer the call"), "{error}");
}

#[tokio::test]
async fn flinks_own_error_is_quoted_in_one_line() {
    let body = "{\"errors\":[\"Internal server error.\",\"<Exception on server side:\\njava.util.concurrent.CompletionException: \
                org.apache.flink.util.FlinkException: no leader\\n\\tat org.apache.flink.X(X.java:1)\\nEnd of exception on server side>\"]}";
    let address = server(json("500 Internal Server Error", body)).await;
    let error = client(&address).cancel(job()).await.unwrap_err();
    let Error::Refused {
        status: 500, message, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        message,
        "Internal server error.; org.apache.flink.util.FlinkException: no leader"
    );
    check_sentence(&error, &format!("PATCH /jobs/{}", job()), &address);
    assert!(
        error.could_not_ask() && error.may_have_taken_effect(),
        "a 500 is no answer to the question"
    );
}

#[tokio::test]
async fn a_bad_request_is_an_answer() {
    let body = "{\"errors\":[\"Request did not match expected format SavepointTriggerRequestBody.\"]}";
    let client = client(&server(json("400 Bad Request", body)).await);
    let error = client
        .trigger_savepoint(job(), trigger(), "", &SavepointFormat::Native)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 400, .. }) && error.is_definitive(),
        "{error:?}"
    );
    assert!(!error.may_have_taken_effect());
}

#[tokio::test]
async fn a_leader_election_is_no_answer() {
    let body = "{\"errors\":[\"Service temporarily unavailable due to an ongoing leader election. Please refresh.\"]}";
    let error = client(&server(json("503 Service Unavailable", body)).await)
        .job(job())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 503, .. }) && error.could_not_ask(),
        "{error:?}"
    );
}

/// As 1.20.5 does with a job whose main method failed: no details, and this list.
async fn server_without_details(listed: Answer) -> String {
    let details = json(
        "500 Internal Server Error",
        "{\"errors\":[\"Internal server error.\",\"<Exception on server side:\\njava.lang.NullPointerException\\n\\tat \
         org.apache.flink.util.Preconditions.checkNotNull(Preconditions.java:59)\\n\\tat \
         org.apache.flink.runtime.rest.messages.job.JobDetailsInfo.<init>(JobDetailsInfo.java:148)\\n\\nEnd of exception on server side>\"]}",
    );
    server_of(move |path| {
        if path == "/jobs/overview" {
            listed.clone()
        } else {
            details.clone()
        }
    })
    .await
}

/// The list of jobs with one line in it.
fn list(id: JobId, state: &str, end_time: i64) -> Answer {
    json(
        "200 OK",
        &format!(
            "{{\"jobs\":[{{\"jid\":\"{id}\",\"name\":\"(application driver)\",\"start-time\":1795279095322,\
             \"end-time\":{end_time},\"duration\":4,\"state\":\"{state}\",\"last-modification\":1795279095326,\"tasks\":{{}}}}]}}"
        ),
    )
}

#[tokio::test]
async fn a_job_that_ended_before_it_had_details_is_told_from_the_list() {
    let address = server_without_details(list(job(), "FAILED", 1_795_279_095_326)).await;
    let details = client(&address).job(job()).await.unwrap();
    assert_eq!(
        (details.id, details.name.as_str(), &details.state),
        (job(), "(application driver)", &JobState::Failed)
    );
    assert_eq!(details.end_time, Some(1_795_279_095_326));
    assert_eq!(details.entered(&JobState::Failed), details.end_time);
    assert_eq!(details.entered(&JobState::Running), None);
    assert!(!details.all_tasks_running());
}

#[tokio::test]
async fn a_job_without_details_has_not_ended_because_of_that() {
    let elsewhere = JobId::from_bytes([0xba; 16]);
    for listed in [
        list(job(), "RUNNING", -1),
        list(elsewhere, "FAILED", 1_795_279_095_326),
        json("200 OK", "{\"jobs\":[]}"),
        json("503 Service Unavailable", "{\"errors\":[\"no leader\"]}"),
        Answer::Bytes(Vec::new()),
    ] {
        let address = server_without_details(listed).await;
        let error = client(&address).job(job()).await.unwrap_err();
        assert!(
            matches!(error, Error::Refused { status: 500, .. }) && error.could_not_ask(),
            "{error:?}"
        );
        check_sentence(&error, &format!("GET /jobs/{}", job()), &address);
    }
}

#[tokio::test]
async fn an_announced_giant_is_not_read() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{".to_vec();
    let error = client(&server(Answer::ThenSilence(head)).await)
        .jobs()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 65536, .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let address = server(Answer::Endless).await;
    let options = Options {
        request_timeout: Duration::from_secs(20),
        ..impatient()
    };
    let error = Client::new(&address, options).unwrap().jobs().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 65536, .. }), "{error:?}");
    check_sentence(&error, "GET /jobs/overview", &address);
}

#[tokio::test]
async fn a_flink_that_ignores_our_id_is_found_out() {
    let body = "{\"request-id\":\"00000000000000000000000000000001\"}";
    let error = client(&server(json("202 Accepted", body)).await)
        .trigger_savepoint(job(), trigger(), "file:///tmp/s", &SavepointFormat::Canonical)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable { detail, .. } if detail.contains(&trigger().to_string())),
        "{error:?}"
    );
}

#[tokio::test]
async fn completed_without_a_location_is_no_success() {
    let body = "{\"status\":{\"id\":\"COMPLETED\"},\"operation\":{}}";
    let error = client(&server(json("200 OK", body)).await)
        .savepoint_status(job(), trigger())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn what_a_newer_flink_adds_is_no_error() {
    let body = format!(
        "{{\"jobs\":[{{\"jid\":\"{}\",\"name\":\"n\",\"state\":\"HIBERNATING\",\"start-time\":1,\"end-time\":-1,\"colour\":\"blue\"}}]}}",
        job()
    );
    let jobs = client(&server(json("200 OK", &body)).await).jobs().await.unwrap();
    assert_eq!(jobs[0].state, JobState::Other("HIBERNATING".to_owned()));
    assert_eq!(jobs[0].end_time, None);
    assert!(!jobs[0].state.is_terminal());
}

#[tokio::test]
async fn the_prefix_of_an_ingress_is_kept_and_a_shared_http_client_serves_many() {
    let address = server(json("404 Not Found", "{\"errors\":[]}")).await;
    let http = sluice_flink::http_client(&impatient(), false).unwrap();
    let one = Client::with_http(http.clone(), &format!("{address}/orders/"), impatient()).unwrap();
    let two = Client::with_http(http, &address, impatient()).unwrap();
    assert_eq!(one.address(), format!("{address}/orders"));
    assert!(one.jobs().await.unwrap_err().is_not_found());
    assert!(two.jobs().await.unwrap_err().is_not_found());
}

#[test]
fn a_wrong_address_or_certificate_is_refused_before_anything_is_sent() {
    for (address, why) in [
        ("orders-rest:8081", "http://"),
        ("ftp://orders-rest", "http://"),
        ("", "http://host:8081"),
        ("http://user:secret@orders-rest:8081", "user name or password"),
        ("http://orders-rest:8081/?a=b", "path"),
    ] {
        let error = Client::new(address, Options::default()).unwrap_err();
        assert!(matches!(error, Error::Misconfigured { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for (tls, what) in [
        (
            Tls {
                root_certificates_pem: Some(b"none".to_vec()),
                identity_pem: None,
            },
            "root certificate",
        ),
        (
            Tls {
                root_certificates_pem: None,
                identity_pem: Some(b"none".to_vec()),
            },
            "client certificate",
        ),
    ] {
        assert!(
            !format!("{tls:?}").contains("none"),
            "a private key must not be printed"
        );
        let options = Options {
            tls: Some(tls),
            ..Options::default()
        };
        let error = Client::new("https://orders-rest:8081", options).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}
