//! The endpoints of the exporter.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::{Method, Response, StatusCode};
use serde_json::json;

use super::app::{App, Parameters};
use super::pages;
use super::probe::{self, ProbeRequest};
use super::response::{Body, text, typed};
use super::result::Refusal;
use crate::report::prometheus::CONTENT_TYPE;
use crate::report::{Style, json as json_report, prometheus, text as text_report};

/// The content type of JSON.
const JSON: &str = "application/json";

/// A request to one of the endpoints.
pub(super) struct ApiRequest<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) method: &'a Method,
    pub(super) parameters: Parameters,
    /// X-Prometheus-Scrape-Timeout-Seconds.
    pub(super) scrape_timeout: Option<Duration>,
    pub(super) peer: SocketAddr,
}

impl ApiRequest<'_> {
    /// Returns the response of the endpoint at a path.
    pub(super) async fn respond(&self, path: &str) -> Response<Body> {
        let reads = self.method == Method::GET || self.method == Method::HEAD;
        match path {
            "/-/reload" if self.method == Method::POST || self.method == Method::PUT => self.reload(),
            "/-/reload" => text(StatusCode::METHOD_NOT_ALLOWED, "reload by POST\n"),
            _ if !reads => text(StatusCode::METHOD_NOT_ALLOWED, "read by GET\n"),
            "/" => typed(StatusCode::OK, pages::HTML, pages::landing(&self.app.loaded(), &self.app.history())),
            "/probe" => self.probe().await,
            "/metrics" => typed(StatusCode::OK, CONTENT_TYPE, self.app.metrics()),
            "/results" => self.results(),
            "/config" => match yaml_serde::to_string(&self.app.loaded().config.masked()) {
                Ok(config) => text(StatusCode::OK, config),
                Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
            },
            "/-/healthy" => text(StatusCode::OK, "healthy\n"),
            "/-/ready" if self.app.stop.asked() => text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
            "/-/ready" => text(StatusCode::OK, "ready\n"),
            _ => text(StatusCode::NOT_FOUND, "no such page; / lists all pages\n"),
        }
    }

    fn reload(&self) -> Response<Body> {
        match self.app.reload() {
            Ok(()) => text(StatusCode::OK, "reloaded\n"),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("not reloaded: {error:#}\n")),
        }
    }

    fn probe_request(&self) -> Result<ProbeRequest, String> {
        let parameter = |name: &str| self.parameters.get(name).filter(|value| !value.is_empty());
        let target = parameter("target").ok_or("the parameter target is missing")?;
        let loaded = self.app.loaded();
        let name = match parameter("module") {
            Some(name) => name,
            None if loaded.modules.len() == 1 => loaded.modules.keys().next().ok_or("there is no module")?,
            None => return Err(format!("the parameter module is missing; the modules are {}", names(&loaded.modules))),
        };
        let module = loaded.modules.get(name).cloned();
        let unknown = || format!("there is no module '{name}'; the modules are {}", names(&loaded.modules));
        Ok(ProbeRequest {
            module: module.ok_or_else(unknown)?,
            target: target.clone(),
            group: parameter("group").cloned(),
            scrape_timeout: self.scrape_timeout,
            fresh: self.debug(),
        })
    }

    fn debug(&self) -> bool {
        self.parameters.get("debug").is_some_and(|value| value == "true" || value == "1")
    }

    async fn probe(&self) -> Response<Body> {
        let request = match self.probe_request() {
            Ok(request) => request,
            Err(why) => return text(StatusCode::BAD_REQUEST, format!("{why}\n")),
        };
        let probed = match probe::answer(self.app, &request).await {
            Ok(probed) => probed,
            Err(Refusal::Bad(why)) => return text(StatusCode::BAD_REQUEST, format!("{why}\n")),
            Err(Refusal::Forbidden(why)) => return text(StatusCode::FORBIDDEN, format!("{why}\n")),
            Err(Refusal::Busy(why)) => return text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        };
        let (evidence, diagnosis) = (&probed.evidence, &probed.diagnosis);
        let measured = || self.app.idle.result(&request.module.name, probed.group.as_ref()?);
        let metrics = || prometheus::render(vec![probed.figures(measured())]);
        if self.debug() {
            let report = text_report::render(evidence, diagnosis, &Style::default());
            let module = yaml_serde::to_string(&request.module.settings.masked()).unwrap_or_default();
            let Self { peer, scrape_timeout, .. } = self;
            let timeout = scrape_timeout.map_or("not given".to_owned(), |timeout| format!("{timeout:?}"));
            let head = format!(
                "Probe of {} by module {} for {peer}; scrape timeout {timeout}",
                request.target, request.module.name
            );
            return text(StatusCode::OK, format!("{head}\n\n{report}\n\nModule:\n{module}\nMetrics:\n{}", metrics()));
        }
        match self.parameters.get("format").map(String::as_str) {
            None | Some("prometheus") => typed(StatusCode::OK, CONTENT_TYPE, metrics()),
            Some("json") => {
                let shape = json_report::Shape { pretty: false, brief: self.parameters.contains_key("brief") };
                typed(StatusCode::OK, JSON, json_report::render(evidence, diagnosis, shape) + "\n")
            }
            Some(_) => text(StatusCode::BAD_REQUEST, "format is prometheus or json\n"),
        }
    }

    fn results(&self) -> Response<Body> {
        let history = self.app.history();
        let found = match self.parameters.get("target") {
            Some(target) => history.of(target).map(
                |of| json!({"target": target, "results": of.results, "failures": of.failures, "reports": of.reports}),
            ),
            None => Some(history.all().map(|(target, last)| json!({"target": target, "last": last})).collect()),
        };
        match found {
            Some(found) => typed(StatusCode::OK, JSON, format!("{found}\n")),
            None => text(StatusCode::NOT_FOUND, "there are no results of this target\n"),
        }
    }
}

fn names<T>(modules: &std::collections::BTreeMap<String, T>) -> String {
    modules.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}
