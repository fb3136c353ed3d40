//! The simple commands of a snippet, as a shell would run them: enough of its grammar for what the catalogue prints.

/// One simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// The program and its arguments, without quotes.
    pub words: Vec<String>,
    /// The files that it writes.
    pub writes: Vec<String>,
    /// True inside `$(...)`: its output is a word of another command.
    pub is_substituted: bool,
    /// What follows it: `;`, `|`, `&&`, `||`, `&`, or nothing.
    pub then: &'static str,
}

/// Words that introduce a command instead of being one.
const KEYWORDS: [&str; 12] = ["while", "until", "do", "done", "if", "then", "else", "fi", "!", "{", "}", "time"];

/// All simple commands of a script, those in substitutions first; an error names what cannot be read.
pub(super) fn commands(script: &str) -> Result<Vec<Command>, String> {
    let mut reader = Reader { rest: script.chars().collect(), at: 0, found: Vec::new() };
    let own = reader.list(None)?;
    Ok([reader.found, own].concat())
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    /// The commands of substitutions.
    found: Vec<Command>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    /// Commands up to a closing character, or to the end.
    fn list(&mut self, close: Option<char>) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        let mut now = Command::default();
        loop {
            let Some(c) = self.peek(0) else {
                finish(&mut commands, now, "");
                return if close.is_none() { Ok(commands) } else { Err("an open parenthesis".to_owned()) };
            };
            let next = self.peek(1);
            match c {
                _ if Some(c) == close => {
                    self.at += 1;
                    finish(&mut commands, now, "");
                    return Ok(commands);
                }
                '#' => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                ' ' | '\t' | '(' => self.at += 1,
                '\n' | ';' => {
                    self.at += 1;
                    now = finish(&mut commands, now, ";");
                }
                '|' | '&' => {
                    let then = match (c, next) {
                        ('|', Some('|')) => "||",
                        ('&', Some('&')) => "&&",
                        ('|', _) => "|",
                        _ => "&",
                    };
                    self.at += then.len();
                    now = finish(&mut commands, now, then);
                }
                '<' | '>' => {
                    self.at += if next == Some('>') { 2 } else { 1 };
                    // A descriptor is no file.
                    let to_descriptor = self.peek(0) == Some('&');
                    self.at += usize::from(to_descriptor);
                    while self.peek(0) == Some(' ') {
                        self.at += 1;
                    }
                    let file = self.word(close)?;
                    if now.words.last().is_some_and(|word| word == "2" || word == "1") {
                        now.words.pop();
                    }
                    if c == '>' && !to_descriptor {
                        now.writes.push(file);
                    }
                }
                _ => now.words.push(self.word(close)?),
            }
        }
    }

    /// One word without its quotes; substitutions in it are read as commands.
    fn word(&mut self, close: Option<char>) -> Result<String, String> {
        let (mut word, mut is_quoted) = (String::new(), false);
        while let Some(c) = self.peek(0) {
            match c {
                '\'' if !is_quoted => {
                    self.at += 1;
                    while self.peek(0).ok_or("an open quote")? != '\'' {
                        word.extend(self.peek(0));
                        self.at += 1;
                    }
                    self.at += 1;
                }
                '"' => {
                    is_quoted = !is_quoted;
                    self.at += 1;
                }
                '\\' => {
                    word.extend(self.peek(1));
                    self.at += 2;
                }
                '`' => return Err("a backtick: write $(...)".to_owned()),
                '$' if self.peek(1) == Some('(') => {
                    self.at += 2;
                    let inner = self.list(Some(')'))?;
                    self.found.extend(inner.into_iter().map(|command| Command { is_substituted: true, ..command }));
                    word.push_str("$()");
                }
                ' ' | '\t' | '\n' | ';' | '|' | '&' | '<' | '>' | '(' if !is_quoted => break,
                _ if !is_quoted && Some(c) == close => break,
                _ => {
                    word.push(c);
                    self.at += 1;
                }
            }
        }
        if is_quoted { Err("an open quote".to_owned()) } else { Ok(word) }
    }
}

/// Files the command, and gives the next one its blank.
fn finish(commands: &mut Vec<Command>, mut now: Command, then: &'static str) -> Command {
    while now.words.first().is_some_and(|word| KEYWORDS.contains(&word.as_str())) {
        now.words.remove(0);
    }
    // A loop's head and what is assigned run nothing.
    let is_head = now.words.first().is_some_and(|word| word == "for");
    if !now.words.is_empty() && !is_head {
        commands.push(Command { then, ..now });
    }
    Command::default()
}

#[cfg(test)]
mod tests {
    use super::commands;

    fn read(script: &str) -> Vec<String> {
        let told = |command: &super::Command| format!("{} {}", command.words.join(" "), command.then).trim().to_owned();
        commands(script).unwrap().iter().map(told).collect()
    }

    #[test]
    fn commands_are_found_wherever_they_stand() {
        assert_eq!(read("a b; c 'd; e' | f && g || h &"), ["a b ;", "c d; e |", "f &&", "g ||", "h &"]);
        assert_eq!(read("a $(b | c \"$(d)\") e"), ["d", "b |", "c $()", "a $() e"]);
        assert_eq!(read("for x in 1 2; do a $x; done | b"), ["a $x ;", "b"]);
        assert_eq!(read("a {host} # rm\nb { c"), ["a {host} ;", "b { c"]);
    }

    #[test]
    fn files_that_are_written_are_told_from_descriptors() {
        let writes = |script: &str| commands(script).unwrap()[0].writes.clone();
        assert_eq!(writes("a > b 2>&1"), ["b"]);
        assert_eq!(writes("a </dev/null 2>/dev/null >>c"), ["/dev/null", "c"]);
        assert!(commands("a 'b").is_err() && commands("a `b`").is_err());
    }
}
