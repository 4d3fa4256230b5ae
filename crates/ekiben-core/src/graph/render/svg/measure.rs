//! How wide text is, without a font to ask.
//!
//! The reader's fonts are unknown, so widths are those of the widest fonts that the drawing's font
//! stacks are likely to end in (DejaVu Sans, Verdana). Text may get more room than it takes, never
//! less.

/// A family of fonts that the drawing uses.
#[derive(Debug, Clone, Copy)]
pub(super) enum Font {
    /// For names: every character has one width.
    Mono,
    /// For prose.
    Sans,
}

/// The width of a text at a size, both in pixels.
pub(super) fn width(text: &str, font: Font, size: f64) -> f64 {
    let ems: f64 = text.chars().map(|c| advance(c, font)).sum();
    ems * size
}

fn advance(c: char, font: Font) -> f64 {
    match (font, c) {
        (_, c) if !c.is_ascii() => 1.05,
        (Font::Mono, _) => 0.612,
        (Font::Sans, 'i' | 'j' | 'l' | 'I' | '|' | '.' | ',' | ':' | ';' | '\'' | '!' | ' ') => {
            0.37
        }
        (Font::Sans, 'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/') => 0.46,
        (Font::Sans, 'm' | 'M' | 'W' | '%' | '@') => 1.02,
        (Font::Sans, 'w') => 0.84,
        (Font::Sans, 'A'..='Z') => 0.80,
        (Font::Sans, _) => 0.65,
    }
}

/// The text, or as much of it as fits with an ellipsis.
pub(super) fn fit(text: &str, font: Font, size: f64, room: f64) -> String {
    if width(text, font, size) <= room {
        return text.to_owned();
    }
    let room = room - width("…", font, size);
    let mut taken = 0.0;
    let short: String = text
        .chars()
        .take_while(|&c| {
            taken += advance(c, font) * size;
            taken <= room
        })
        .collect();
    format!("{}…", short.trim_end())
}
