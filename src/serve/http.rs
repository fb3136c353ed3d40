//! The HTTP server, with limits on connections, the size of a request and the time it takes to arrive.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
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
use super::response::{Body, text};
use super::routes;
use super::web_config::Web;

/// The time for the head of a request to arrive, and for an idle connection to stay open.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The size limit of a request line with its headers, bytes.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// The time for running requests to end once the exporter stops; with the rest of the stop it stays below 5 s.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(4500);

/// The pause after a failed accept, as when no file descriptors are left.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// The open connections; at the limit, the oldest one without a request is closed for a new one.
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

/// Serves the listeners until the exporter stops, then waits for running requests.
pub(super) async fn serve(app: Arc<App>, access: Arc<Access>, listeners: Vec<TcpListener>, max_connections: usize) {
    let mut accepting = JoinSet::new();
    let connections = Arc::new(Mutex::new(Connections::default()));
    for listener in listeners {
        accepting.spawn(accept(app.clone(), access.clone(), listener, connections.clone(), max_connections));
    }
    while accepting.join_next().await.is_some() {}
    let ended = async {
        while app.open_connections.load(Ordering::Relaxed) > 0 {
            sleep(ACCEPT_RETRY).await;
        }
    };
    // Requests that do not end in time are cut off with the process.
    let _ = timeout(SHUTDOWN_TIMEOUT, ended).await;
}

async fn accept(
    app: Arc<App>,
    access: Arc<Access>,
    listener: TcpListener,
    connections: Arc<Mutex<Connections>>,
    max_connections: usize,
) {
    while let Some(accepted) = app.stop.race(listener.accept()).await {
        let lock = || connections.lock().unwrap_or_else(PoisonError::into_inner);
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if is_exhausted(&error) {
                    lock().make_room(&app);
                }
                sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        Counters::count(&app.counters.connections);
        let mut open = lock();
        if open.open.len() >= max_connections && !open.make_room(&app) {
            // All of them have a request in progress.
            Counters::count(&app.counters.connections_dropped);
            continue;
        }
        let (number, busy) = (open.next, Arc::new(AtomicBool::new(false)));
        open.next += 1;
        let closing = ConnectionGuard { app: app.clone(), connections: connections.clone(), number };
        app.open_connections.fetch_add(1, Ordering::Relaxed);
        let (app, access, flag) = (app.clone(), access.clone(), busy.clone());
        let task = tokio::spawn(async move {
            let _closing = closing;
            handle_connection(app, access, stream, peer, flag).await;
        });
        open.open.insert(number, Open { task: task.abort_handle(), busy });
    }
}

/// Removes a connection from the list when it ends for any reason.
struct ConnectionGuard {
    app: Arc<App>,
    connections: Arc<Mutex<Connections>>,
    number: u64,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.app.open_connections.fetch_sub(1, Ordering::Relaxed);
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&self.number);
    }
}

impl Connections {
    /// Closes the oldest connection without a request; returns false if all have one.
    fn make_room(&mut self, app: &App) -> bool {
        let idle = self.open.iter().find(|(_, open)| !open.busy.load(Ordering::Relaxed)).map(|(number, _)| *number);
        let Some(open) = idle.and_then(|number| self.open.remove(&number)) else { return false };
        open.task.abort();
        Counters::count(&app.counters.connections_dropped);
        true
    }
}

/// Returns true if no file descriptors or memory are left.
fn is_exhausted(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let exhausted = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
    error.raw_os_error().is_some_and(|code| exhausted.iter().any(|errno| *errno as i32 == code))
}

async fn handle_connection(
    app: Arc<App>,
    access: Arc<Access>,
    stream: TcpStream,
    peer: SocketAddr,
    busy: Arc<AtomicBool>,
) {
    // A small response must not wait for an ACK.
    let _ = stream.set_nodelay(true);
    let web = access.web();
    let Some(tls) = &web.tls else { return serve_requests(app, access, web, stream, peer, busy).await };
    if let Ok(Ok(stream)) = timeout(HEADER_TIMEOUT, TlsAcceptor::from(tls.clone()).accept(stream)).await {
        serve_requests(app, access, web.clone(), stream, peer, busy).await;
    }
}

async fn serve_requests(
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
            let mut response = respond(&app, &access, &request, peer).await;
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
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A connection that its client ends with an error concerns nobody else.
        _ = connection.as_mut() => {}
        () = app.stop.wait() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn respond(app: &Arc<App>, access: &Access, request: &Request<Incoming>, peer: SocketAddr) -> Response<Body> {
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
    let parameters = query_parameters(request.uri().query().unwrap_or_default());
    let api_request = routes::ApiRequest { app, method: request.method(), parameters, scrape_timeout, peer };
    api_request.respond(request.uri().path()).await
}

/// Returns the parameters of a query; the last one wins.
fn query_parameters(query: &str) -> HashMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (url_decode(name), url_decode(value)))
        .collect()
}

/// Decodes application/x-www-form-urlencoded text.
fn url_decode(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::{query_parameters, url_decode};

    #[test]
    fn queries_are_decoded() {
        let all = query_parameters("target=%5B%3A%3A1%5D%3A22&module=a+b&debug&&x=1&x=2");
        assert_eq!(all["target"], "[::1]:22");
        assert_eq!((all["module"].as_str(), all["debug"].as_str(), all["x"].as_str()), ("a b", "", "2"));
        assert_eq!(
            [url_decode("%"), url_decode("%zz"), url_decode("a%2"), url_decode("%ff")],
            ["%", "%zz", "a%2", "\u{fffd}"]
        );
    }
}
