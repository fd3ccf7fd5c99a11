//! What servers and networks do wrong, spoken over TCP.

use ingle_endpoint::{Endpoint, EndpointError, Settings, Trouble};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

static GO: AtomicBool = AtomicBool::new(false);
/// Set by Cargo for tests: a value that stands in for a key.
const KEY_VARIABLE: &str = "CARGO_PKG_DESCRIPTION";
const KEY: &str = env!("CARGO_PKG_DESCRIPTION");

/// Answers one request after the other with these texts, the last one again and again. An empty text
/// closes the connection; `silence` keeps it open and says nothing.
struct Faulty {
    base: String,
    requests: Receiver<String>,
    folder: TempDir,
}

const SILENCE: &str = "silence";

impl Faulty {
    fn new(answers: &[String]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let (sender, requests) = channel();
        let answers = answers.to_vec();
        thread::spawn(move || {
            for (n, stream) in listener.incoming().flatten().enumerate() {
                let answer = &answers[n.min(answers.len() - 1)];
                if serve(stream, answer, &sender).is_none() {
                    return;
                }
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            base,
            requests,
            folder,
        }
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new(&self.base, "m", self.folder.path().join("answers"));
        KEY_VARIABLE.clone_into(&mut settings.key_variable);
        settings.attempts = 3;
        settings.first_wait = Duration::from_millis(20);
        settings
    }

    /// The error of judging with these settings, and how many requests were sent.
    fn error(&self, settings: Settings) -> (EndpointError, usize) {
        let error = judge(settings, &GO).expect_err("a fault");
        (error, self.requests.try_iter().count())
    }
}

/// Reads one request and answers it; none once nobody listens to what was requested.
fn serve(stream: TcpStream, answer: &str, requests: &Sender<String>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let begin = head.len();
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return Some(());
        }
        let line = head[begin..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    head.push_str(&String::from_utf8(body).expect("text"));
    requests.send(head).ok()?;
    let mut stream = reader.into_inner();
    if answer == SILENCE {
        // Held until the client hangs up.
        thread::spawn(move || stream.read(&mut [0]));
    } else {
        // A client may hang up on an answer that is cut short.
        stream.write_all(answer.as_bytes()).ok();
    }
    Some(())
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

fn judge(settings: Settings, stop: &AtomicBool) -> Result<Vec<Vec<f32>>, EndpointError> {
    let history = ["Red lipstick", "Dry shampoo", "Claw hammer"].map(str::to_owned);
    Endpoint::new(settings)?.judge(&[history.to_vec()], stop, |_| ())
}

#[test]
fn a_refused_key_fails_at_once_and_is_not_repeated() {
    let body = format!(r#"{{"error": {{"message": "Incorrect API key: {KEY}"}}}}"#);
    let server = Faulty::new(&[http("401 Unauthorized", "", &body)]);
    let error = judge(server.settings(), &GO).expect_err("401").to_string();
    let requests: Vec<String> = server.requests.try_iter().collect();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("POST /v1/completions HTTP/1.1\r\n"));
    assert!(
        requests[0]
            .to_ascii_lowercase()
            .contains("authorization: bearer ")
    );
    assert!(requests[0].contains(KEY));
    assert!(
        error.contains("(401): Incorrect API key: [key]; check the key in CARGO_PKG_DESCRIPTION"),
        "{error}"
    );
    let kept = std::fs::read(server.folder.path().join("answers")).expect("a file");
    assert!(kept.is_empty());
}

#[test]
fn without_a_key_none_is_sent_and_one_is_asked_for() {
    let server = Faulty::new(&[http("403 Forbidden", "", "")]);
    let mut settings = server.settings();
    settings.key_variable = "INGLE_NO_SUCH_VARIABLE".to_owned();
    let error = judge(settings, &GO).expect_err("403").to_string();
    let request = server
        .requests
        .try_recv()
        .expect("one request")
        .to_ascii_lowercase();
    assert!(!request.contains("authorization"), "{request}");
    assert!(
        error.contains("no reason given; put a key into INGLE_NO_SUCH_VARIABLE"),
        "{error}"
    );
}

#[test]
fn what_the_server_refuses_fails_at_once_with_its_reason() {
    for (status, headers, body, part) in [
        (
            "404 Not Found",
            "",
            r#"{"detail": "no such model"}"#,
            "no such model; check the address",
        ),
        (
            "400 Bad Request",
            "",
            r#"{"object": "error", "message": "8192 tokens"}"#,
            "(400): 8192 tokens",
        ),
        (
            "307 Temporary Redirect",
            "Location: http://other/v1\r\n",
            "",
            "it has moved to http://other/v1",
        ),
    ] {
        let server = Faulty::new(&[http(status, headers, body)]);
        let (error, requests) = server.error(server.settings());
        assert!(matches!(error, EndpointError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(requests, 1);
    }
}

#[test]
fn failures_of_the_server_are_tried_again() {
    let failed = http(
        "500 Internal Server Error",
        "",
        r#"{"error": {"message": "out of memory"}}"#,
    );
    let refused = http("400 Bad Request", "", "enough");
    let server = Faulty::new(&[failed.clone(), String::new(), refused]);
    let (error, requests) = server.error(server.settings());
    assert!(error.to_string().contains("enough"), "{error}");
    assert_eq!(requests, 3);

    let server = Faulty::new(&[failed]);
    let (error, requests) = server.error(server.settings());
    assert!(
        error
            .to_string()
            .ends_with("in 3 attempts: status 500: out of memory"),
        "{error}"
    );
    assert_eq!(requests, 3);
}

#[test]
fn a_busy_server_is_given_the_time_it_asks_for() {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(3));
    for after in ["1", &date] {
        let busy = http(
            "429 Too Many Requests",
            &format!("Retry-After: {after}\r\n"),
            "slow down",
        );
        let server = Faulty::new(&[busy, http("400 Bad Request", "", "enough")]);
        let begin = Instant::now();
        let (error, requests) = server.error(server.settings());
        assert!(error.to_string().contains("enough"), "{error}");
        assert!(begin.elapsed() >= Duration::from_secs(1), "{after}");
        assert_eq!(requests, 2);
    }
}

#[test]
fn an_answer_that_is_no_completion_is_asked_for_again() {
    for (body, part) in [
        ("<html>Welcome</html>", "<html>Welcome</html>"),
        (r#"{"choices": [{"te"#, "EOF"),
        (r#"{"choices": []}"#, "0 answers to 1 prompts"),
        (r#"{"object": "error"}"#, "missing field"),
    ] {
        let server = Faulty::new(&[http("200 OK", "", body)]);
        let (error, requests) = server.error(server.settings());
        let EndpointError::GaveUp {
            attempts: 3,
            trouble: Trouble::Malformed(what),
            ..
        } = &error
        else {
            panic!("{error}");
        };
        assert!(what.contains(part), "{what}");
        assert_eq!(requests, 3);
    }
}

#[test]
fn a_server_that_is_silent_or_breaks_off_is_given_up() {
    let server = Faulty::new(&[SILENCE.to_owned()]);
    let mut settings = server.settings();
    settings.timeout = Duration::from_millis(150);
    settings.attempts = 2;
    let (error, requests) = server.error(settings);
    assert!(
        error
            .to_string()
            .contains("in 2 attempts: no whole answer within 150ms"),
        "{error}"
    );
    assert_eq!(requests, 2);

    let server = Faulty::new(&["HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{".to_owned()]);
    let (error, requests) = server.error(server.settings());
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert_eq!(requests, 3);
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_missing() {
    let server = Faulty::new(&[String::new()]);
    let mut settings = server.settings();
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port");
    settings.base = format!("http://{port}/v1");
    let error = judge(settings, &GO).expect_err("nobody").to_string();
    assert!(
        error.contains(&format!(
            "{port}/v1/completions gave no answer in 3 attempts"
        )),
        "{error}"
    );
    assert!(error.contains("check that the server runs"), "{error}");
}

#[test]
fn refuses_a_server_without_log_probabilities_or_echo() {
    let plain = r#"{"choices": [{"text": "x", "index": 0, "logprobs": null}]}"#;
    let chat =
        r#"{"choices": [{"text": "x", "logprobs": {"content": [{"token": "x", "logprob": -1}]}}]}"#;
    let deaf =
        r#"{"choices": [{"text": "x", "logprobs": {"tokens": ["x"], "token_logprobs": [-1.0]}}]}"#;
    for (body, part) in [
        (plain, "returns no log-probabilities; let the server"),
        (chat, "of another form"),
        (deaf, "does not echo the prompt; use a server"),
    ] {
        let server = Faulty::new(&[http("200 OK", "", body)]);
        let (error, _) = server.error(server.settings());
        assert!(
            matches!(error, EndpointError::Unsupported { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn stopping_does_not_wait_for_a_busy_server() {
    let busy = http("503 Service Unavailable", "Retry-After: 600\r\n", "loading");
    let server = Faulty::new(&[busy]);
    let stop = AtomicBool::new(false);
    let begin = Instant::now();
    let settings = server.settings();
    let error = thread::scope(|scope| {
        let judging = scope.spawn(|| judge(settings, &stop));
        server.requests.recv().expect("a request");
        stop.store(true, Ordering::Relaxed);
        judging.join().expect("no panic").expect_err("stopped")
    });
    assert!(
        matches!(
            error,
            EndpointError::Stopped {
                answered: 0,
                total: 3
            }
        ),
        "{error}"
    );
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_needs_no_answer_needs_no_server() {
    let server = Faulty::new(&[String::new()]);
    let endpoint = Endpoint::new(server.settings()).expect("an endpoint");
    let histories = [
        vec![],
        vec!["Red lipstick"],
        vec!["", " \n"],
        vec!["Red lipstick", "", "Red\nlipstick", " Red lipstick"],
    ];
    let histories = histories.map(|titles| titles.into_iter().map(str::to_owned).collect());
    let judged = endpoint.judge(&histories, &GO, |_| ()).expect("no opinion");
    assert_eq!(judged, [vec![], vec![0.5], vec![0.5; 2], vec![0.5; 4]]);
    assert_eq!(server.requests.try_iter().count(), 0);
}
