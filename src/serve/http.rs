//! The HTTP server: bounded in connections, in the size of a request, and in the time that it may take to arrive.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::access::Access;
use super::app::App;
use super::metrics::Counters;
use super::routes;
use super::web_config::Web;

/// How long a request may take to arrive, and a connection may stay without one.
const ARRIVES_IN: Duration = Duration::from_secs(10);

/// The longest head of a request, bytes.
const HEAD: usize = 16 * 1024;

/// How long what is running may take once the exporter is to stop.
const ENDS_IN: Duration = Duration::from_millis(4500);

/// The pause after the system refused a connection: it has no descriptors left.
const RECOVERS_IN: Duration = Duration::from_millis(50);

/// The body of an answer.
pub(super) type Body = Full<Bytes>;

/// The connections that are open; the oldest without a request makes room for a new one.
#[derive(Debug, Default)]
struct Connections {
    next: u64,
    open: BTreeMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    task: AbortHandle,
    busy: Arc<AtomicBool>,
}

/// Serves the listeners until the exporter is to stop; then what is running ends, within 5 s.
pub(super) async fn serve(app: Arc<App>, access: Arc<Access>, listeners: Vec<TcpListener>, most: usize) {
    let mut accepting = JoinSet::new();
    let connections = Arc::new(Mutex::new(Connections::default()));
    for listener in listeners {
        accepting.spawn(accept(app.clone(), access.clone(), listener, connections.clone(), most));
    }
    while accepting.join_next().await.is_some() {}
    let ended = async {
        while app.open_connections.load(Ordering::Relaxed) > 0 {
            sleep(RECOVERS_IN).await;
        }
    };
    // Who does not end in time is cut off with the process.
    let _ = timeout(ENDS_IN, ended).await;
}

async fn accept(
    app: Arc<App>,
    access: Arc<Access>,
    listener: TcpListener,
    connections: Arc<Mutex<Connections>>,
    most: usize,
) {
    while let Some(accepted) = app.stop.race(listener.accept()).await {
        let lock = || connections.lock().unwrap_or_else(PoisonError::into_inner);
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if is_exhausted(&error) {
                    lock().make_room(&app);
                }
                sleep(RECOVERS_IN).await;
                continue;
            }
        };
        Counters::count(&app.counters.connections);
        let mut open = lock();
        if open.open.len() >= most && !open.make_room(&app) {
            // Every one of them is being answered.
            Counters::count(&app.counters.connections_dropped);
            continue;
        }
        let (number, busy) = (open.next, Arc::new(AtomicBool::new(false)));
        open.next += 1;
        let closing = Closing { app: app.clone(), connections: connections.clone(), number };
        app.open_connections.fetch_add(1, Ordering::Relaxed);
        let (app, access, flag) = (app.clone(), access.clone(), busy.clone());
        let task = tokio::spawn(async move {
            let _closing = closing;
            talk(app, access, stream, peer, flag).await;
        });
        open.open.insert(number, Open { task: task.abort_handle(), busy });
    }
}

/// Takes a connection off the list, however it ends.
struct Closing {
    app: Arc<App>,
    connections: Arc<Mutex<Connections>>,
    number: u64,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.app.open_connections.fetch_sub(1, Ordering::Relaxed);
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&self.number);
    }
}

impl Connections {
    /// Drops the oldest connection that has no request on it; false where all have one.
    fn make_room(&mut self, app: &App) -> bool {
        let idle = self.open.iter().find(|(_, open)| !open.busy.load(Ordering::Relaxed)).map(|(number, _)| *number);
        let Some(open) = idle.and_then(|number| self.open.remove(&number)) else { return false };
        open.task.abort();
        Counters::count(&app.counters.connections_dropped);
        true
    }
}

/// Whether the system has no descriptors or no memory left.
fn is_exhausted(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let exhausted = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
    error.raw_os_error().is_some_and(|code| exhausted.iter().any(|errno| *errno as i32 == code))
}

async fn talk(app: Arc<App>, access: Arc<Access>, stream: TcpStream, peer: SocketAddr, busy: Arc<AtomicBool>) {
    // A small answer must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let web = access.web();
    let Some(tls) = &web.tls else { return requests(app, access, web, stream, peer, busy).await };
    if let Ok(Ok(stream)) = timeout(ARRIVES_IN, TlsAcceptor::from(tls.clone()).accept(stream)).await {
        requests(app, access, web.clone(), stream, peer, busy).await;
    }
}

async fn requests(
    app: Arc<App>,
    access: Arc<Access>,
    web: Arc<Web>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    busy: Arc<AtomicBool>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (app, access, web, busy) = (app.clone(), access.clone(), web.clone(), busy.clone());
        async move {
            busy.store(true, Ordering::Relaxed);
            let mut response = answer(&app, &access, &request, peer).await;
            for (name, value) in &web.headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers_mut().insert(name, value);
                }
            }
            busy.store(false, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ARRIVES_IN)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // How a connection ends is its client's affair.
        _ = connection.as_mut() => {}
        () = app.stop.wait() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer(app: &Arc<App>, access: &Access, request: &Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !access.allows(header("authorization")).await {
        let mut refused = text(StatusCode::UNAUTHORIZED, "Unauthorized\n");
        refused.headers_mut().insert("www-authenticate", HeaderValue::from_static("Basic"));
        return refused;
    }
    let scrape_timeout = header("x-prometheus-scrape-timeout-seconds")
        .and_then(|seconds| seconds.parse().ok())
        .filter(|seconds| (0.0..86_400.0).contains(seconds))
        .map(Duration::from_secs_f64);
    let parameters = parameters(request.uri().query().unwrap_or_default());
    let asked = routes::Asked { app, method: request.method(), parameters, scrape_timeout, peer };
    asked.answer(request.uri().path()).await
}

/// The parameters of a query; of one that is there twice, the last.
fn parameters(query: &str) -> HashMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Percent and plus taken back (application/x-www-form-urlencoded).
fn decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let escaped =
            bytes.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (byte, escaped) {
            (b'%', Some(escaped)) => {
                out.push(escaped);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer in plain text.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    typed(status, "text/plain; charset=utf-8", text)
}

/// An answer of a type.
pub(super) fn typed(status: StatusCode, kind: &'static str, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(text.into())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(kind));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::{decoded, parameters};

    #[test]
    fn queries_are_taken_apart() {
        let all = parameters("target=%5B%3A%3A1%5D%3A22&module=a+b&debug&&x=1&x=2");
        assert_eq!(all["target"], "[::1]:22");
        assert_eq!((all["module"].as_str(), all["debug"].as_str(), all["x"].as_str()), ("a b", "", "2"));
        assert_eq!([decoded("%"), decoded("%zz"), decoded("a%2"), decoded("%ff")], ["%", "%zz", "a%2", "\u{fffd}"]);
    }
}
