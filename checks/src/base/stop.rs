//! The user's wish to end a run early.

use tokio::sync::watch;

/// The user's wish to end the run early.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Becomes true when the sender says so.
    #[must_use]
    pub fn new(receiver: watch::Receiver<bool>) -> Self {
        Self(receiver)
    }

    /// A stop that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Whether the user wants the run to end.
    #[must_use]
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// The future's result, or nothing when the user wants the run to end first.
    pub async fn race<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = future => Some(result),
            () = self.wait() => None,
        }
    }

    /// Returns when the user wants the run to end.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
