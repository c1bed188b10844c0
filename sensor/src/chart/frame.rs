//! What all charts share: their size, their header, and text that fits.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle};

use super::canvas::{Canvas, UNITS};
use super::font;
use super::palette::Palette;
use crate::report::Report;
use crate::units;

/// Logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

pub(super) type Area<'a> = DrawingArea<Canvas<'a>, Shift>;
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::convert::Infallible>>;

pub(super) const MARGIN: i32 = 24;
/// Below title and subtitle.
const TOP: i32 = 84;
const LEGEND_ROW: i32 = 22;
const SWATCH: i32 = 13;
const TITLE: Label = LABEL.sized(23.0).bold();
const LEGEND: Label = LABEL.sized(14.0);

/// A picture to draw on, in logical pixels.
pub(super) struct Frame<'a> {
    pub(super) area: Area<'a>,
    pub(super) palette: &'static Palette,
    pub(super) width: i32,
    pub(super) height: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Ink,
    Faint,
}

#[derive(Clone, Copy)]
pub(super) struct Label {
    pub(super) size: f64,
    pub(super) tone: Tone,
    pub(super) bold: bool,
    pub(super) align: HPos,
}

pub(super) const LABEL: Label = Label {
    size: 15.0,
    tone: Tone::Ink,
    bold: false,
    align: HPos::Left,
};

impl Label {
    pub(super) const fn aligned(mut self, align: HPos) -> Self {
        self.align = align;
        self
    }

    pub(super) const fn faint(mut self) -> Self {
        self.tone = Tone::Faint;
        self
    }

    pub(super) const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(super) const fn sized(mut self, size: f64) -> Self {
        self.size = size;
        self
    }

    /// In logical pixels.
    pub(super) fn width(&self, text: &str) -> i32 {
        (f64::from(font::width(text, self.bold)) * self.size / 1.24).ceil() as i32
    }

    /// `text`, or as much of its beginning as there is room for.
    pub(super) fn head(&self, text: &str, room: i32) -> String {
        self.cut(text, room, |letters, kept| {
            let head: String = letters.iter().take(kept).collect();
            format!("{}…", head.trim_end())
        })
    }

    /// `text`, or as much of its end as there is room for: of a name that is the domain.
    pub(super) fn tail(&self, text: &str, room: i32) -> String {
        self.cut(text, room, |letters, kept| {
            let tail: String = letters[letters.len() - kept..].iter().collect();
            format!("…{}", tail.trim_start())
        })
    }

    fn cut(&self, text: &str, room: i32, keep: impl Fn(&[char], usize) -> String) -> String {
        /// More than fit into any picture.
        const MOST: usize = 256;
        let letters: Vec<char> = text.chars().collect();
        if letters.len() <= MOST && self.width(text) <= room {
            return text.to_owned();
        }
        let fits = |kept: &usize| self.width(&keep(&letters, *kept)) <= room;
        // Where `kept` letters fit, fewer do as well.
        let (mut fitting, mut too_many) = (0, letters.len().min(MOST) + 1);
        while too_many - fitting > 1 {
            let middle = usize::midpoint(fitting, too_many);
            match fits(&middle) {
                true => fitting = middle,
                false => too_many = middle,
            }
        }
        match fitting {
            0 => String::new(),
            kept => keep(&letters, kept),
        }
    }
}

impl<'a> Frame<'a> {
    pub(super) fn new(canvas: Canvas<'a>, palette: &'static Palette) -> Self {
        let (width, height) = (canvas.scene.width as i32, canvas.scene.height as i32);
        Frame {
            area: canvas.into_drawing_area(),
            palette,
            width,
            height,
        }
    }

    /// Title, as many of the `parts` of the subtitle as there is room for, and the legend: beside the title where it fits,
    /// else below. Gives where the chart itself begins.
    pub(super) fn header(
        &self,
        title: &str,
        parts: &[String],
        legend: &[(&str, RGBColor)],
    ) -> Result<i32, DrawingAreaErrorKind<std::convert::Infallible>> {
        let room = self.width - 2 * MARGIN;
        let title = TITLE.head(title, room);
        self.text((MARGIN, 34), &title, &TITLE)?;
        let subtitle = LABEL.faint();
        self.text((MARGIN, 60), &joined(parts, &subtitle, room), &subtitle)?;
        let wide: i32 = legend.iter().map(|(text, _)| entry_width(text)).sum();
        if TITLE.width(&title) + wide + MARGIN <= room {
            let mut x = self.width - MARGIN - wide + ENTRY_GAP;
            for entry in legend {
                x = self.entry((x, 34), entry)?;
            }
            return Ok(TOP);
        }
        let (mut x, mut y) = (MARGIN, TOP);
        for (text, color) in legend {
            let text = LEGEND.head(text, room - entry_width(""));
            if x > MARGIN && x + entry_width(&text) - ENTRY_GAP > MARGIN + room {
                (x, y) = (MARGIN, y + LEGEND_ROW);
            }
            x = self.entry((x, y), &(&text, *color))?;
        }
        Ok(y + LEGEND_ROW)
    }

