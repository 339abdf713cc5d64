//! The `sh` blocks of a page, and what the comments before them say.

/// A block of commands.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it begins, from 1.
    pub line: usize,
    pub how: How,
    /// What is run: comments are left out, lines are joined, options are shortened.
    pub script: String,
}

/// How a block is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Not,
    /// As one script.
    Whole {
        status: i32,
    },
    /// Its lines are servers until the end of the page.
    Background,
    /// Its lines are servers, one after the other.
    Alone,
}

/// An option that replaces a command's own.
struct Shortened<'a> {
    command: &'a str,
    option: &'a str,
    value: &'a str,
}

/// All of a page, in its order.
pub fn blocks(page: &str) -> Vec<Block> {
    let lines: Vec<&str> = page.lines().collect();
    let fences = lines.iter().enumerate().filter(|(_, line)| **line == "```sh");
    let block = |(at, _): (usize, &&str)| {
        let inside = lines[at + 1..].iter().take_while(|line| **line != "```");
        let text = inside.fold(String::new(), |text, line| text + line + "\n").replace("\\\n", " ");
        let before = lines[..at].iter().rev().find(|line| !line.is_empty()).copied().unwrap_or_default();
        let (how, shortened, without) = marked(before, at + 1);
        let kept = text.lines().filter(|line| without.is_none_or(|without| !line.starts_with(without)));
        let kept = kept.filter(|_| how != How::Not);
        let script = kept.filter_map(|line| command(line, &shortened)).collect::<Vec<_>>();
        Block { line: at + 1, how, script: script.join("\n") }
    };
    fences.map(block).collect()
}

/// What a comment says: how, with which options, and without the lines that begin so.
fn marked(before: &str, line: usize) -> (How, Vec<Shortened<'_>>, Option<&str>) {
    let comment = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
    let (mut how, mut shortened, mut without) = (How::Whole { status: 0 }, Vec::new(), None);
    let Some((word, items)) = comment.and_then(|comment| comment.split_once("run: ")) else {
        return (how, shortened, without);
    };
    if word == "not " {
        assert!(items.len() > 10, "line {line}: say why it is not run");
        return (How::Not, shortened, without);
    }
    for item in items.split("; ") {
        if let Some(line) = item.strip_prefix("without ") {
            without = Some(line);
            continue;
        }
        match *item.split(' ').collect::<Vec<_>>() {
            ["background"] => how = How::Background,
            ["alone"] => how = How::Alone,
            ["status", status] => how = How::Whole { status: status.parse().expect("a number") },
            [command, option, value] => shortened.push(Shortened { command, option, value }),
            _ => panic!("line {line}: what is `{item}`?"),
        }
    }
    (how, shortened, without)
}

fn command(line: &str, shortened: &[Shortened<'_>]) -> Option<String> {
    let line = line.split(" #").next().unwrap_or_default().trim_end();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut line = line.replace("cargo run --release -- ", "highwater ");
    for Shortened { command, option, value } in shortened {
        let Some(at) = line.find(&format!("highwater {command}")) else { continue };
        let behind = at + "highwater ".len() + command.len();
        let rest: Vec<&str> = line[behind..].split(' ').collect();
        let mut kept = vec![*option, *value];
        let mut words = rest.into_iter().filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            match word == *option {
                true => drop(words.next()),
                false => kept.push(word),
            }
        }
        line = format!("{} {}", &line[..behind], kept.join(" "));
    }
    assert!(!line.contains("cargo test"), "`{line}` is not run here: mark it as `not run`, and say why");
    Some(line)
}

#[test]
fn a_block_is_run_whole_unless_the_line_before_it_says_otherwise() {
    let page = "text\n\n```sh\ncargo run --release -- sweep   # a comment\n```\n\n<!-- run: sweep --seeds 0..2; status 1 -->\n\n\
                ```sh\nhighwater sweep word-count \\\n  --seeds 0..50 --jobs 1\n```\n<!-- run: background -->\n```sh\na\nb\n```\n\
                <!-- not run: there is no such thing here -->\n```sh\ncargo insta review\n```\n";
    let block = |line, how, script: &str| Block { line, how, script: script.to_owned() };
    let expected = [
        block(3, How::Whole { status: 0 }, "highwater sweep"),
        block(9, How::Whole { status: 1 }, "highwater sweep --seeds 0..2 word-count --jobs 1"),
        block(14, How::Background, "a\nb"),
        block(19, How::Not, ""),
    ];
    assert_eq!(blocks(page), expected);
}
