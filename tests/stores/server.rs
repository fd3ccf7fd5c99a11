//! An S3 server on this machine, which checks signatures and conditions, and fails as a test wants.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, ETAG, HeaderValue};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The bucket that there is.
pub(crate) const BUCKET: &str = "shop";
/// The right key and its secret.
pub(crate) const KEY: (&str, &str) = ("shop-ci", "a secret");

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A request as a test sees it.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The object's name in its folder.
    pub(crate) name: String,
    pub(crate) headers: HeaderMap,
}

/// What the server makes of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    /// What it should.
    Right,
    /// This status with this code, and nothing else happens.
    Status(u16, &'static str),
    /// The connection ends before anything happens.
    Gone,
    /// It does what it should, and the connection ends before the answer.
    Lost,
    /// The body ends after its first half, as the connection does.
    Cut,
    /// A byte of the body is another one.
    Damaged,
    /// The file is written, whatever the condition.
    Unconditional,
    /// It says that it has written the file, and has not.
    Forgotten,
    /// No answer.
    Silence,
}

type Rule = dyn FnMut(&Asked) -> Answer + Send;

/// The server.
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<State>,
    _runtime: Runtime,
}

struct State {
    service: S3Service,
    files: TempDir,
    rule: Mutex<Box<Rule>>,
    /// The server looks at a condition before it writes: nothing else is written meanwhile, as with the original.
    writing: tokio::sync::Mutex<()>,
}

impl Server {
    /// A server with an empty bucket.
    pub(crate) fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::create_dir(files.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(files.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY.0, KEY.1));
        let state = Arc::new(State {
            service: builder.build(),
            files,
            rule: Mutex::new(Box::new(|_| Answer::Right)),
            writing: tokio::sync::Mutex::new(()),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(listener, state.clone()));
        Self {
            address,
            state,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bucket's folder on the disk.
    pub(crate) fn files(&self) -> PathBuf {
        self.state.files.path().join(BUCKET)
    }

    /// What it makes of every request from now on.
    pub(crate) fn answers(&self, rule: impl FnMut(&Asked) -> Answer + Send + 'static) {
        *self.state.rule.lock().unwrap() = Box::new(rule);
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((connection, _)) = listener.accept().await {
        let state = state.clone();
        let answer = service_fn(move |request| answer(state.clone(), request));
        let http = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(connection), answer);
        tokio::spawn(http);
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, Failure>>, Failure> {
    let (head, body) = request.into_parts();
    let sent = body.collect().await?.to_bytes();
    let path = head.uri.path().to_owned();
    let asked = Asked {
        method: head.method.clone(),
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        headers: head.headers.clone(),
    };
    let answer = (state.rule.lock().unwrap())(&asked);
    match answer {
        Answer::Gone => return Err("the connection ends".into()),
        Answer::Silence => std::future::pending().await,
        Answer::Status(status, code) => {
            let text = format!("<Error><Code>{code}</Code></Error>");
            return Ok(Response::builder()
                .status(StatusCode::from_u16(status)?)
                .body(whole(text.into()))?);
        }
        Answer::Forgotten => {
            let tag = "\"0123456789abcdef0123456789abcdef\"";
            return Ok(Response::builder()
                .header(ETAG, tag)
                .body(whole(Bytes::new()))?);
        }
        _ => {}
    }
    let writing = state.writing.lock().await;
    let request = Request::from_parts(head, s3s::Body::from(sent.clone()));
    let response = state
        .service
        .call(request)
        .await
        .map_err(|error| format!("{error:?}"))?;
    let (mut head, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    if answer == Answer::Unconditional && head.status == StatusCode::PRECONDITION_FAILED {
        let file: PathBuf = state.files.path().join(path.trim_start_matches('/'));
        std::fs::write(file, sent)?;
        head.status = StatusCode::OK;
        let tag = HeaderValue::from_static("\"0123456789abcdef0123456789abcdef\"");
        head.headers.insert(ETAG, tag);
        head.headers.remove(CONTENT_LENGTH);
        return Ok(Response::from_parts(head, whole(Bytes::new())));
    }
    drop(writing);
    let body = match answer {
        Answer::Lost => return Err("the connection ends".into()),
        Answer::Cut => UnsyncBoxBody::new(Broken(Some(body.slice(..body.len() / 2)), body.len())),
        Answer::Damaged => {
            let mut bytes = body.to_vec();
            if let Some(byte) = bytes.last_mut() {
                *byte ^= 1;
            }
            whole(bytes.into())
        }
        _ => whole(body),
    };
    Ok(Response::from_parts(head, body))
}

fn whole(bytes: Bytes) -> UnsyncBoxBody<Bytes, Failure> {
    let body = http_body_util::Full::new(bytes);
    UnsyncBoxBody::new(body.map_err(|never| match never {}))
}

/// A body that breaks off, and the length that it should have.
struct Broken(Option<Bytes>, usize);

impl Body for Broken {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err("the connection ends".into()),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.1 as u64)
    }
}