    fn entry(
        &self,
        (x, y): (i32, i32),
        (text, color): &(&str, RGBColor),
    ) -> Result<i32, DrawingAreaErrorKind<std::convert::Infallible>> {
        let half = SWATCH / 2;
        self.rect((x, y - half), (x + SWATCH, y + SWATCH - half), *color)?;
        self.text((x + SWATCH + 7, y), text, &LEGEND)?;
        Ok(x + entry_width(text))
    }

    /// Vertically centred at `y`.
    pub(super) fn text(&self, (x, y): (i32, i32), text: &str, label: &Label) -> Drawn {
        if text.is_empty() {
            return Ok(());
        }
        let at = (x * UNITS, y * UNITS);
        let style = self.style(label, VPos::Center);
        self.area.draw(&Text::new(text.to_owned(), at, style))
    }

    pub(super) fn style(&self, label: &Label, vertical: VPos) -> TextStyle<'static> {
        let style = match label.bold {
            true => FontStyle::Bold,
            false => FontStyle::Normal,
        };
        let color = match label.tone {
            Tone::Ink => &self.palette.ink,
            Tone::Faint => &self.palette.faint,
        };
        ("sans-serif", label.size * f64::from(UNITS))
            .into_font()
            .style(style)
            .color(color)
            .pos(Pos::new(label.align, vertical))
    }

    /// Text that can be read on top of a line: what was drawn there shines through only a little.
    pub(super) fn boxed(&self, (x, y): (i32, i32), text: &str, label: &Label) -> Drawn {
        let width = label.width(text);
        let left = match label.align {
            HPos::Right => x - width,
            HPos::Center => x - width / 2,
            HPos::Left => x,
        };
        let scaled = |x: i32, y: i32| (x * UNITS, y * UNITS);
        let corners = [scaled(left - 3, y - 9), scaled(left + width + 3, y + 9)];
        let veil = self.palette.paper.mix(0.8).filled();
        self.area.draw(&Rectangle::new(corners, veil))?;
        self.text((x, y), text, label)
    }

    pub(super) fn rect(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Drawn {
        let scaled = |(x, y)| (x * UNITS, y * UNITS);
        let corners = [scaled(from), scaled(to)];
        self.area.draw(&Rectangle::new(corners, color.filled()))
    }

    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Drawn {
        let scaled = |(x, y)| (x * UNITS, y * UNITS);
        let style = color.stroke_width(UNITS as u32);
        self.area
            .draw(&PathElement::new(vec![scaled(from), scaled(to)], style))
    }

    /// What is drawn where there is nothing to draw.
    pub(super) fn nothing(&self, title: &str, parts: &[String], why: &str) -> Drawn {
        let top = self.header(title, parts, &[])?;
        let label = LABEL.sized(20.0).faint().aligned(HPos::Center);
        let middle = top + (self.height - top - MARGIN) / 2;
        self.text((self.width / 2, middle), why, &label)
    }
}

const ENTRY_GAP: i32 = 18;

fn entry_width(text: &str) -> i32 {
    SWATCH + 7 + LEGEND.width(text) + ENTRY_GAP
}

/// The first parts, as many as fit.
fn joined(parts: &[String], label: &Label, room: i32) -> String {
    let lengths = (1..=parts.len()).rev();
    let mut texts = lengths.map(|length| parts[..length].join(" · "));
    let fitting = texts.find(|text| label.width(text) <= room);
    fitting.unwrap_or_else(|| {
        parts
            .first()
            .map_or_else(String::new, |part| label.head(part, room))
    })
}

/// Under every title.
pub(super) fn when(report: &Report) -> Option<String> {
    let (start, end) = (report.start?, report.end?);
    let start_text = start.strftime("%Y-%m-%d %H:%M:%S");
    Some(match start.0 / 1_000_000_000 == end.0 / 1_000_000_000 {
        true => format!("{start_text} UTC"),
        false => format!("{start_text} – {} UTC", report.clock(end)),
    })
}

/// Under every title, too.
pub(super) fn amount(report: &Report) -> String {
    let bytes = units::bytes(report.totals.bytes);
    format!("{bytes} in {}", units::packets(report.totals.packets))
}
