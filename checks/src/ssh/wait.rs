//! Waiting for what others note.

use std::pin::pin;

use tokio::sync::Notify;

/// Returns what `look` finds, at once or after whichever notice (`notify_waiters`) lets it find something.
pub(crate) async fn until<T>(notices: &Notify, look: impl Fn() -> Option<T>) -> T {
    let mut notice = pin!(notices.notified());
    loop {
        // Listening before looking: what is noted in between is not missed.
        notice.as_mut().enable();
        if let Some(found) = look() {
            return found;
        }
        notice.as_mut().await;
        notice.set(notices.notified());
    }
}
