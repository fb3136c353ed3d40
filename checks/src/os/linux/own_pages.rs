//! The pages of the program's own files in the memory of this process.
#![allow(unsafe_code, reason = "madvise(2) has no safe wrapper; the block says why it is sound")]

use std::fs;
use std::ops::Range;

/// Gives back the memory of the program's and its libraries' unmodified pages: the kernel keeps them in its page cache, and maps them again
/// where they are used. Does nothing where /proc cannot be read.
pub fn release_own_pages() {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    for range in unmodified(&maps) {
        // SAFETY: nothing was ever written to these pages and nothing may be, so the file holds the same bytes as the memory: an access
        // afterwards reads what it would have read before (madvise(2), MADV_DONTNEED on a private mapping of a file).
        unsafe {
            libc::madvise(range.start as *mut libc::c_void, range.end - range.start, libc::MADV_DONTNEED);
        }
    }
}

/// The private mappings of files that are not writable and hold no page of their own (proc(5), smaps).
fn unmodified(smaps: &str) -> Vec<Range<usize>> {
    let (mut found, mut candidate) = (Vec::new(), None);
    for line in smaps.lines() {
        match line.split_once(':') {
            Some(("Anonymous", size)) if size.trim() == "0 kB" => found.extend(candidate.take()),
            Some((name, _)) if name.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_') => {}
            _ => candidate = mapping(line),
        }
    }
    found
}

/// The range of a line such as `55a4e1c00000-55a4e1d00000 r-xp 00001000 fe:00 1234 /usr/bin/ssh-doctor`.
fn mapping(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (begin, end) = words.next()?.split_once('-')?;
    let is_read_only = matches!(words.next()?, "r--p" | "r-xp");
    let inode = words.nth(2)?;
    let hex = |digits| usize::from_str_radix(digits, 16).ok();
    (is_read_only && inode != "0").then_some(hex(begin)?..hex(end)?)
}

#[cfg(test)]
mod tests {
    use super::{release_own_pages, unmodified};

    #[test]
    fn only_unmodified_pages_of_files_are_released() {
        let entry = |range: &str, flags: &str, inode: u32, anonymous: u32| {
            format!(
                "{range} {flags} 00000000 fe:00 {inode}    /usr/bin/x y\nSize:  4 kB\nRss:  4 kB\nPrivate_Dirty: 0 kB\n\
                 Anonymous:      {anonymous} kB\nTHPeligible:    0\nVmFlags: rd ex mr\n"
            )
        };
        let maps = [
            entry("1000-2000", "r-xp", 7, 0),
            entry("2000-3000", "r--p", 7, 0),
            // Relocated, then protected; writable; shared; no file.
            entry("3000-4000", "r--p", 7, 4),
            entry("4000-5000", "rw-p", 7, 0),
            entry("5000-6000", "r--s", 7, 0),
            entry("6000-7000", "r-xp", 0, 0),
        ];
        assert_eq!(unmodified(&maps.concat()), [0x1000..0x2000, 0x2000..0x3000]);
        assert!(unmodified("no map\n").is_empty());
    }

    #[test]
    fn the_program_goes_on_without_its_pages() {
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u32>().unwrap()
        };
        let before = resident();
        release_own_pages();
        let after = resident();
        assert!(after < before, "{before} kB, then {after} kB");
        assert_eq!(format!("{:?}", ["still", "here"]), r#"["still", "here"]"#);
    }
}
