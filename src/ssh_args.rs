//! The command line of somebody's `ssh` process, as far as it says where it goes and what it runs there.

/// Options of ssh that take a value (ssh(1)).
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// The request of an ssh process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SshArgs {
    /// The destination, as it was typed.
    pub(crate) destination: Option<String>,
    /// True if a command follows it.
    pub(crate) command: bool,
    /// True if it runs no command at all (`-N`, `-W`).
    pub(crate) nothing: bool,
    /// True if a subsystem is requested (`-s`).
    pub(crate) subsystem: bool,
}

impl SshArgs {
    /// Reads the arguments behind the program's name.
    pub(crate) fn read<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut seen = Self::default();
        let mut arguments = arguments.into_iter();
        let mut options = true;
        while let Some(word) = arguments.next() {
            match word.strip_prefix('-') {
                Some("-") if options => options = false,
                Some(flags) if options && !flags.is_empty() => {
                    if seen.read_flags(flags) {
                        arguments.next();
                    }
                }
                _ if seen.destination.is_none() => seen.destination = Some(word.to_owned()),
                _ => {
                    seen.command = true;
                    break;
                }
            }
        }
        seen
    }

    /// Reads one word of options; returns true if the next word is the value of the last of them.
    fn read_flags(&mut self, flags: &str) -> bool {
        for (at, flag) in flags.char_indices() {
            match flag {
                'N' | 'W' => self.nothing = true,
                's' => self.subsystem = true,
                _ => {}
            }
            if WITH_VALUE.contains(flag) {
                return at + flag.len_utf8() == flags.len();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::SshArgs;

    fn read(line: &str) -> SshArgs {
        SshArgs::read(line.split(' '))
    }

    fn to(destination: &str) -> SshArgs {
        SshArgs { destination: Some(destination.into()), ..SshArgs::default() }
    }

    #[test]
    fn the_destination_is_the_first_word_that_belongs_to_no_option() {
        assert_eq!(read("db"), to("db"));
        assert_eq!(read("-vvp2222 -o User=me -4 -l me -- me@db"), to("me@db"));
        assert_eq!(read("db -p 22 uptime"), SshArgs { command: true, ..to("db") });
        assert_eq!(read("-oUser=me -J a,b db"), to("db"));
    }

    #[test]
    fn what_it_runs_is_told_apart() {
        assert_eq!(read("-NL 8080:localhost:80 db"), SshArgs { nothing: true, ..to("db") });
        assert_eq!(read("-W db:22 bastion"), SshArgs { nothing: true, ..to("bastion") });
        assert_eq!(read("-x -s -- db sftp"), SshArgs { command: true, subsystem: true, ..to("db") });
        assert_eq!(read("-V"), SshArgs::default());
    }
}
