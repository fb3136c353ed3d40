//! The kernel's counters of a TCP connection (`struct tcp_info`, tcp(7)).

use std::mem::offset_of;
use std::time::Duration;

use crate::facts::tcp::TcpInfo;

/// Reads the bytes of `struct tcp_info`; its length differs between kernels, so what is missing at its end counts as 0. `None` where not even
/// the times are there.
pub(crate) fn read(bytes: &[u8]) -> Option<TcpInfo> {
    let byte = |at: usize| bytes.get(at).copied();
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some(TcpInfo {
        rtt_us: word(offset_of!(libc::tcp_info, tcpi_rtt))?,
        rto_us: word(offset_of!(libc::tcp_info, tcpi_rto))?,
        backoff: byte(offset_of!(libc::tcp_info, tcpi_backoff))?,
        unacked: word(offset_of!(libc::tcp_info, tcpi_unacked))?,
        unsent_bytes: word(offset_of!(libc::tcp_info, tcpi_notsent_bytes)).unwrap_or_default(),
        retransmits: word(offset_of!(libc::tcp_info, tcpi_total_retrans))?,
        data_segments: word(offset_of!(libc::tcp_info, tcpi_data_segs_out)).unwrap_or_default(),
        duplicates: word(offset_of!(libc::tcp_info, tcpi_dsack_dups)).unwrap_or_default(),
        reorderings: word(offset_of!(libc::tcp_info, tcpi_reord_seen)).unwrap_or_default(),
        last_ack_ms: word(offset_of!(libc::tcp_info, tcpi_last_ack_recv))?,
        last_received_ms: word(offset_of!(libc::tcp_info, tcpi_last_data_recv))?,
        last_sent_ms: word(offset_of!(libc::tcp_info, tcpi_last_data_sent))?,
        probes: byte(offset_of!(libc::tcp_info, tcpi_probes))?,
        mss: word(offset_of!(libc::tcp_info, tcpi_snd_mss))?,
        path_mtu: word(offset_of!(libc::tcp_info, tcpi_pmtu))?,
    })
}

/// Bytes that the other end has acknowledged since the connection began; `None` on a kernel that does not count them.
pub(crate) fn acknowledged(bytes: &[u8]) -> Option<u64> {
    let at = offset_of!(libc::tcp_info, tcpi_bytes_acked);
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// The shortest round trip that the kernel remembers (`tcp_min_rtt_wlen`, five minutes); `None` on a kernel that does not.
pub(crate) fn shortest_rtt(bytes: &[u8]) -> Option<Duration> {
    let at = offset_of!(libc::tcp_info, tcpi_min_rtt);
    let micros = u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    // Before the first measurement it is the largest number.
    (micros != u32::MAX).then(|| Duration::from_micros(micros.into()))
}
