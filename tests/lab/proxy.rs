//! Real proxies on the router next to the client: each ends TCP itself, and closes what was silent for too long.

use std::ffi::OsString;
use std::path::Path;

use super::server::next_port;
use super::{Lab, Server, has, skip};

/// Where Debian puts nginx's module for TCP.
const NGINX_STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// The software of a proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proxy {
    /// haproxy in TCP mode, with the same limit for both sides.
    Haproxy,
    /// haproxy with `option nolinger`: it resets where others close.
    HaproxyNoLinger,
    /// haproxy with `option independent-streams`: what the server says winds up no timer of the client's side, and the reverse.
    HaproxyOneWay,
    /// haproxy that tells the server of each client in front of the data (the PROXY protocol), which sshd does not read.
    HaproxySends,
    /// nginx with a `stream` block.
    Nginx,
    /// socat with a process for each connection.
    Socat,
}

impl Lab {
    /// A proxy in front of a server that allows so many seconds of silence; none where it is not installed.
    pub(crate) fn behind(&self, proxy: Proxy, seconds: u32, server: &Server) -> Option<Server> {
        let program = match proxy {
            Proxy::Haproxy | Proxy::HaproxyNoLinger | Proxy::HaproxyOneWay | Proxy::HaproxySends => "haproxy",
            Proxy::Nginx => "nginx",
            Proxy::Socat => "socat",
        };
        if !has(program) {
            return None;
        }
        if matches!(proxy, Proxy::Nginx) && !Path::new(NGINX_STREAM).exists() {
            return skip("nginx has no stream module; tests/run installs it");
        }
        let (port, host) = (next_port(), self.router(1));
        let here = self.address(0, 2);
        let from = format!("{here}:{port}");
        let to = format!("{}:{}", server.address(), server.port());
        let config = self.home.path(&format!("{program}_{port}.conf"));
        let args: Vec<OsString> = match proxy {
            Proxy::Haproxy | Proxy::HaproxyNoLinger | Proxy::HaproxyOneWay | Proxy::HaproxySends => {
                let option = match proxy {
                    Proxy::HaproxyNoLinger => "option nolinger",
                    Proxy::HaproxyOneWay => "option independent-streams",
                    _ => "",
                };
                let header = if matches!(proxy, Proxy::HaproxySends) { " send-proxy" } else { "" };
                self.home.write(
                    &format!("{program}_{port}.conf"),
                    &format!(
                        "global\n  maxconn 200\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client {seconds}s\n  \
                         timeout server {seconds}s\n  {option}\nlisten ssh\n  bind {from}\n  server ssh {to}{header}\n"
                    ),
                );
                vec!["-db".into(), "-f".into(), config.into()]
            }
            Proxy::Nginx => {
                self.home.write(
                    &format!("{program}_{port}.conf"),
                    &format!(
                        "load_module {NGINX_STREAM};\ndaemon off;\nmaster_process off;\npid {}.pid;\nerror_log stderr;\n\
                         events {{}}\nstream {{\n  server {{\n    listen {from};\n    proxy_pass {to};\n    \
                         proxy_timeout {seconds}s;\n  }}\n}}\n",
                        config.display()
                    ),
                );
                vec!["-e".into(), "stderr".into(), "-c".into(), config.into()]
            }
            Proxy::Socat => {
                let listen = format!("TCP-LISTEN:{port},bind={here},fork,reuseaddr");
                vec!["-T".into(), seconds.to_string().into(), listen.into(), format!("TCP:{to}").into()]
            }
        };
        Some(self.listen(host, here, port, server.key(), program, &args))
    }
}
