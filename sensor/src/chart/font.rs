//! Text as outlines of an embedded font, so that a chart looks the same on every machine.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, OutlineCurve};
use tiny_skia::{Path, PathBuilder};

/// Subsets of DejaVu Sans, see assets/fonts/LICENSE-DejaVu.txt.
static REGULAR: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf")).ok()
});
static BOLD: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!(
        "../../assets/fonts/DejaVuSans-Bold-subset.ttf"
    ))
    .ok()
});

/// Height of a capital letter of an em.
pub(super) const CAP_HEIGHT: f32 = 0.729;

/// Stands for letters that the fonts lack: they have those of Latin, Greek and Cyrillic.
const MISSING: char = '\u{fffd}';

/// Width of `text` in ems.
pub(super) fn width(text: &str, bold: bool) -> f32 {
    let mut end = 0.0;
    each_glyph(text, bold, |_, _, x| end = x);
    end
}

/// Outline of `text` with its first letter's origin at `x`, `y` (the baseline), `em` high.
pub(super) fn outline(text: &str, bold: bool, em: f32, (x, y): (f32, f32)) -> Option<Path> {
    let mut path = PathBuilder::new();
    let mut from = 0.0;
    each_glyph(text, bold, |font, glyph, to| {
        let place = Place {
            x: x + from * em,
            y,
            scale: em / font.units_per_em().unwrap_or(1.0),
        };
        add_glyph(&mut path, font, glyph, &place);
        from = to;
    });
    path.finish()
}

/// Calls `each` with the place in ems at which the glyph ends.
fn each_glyph(text: &str, bold: bool, mut each: impl FnMut(&FontRef, ab_glyph::GlyphId, f32)) {
    let font = if bold { &BOLD } else { &REGULAR };
    let Some(font) = font.as_ref() else {
        return;
    };
    let em = font.units_per_em().unwrap_or(1.0);
    let mut x = 0.0;
    for c in text.chars() {
        let known = font.glyph_id(c);
        let glyph = match known.0 {
            0 => font.glyph_id(MISSING),
            _ => known,
        };
        let advance = font.h_advance_unscaled(glyph) / em;
        // In SVG another font has the letter: none is wider than an em.
        x += if known.0 == 0 {
            advance.max(1.0)
        } else {
            advance
        };
        each(font, glyph, x);
    }
}

struct Place {
    x: f32,
    y: f32,
    scale: f32,
}

fn add_glyph(path: &mut PathBuilder, font: &FontRef, glyph: ab_glyph::GlyphId, place: &Place) {
    let Some(outline) = font.outline(glyph) else {
        return;
    };
    let at = |point: ab_glyph::Point| {
        (
            place.x + point.x * place.scale,
            place.y - point.y * place.scale,
        )
    };
    let mut last = None;
    for curve in outline.curves {
        let (first, end) = match curve {
            OutlineCurve::Line(a, b)
            | OutlineCurve::Quad(a, _, b)
            | OutlineCurve::Cubic(a, _, _, b) => (at(a), at(b)),
        };
        if last != Some(first) {
            if last.is_some() {
                path.close();
            }
            path.move_to(first.0, first.1);
        }
        match curve {
            OutlineCurve::Line(..) => path.line_to(end.0, end.1),
            OutlineCurve::Quad(_, b, _) => {
                let b = at(b);
                path.quad_to(b.0, b.1, end.0, end.1);
            }
            OutlineCurve::Cubic(_, b, c, _) => {
                let (b, c) = (at(b), at(c));
                path.cubic_to(b.0, b.1, c.0, c.1, end.0, end.1);
            }
        }
        last = Some(end);
    }
    if last.is_some() {
        path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_have_every_letter_of_a_chart() {
        for bold in [false, true] {
            let font = if bold { &BOLD } else { &REGULAR }.as_ref().unwrap();
            for c in ('!'..='~').chain("µ·…→–’ÄőλΩЖя\u{fffd}".chars()) {
                assert_ne!(font.glyph_id(c).0, 0, "{c}");
                assert!(
                    outline(&c.to_string(), bold, 10.0, (0.0, 0.0)).is_some(),
                    "{c}"
                );
            }
        }
    }

    #[test]
    fn letters_that_are_missing_are_marked_and_have_room() {
        assert!(width("電視", false) >= 2.0);
        let drawn = |text| outline(text, false, 10.0, (0.0, 0.0)).unwrap();
        assert_eq!(drawn("電"), drawn("視"));
        assert_eq!(drawn("電"), drawn("\u{fffd}"));
    }

    #[test]
    fn text_is_as_wide_as_its_letters() {
        let (one, three) = (width("m", false), width("mmm", false));
        assert!((three - 3.0 * one).abs() < 1e-4);
        assert!(width("m", true) > one);
        let bounds = outline("mmm", false, 100.0, (50.0, 80.0)).unwrap().bounds();
        assert!(bounds.left() >= 50.0 && bounds.right() <= 50.0 + three * 100.0);
        assert!((bounds.bottom() - 80.0).abs() < 1.0);
    }
}
