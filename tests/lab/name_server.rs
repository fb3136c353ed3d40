//! Name servers on a lab's client, which asks them and nobody else.

use std::fs::File;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use ssh_doctor_fixtures::names::{self, NameAnswer};
use tokio::sync::oneshot;

use super::Lab;

/// A name server that runs until this is dropped.
pub(crate) struct NameServer {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lab {
    /// Starts name servers at 127.0.0.1 and on, in this order, and has the client ask them, with these lines beside.
    pub(crate) fn name_servers(&self, answers: &[NameAnswer], further: &str) -> Vec<NameServer> {
        let addresses: Vec<_> = (1..).zip(answers).map(|(end, _)| Ipv4Addr::new(127, 0, 0, end)).collect();
        let lines: Vec<_> = addresses.iter().map(|address| format!("nameserver {address}")).collect();
        self.client().etc("resolv.conf", &format!("{}\n{further}\n", lines.join("\n")));
        self.client().etc("nsswitch.conf", "passwd: files\nhosts: files dns\n");
        self.client().etc("hosts", "127.0.0.1 localhost\n");
        addresses.into_iter().zip(answers).map(|(address, &answer)| self.name_server(address, answer)).collect()
    }

    fn name_server(&self, address: Ipv4Addr, answer: NameAnswer) -> NameServer {
        let host = File::open(format!("/run/netns/{}", self.client().name())).expect("our own namespace");
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        // A namespace is a thread's own, so the socket belongs to the host that its thread has entered.
        let thread = thread::spawn(move || {
            setns(host, CloneFlags::CLONE_NEWNET).expect("root may enter a namespace");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                // A socket of the one before is let go of when its runtime ends, which need not be yet.
                let mut tries = 0;
                let service = loop {
                    match names::serve(SocketAddr::from((address, 53)), answer).await {
                        Ok(service) => break service,
                        Err(error) if error.kind() == ErrorKind::AddrInUse && tries < 50 => tries += 1,
                        Err(error) => panic!("no free port: {error}"),
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                };
                ready.send(()).expect("the test waits");
                // An end either way is the wish to stop.
                let _ = stopped.await;
                drop(service);
            });
        });
        is_ready.recv().expect("the name server listens");
        NameServer { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
