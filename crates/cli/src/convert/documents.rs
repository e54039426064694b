//! The documents of a YAML stream, with every byte accounted for.

/// One document: `head` and `body` of all documents together are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Document<'a> {
    /// The `---` before it, with what belongs to that line; empty for the first.
    pub(super) head: &'a str,
    /// The document itself.
    pub(super) body: &'a str,
    /// The number of the body's first line, from 1.
    pub(super) first_line: usize,
}

/// Splits at the markers `---` and `...`. Both can stand only at the beginning of a line, and nothing else may stand there
/// that looks like them (YAML 1.2, 9.1.2), so no knowledge of what is around them is needed.
pub(super) fn split(text: &str) -> Vec<Document<'_>> {
    let (mark, text_start) = match text.strip_prefix('\u{feff}') {
        Some(_) => ('\u{feff}'.len_utf8(), '\u{feff}'.len_utf8()),
        None => (0, 0),
    };
    let mut documents = Vec::new();
    let mut head = (0, mark);
    let mut body_start = text_start;
    let mut first_line = 1;
    let mut position = text_start;
    let rest = text.get(text_start..).unwrap_or_default();
    for (number, line) in rest.split_inclusive('\n').enumerate() {
        let end = position + line.len();
        if is_marker(line) {
            push(&mut documents, text, head, (body_start, position), first_line);
            // `--- {kind: ...}` and `--- # comment`: what follows the marker belongs to the document.
            let marker = if has_content(line) { position + 4 } else { end };
            head = (position, marker);
            body_start = marker;
            first_line = if marker == end { number + 2 } else { number + 1 };
        }
        position = end;
    }
    push(&mut documents, text, head, (body_start, text.len()), first_line);
    documents
}

fn push<'a>(
    documents: &mut Vec<Document<'a>>,
    text: &'a str,
    head: (usize, usize),
    body: (usize, usize),
    first_line: usize,
) {
    documents.push(Document {
        head: text.get(head.0..head.1).unwrap_or_default(),
        body: text.get(body.0..body.1).unwrap_or_default(),
        first_line,
    });
}

fn is_marker(line: &str) -> bool {
    ["---", "..."].iter().any(|marker| {
        line.strip_prefix(marker)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    })
}

/// Whether more than a comment stands behind the marker.
fn has_content(line: &str) -> bool {
    let rest = line.get(3..).unwrap_or_default().trim();
    !rest.is_empty() && !rest.starts_with('#')
}
